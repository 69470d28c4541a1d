"""Long work from the command line ends by Ctrl-C, and is kept, whatever else happens."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator

import pytest

from daemon.app.cli.watching import run_watched
from tests.app.cli.tickd import ROOT, Shell
from tests.app.cli.walk_stage import lay_out

LOOKS = 2_000
"""More looks at a call that hangs than the socket of an event loop has room for."""


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGVTALRM)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def ready(shell: Shell) -> Shell:
    """Give a shell in a folder with a configuration, a strategy file and candles."""
    return lay_out(shell)


async def hanging() -> AsyncGenerator[int, None]:
    signal.signal(signal.SIGVTALRM, lambda *_: None)
    for _ in range(LOOKS):
        signal.raise_signal(signal.SIGVTALRM)
    signal.raise_signal(signal.SIGINT)
    for number in range(10):
        await asyncio.sleep(0)
        yield number


def test_ctrl_c_is_not_lost_among_looks_at_a_strategy_that_hangs(
    capfd: pytest.CaptureFixture[str],
) -> None:
    is_interrupted = asyncio.run(run_watched(hanging(), lambda: ("work", 0.5)))

    assert is_interrupted
    assert capfd.readouterr().err == ""
    # A second one ends the process at once.
    assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL


def test_work_that_ends_leaves_signals_as_they_were() -> None:
    before = signal.getsignal(signal.SIGTERM)

    async def short() -> AsyncGenerator[int, None]:
        yield 1

    assert not asyncio.run(run_watched(short(), lambda: ("work", 0.5)))
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("command", ["backtest", "walk", "optimize"])
def test_reports_are_written_though_nobody_reads_the_table(ready: Shell, command: str) -> None:
    """As in `tickd walk --report-dir out | head`."""
    with subprocess.Popen(
        [sys.executable, "-m", "daemon", command, "eager", "--data", "btc.csv"]
        + ["--report-dir", "out"] + (["--trials", "1"] if command == "optimize" else []),
        cwd=ready.folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as reading:  # fmt: skip
        assert reading.stdout is not None
        assert reading.stderr is not None
        reading.stdout.close()
        told = reading.stderr.read()

    assert (reading.returncode, told) == (0, b"")
    assert {path.suffix for path in (ready.folder / "out").rglob("*.*")} >= {".md", ".json"}
