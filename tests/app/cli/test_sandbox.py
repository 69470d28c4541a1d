"""The sandbox exchange as a command."""

import signal
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from daemon.app.cli.probe import ask
from daemon.app.cli.sandbox import SandboxFlags, with_flags
from daemon.app.config.address import Address
from daemon.app.config.problems import ConfigError
from daemon.app.config.sandbox import SandboxSection
from tests.app.cli.test_probe import a_free_port
from tests.app.cli.tickd import ROOT, Ended, Shell, tickd
from tests.app.samples import STRATEGY, write

CANDLES = "timestamp,open,high,low,close,volume\n" + "".join(
    f"2026-01-01T00:{minute:02d}:00Z,100,101,99,100.5,3\n" for minute in range(30)
)


def test_flags_lie_over_the_table() -> None:
    flags = SandboxFlags(port=9, speed=2.0, seed=3, symbols="BTC/USDT, DOGE/USDT")

    section = with_flags(SandboxSection(), flags)

    assert (section.port, section.speed, section.seed) == (9, 2.0, 3)
    assert [(pair.symbol, pair.price_start) for pair in section.pairs] == [
        ("BTC/USDT", 60_000.0),
        ("DOGE/USDT", 100.0),
    ]
    assert with_flags(section, SandboxFlags()) == section


def test_a_replay_is_told_under_the_symbol_given(tmp_path: Path) -> None:
    flags = SandboxFlags(replay=tmp_path / "x.csv", symbols="ETH/USDT")

    section = with_flags(SandboxSection(), flags)

    assert (section.replay, section.replay_symbol) == (tmp_path / "x.csv", "ETH/USDT")


def test_a_fault_plan_is_read_from_its_file(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('[faults]\nseed = 4\n[[faults.plan]]\nkind = "status"\nstatus = 503\n')

    section = with_flags(SandboxSection(), SandboxFlags(fault_plan=plan))

    assert section.faults.seed == 4
    assert section.faults.plan == ({"kind": "status", "status": 503},)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (SandboxFlags(speed=0.0), "--speed: must be at least 0.1, not 0.0"),
        (SandboxFlags(speed=float("nan")), "--speed: must be a finite number, not nan"),
        (SandboxFlags(seed=-1), "--seed: must be at least 0, not -1"),
        (SandboxFlags(symbols="btcusdt"), "--symbols: 'btcusdt' is no market: did you mean"),
    ],
)
def test_a_wrong_flag_is_told(flags: SandboxFlags, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        with_flags(SandboxSection(), flags)
    assert str(error.value).startswith(told)


def test_a_wrong_fault_plan_is_told_with_its_file(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('[[plan]]\nkind = "statis"\n')

    with pytest.raises(ConfigError) as error:
        with_flags(SandboxSection(), SandboxFlags(fault_plan=plan))
    assert str(error.value).startswith(f"{plan}: fault 1: unknown kind 'statis' (did you mean")


def test_the_sandbox_serves_and_goes_on_from_where_it_ended(tmp_path: Path) -> None:
    first = served_until(tmp_path, signal.SIGINT)
    second = served_until(tmp_path, signal.SIGTERM)

    assert first[0] == second[0] == 0
    assert second[1] > first[1]


def served_until(folder: Path, stop: signal.Signals) -> tuple[int, int]:
    """Run `tickd sandbox` until a signal; return its exit code and the market time it told."""
    process = subprocess.Popen(
        [sys.executable, "-m", "daemon", "sandbox", "--speed", "1000"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        port = int(process.stdout.readline().split(":")[-1].split("/")[0])
        time.sleep(0.2)
        answer = ask(Address(host="127.0.0.1", port=port, name="127.0.0.1"), "/sandbox/time", 5)
        process.send_signal(stop)
        process.wait(timeout=30)
    return process.returncode, int(answer.body.split(":")[1].split(",")[0])


def test_a_daemon_of_another_process_trades_on_it_as_it_says(tmp_path: Path) -> None:
    sandbox = subprocess.Popen(
        [sys.executable, "-m", "daemon", "sandbox", "--speed", "30"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with sandbox:
        assert sandbox.stdout is not None
        told = "".join(iter(sandbox.stdout.readline, "[exchange]\n"))
        section = "".join(sandbox.stdout.readline() for _ in range(4))
        port = a_free_port()
        write(tmp_path, f"{STRATEGY}\n[exchange]\n{section}\n[http]\nport = {port}\n")
        checked = tickd(tmp_path, "check")
        with ThreadPoolExecutor() as pool:
            running = pool.submit(tickd, tmp_path, "run", "--for", "4s")
            is_ready = becomes_ready(tmp_path, running)
        sandbox.terminate()

    assert "For a tickd of another process, in its config.toml:" in told
    assert checked.code == 0, checked.out
    assert "ok    candles        BTC/USDT: 5 minutes" in checked.out
    assert running.result().code == 0, running.result().out
    assert is_ready


def becomes_ready(folder: Path, running: Future[Ended]) -> bool:
    """Ask again and again until the daemon is ready or has ended; it answers before it is."""
    while not running.done():
        if tickd(folder, "healthcheck").code == 0:
            return True
    return False


def test_a_second_sandbox_on_the_same_folder_names_the_first(tmp_path: Path) -> None:
    first = subprocess.Popen(
        [sys.executable, "-m", "daemon", "sandbox"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with first:
        assert first.stdout is not None
        port = first.stdout.readline().split(":")[-1].split("/")[0]
        second = tickd(tmp_path, "sandbox")
        third = tickd(tmp_path, "sandbox", "--port", port, "--set", "daemon.state_dir=other")
        first.terminate()

    assert second.code == 75
    assert f"is in use by the tickd with pid {first.pid}" in second.err
    assert third.code == 78
    assert f"127.0.0.1:{port} is in use by another process" in third.err


def test_a_recorded_file_is_replayed(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(CANDLES)

    ended = tickd(
        tmp_path, "sandbox", "--replay", "x.csv", "--symbols", "ETH/USDT", "--for", "0.2s"
    )

    assert ended.code == 0
    assert "Markets    ETH/USDT" in ended.out


def test_prices_finer_than_an_exchange_tells_them_are_replayed(tmp_path: Path) -> None:
    """As of another program's arithmetic: more decimals than any exchange has."""
    head, at = "timestamp,open,high,low,close,volume\n", "2026-01-01T00:00"
    (tmp_path / "x.csv").write_text(f"{head}{at},100.1234567891234,100.5,99.98765432109876,100,1\n")
    (tmp_path / "y.csv").write_text(f"{head}{at},1e-10,1e-10,1e-10,1e-10,1\n")

    fine = tickd(tmp_path, "sandbox", "--replay", "x.csv", "--symbols", "ETH/USDT", "--for", "0.2s")
    tiny = tickd(tmp_path, "sandbox", "--replay", "y.csv", "--symbols", "ETH/USDT", "--for", "0.2s")

    assert fine.code == 0, fine.err
    assert "below 1e-8" in tiny.err
    assert "Traceback" not in tiny.err


def test_a_file_that_is_no_candles_is_told(shell: Shell) -> None:
    ended = shell("sandbox", "--replay", "none.csv")

    assert ended.code in {69, 78}
    assert "none.csv" in ended.err
