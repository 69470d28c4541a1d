"""The faults, each done to a real daemon, and the wait until its alerts fire."""

import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

from tests.alerts.groups import limit_memory
from tests.alerts.stage import Stage
from tests.doc_stage import a_free_port

FAST = "[sandbox]\nspeed = 60.0\n"


def killed(stage: Stage) -> None:
    """Also end to end: the message must reach the webhook, and its end too."""
    daemon = stage.daemon(extra=FAST)
    stage.healthy(daemon)
    daemon.kill()
    stage.expect("TickdDown")
    _arrives(stage, "TickdDown", "firing")
    daemon.start()
    _arrives(stage, "TickdDown", "resolved")


def _arrives(stage: Stage, alert: str, status: str) -> None:
    until_s = time.perf_counter() + stage.timeout_s
    while time.perf_counter() < until_s:
        if stage.watch.received.has(alert, stage.name, status):
            stage.notes.append(f"{alert} {status} arrived at the webhook")
            return
        time.sleep(0.2)
    stage.found[f"{alert} {status} at the webhook"] = None


def crashing(stage: Stage) -> None:
    """On a busy machine starts take long, and more of them are needed within the window."""
    daemon = stage.daemon(extra=FAST)
    stage.healthy(daemon)
    until_s = time.perf_counter() + 240
    while time.perf_counter() < until_s:
        daemon.kill()
        daemon.start()
        after_s = stage.watch.wait_for("TickdRestartLoop", stage.name, 1.5)
        if after_s is not None:
            stage.found["TickdRestartLoop"] = after_s
            return


def brittle(stage: Stage) -> None:
    daemon = stage.daemon(strategy="Brittle", extra=f"{FAST}[daemon]\nbackoff_max_s = 2.0\n")
    daemon.start()
    stage.scrape(daemon)
    stage.expect("TickdTaskRestartLoop")


def held_up(stage: Stage) -> None:
    daemon = stage.daemon(extra=FAST)
    stage.healthy(daemon)
    is_over = threading.Event()

    def hold_up() -> None:
        while not is_over.wait(0.5):
            daemon.kill(signal.SIGSTOP)
            time.sleep(0.7)
            daemon.kill(signal.SIGCONT)

    thread = threading.Thread(target=hold_up)
    thread.start()
    stage.expect("TickdEventLoopLag")
    is_over.set()
    thread.join()


def leaking(stage: Stage) -> None:
    daemon = stage.daemon(strategy="Leaking", extra=FAST)
    stage.healthy(daemon)
    stage.expect("TickdMemoryGrowth", 400)
    stage.expect("TickdStrategyGrowth", 200)


def hoarding(stage: Stage) -> None:
    daemon = stage.daemon(strategy="Hoarding", extra=FAST)
    stage.healthy(daemon)
    stage.expect("TickdOpenFiles", 120)
    stage.expect("TickdStrategyTasks", 300)


def hemmed_in(stage: Stage) -> None:
    daemon = stage.daemon("Leaking", extra=FAST)
    stage.healthy(daemon)
    assert daemon.process is not None
    stage.ends.append(limit_memory(f"tickd-{stage.name}", daemon.process.pid, 400 << 20))
    stage.expect("TickdMemoryHigh", 200)


def exchange_gone(stage: Stage) -> None:
    plan = """plan = [
      { kind = "status", status = 503, start_s = 25 },
      { kind = "silent_socket", start_s = 25 },
    ]"""
    daemon = stage.daemon(extra=f"{FAST}[sandbox.faults]\n{plan}\n")
    stage.healthy(daemon)
    stage.expect("TickdNotReady", 150)
    stage.expect("TickdMarketDataStale", 120)


def disk_full(stage: Stage) -> None:
    daemon = stage.daemon(extra=FAST)
    dump = daemon.folder / "dump"
    dump.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", dump], check=True)
    stage.ends.append(lambda: _unmount(dump))
    stage.healthy(daemon, 10)
    with suppress(OSError), (dump / "somebody-elses").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    stage.expect("TickdPersistFailing")
    stage.expect("TickdTickStale", 150)


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", "-l", folder], check=False)


def raising(stage: Stage) -> None:
    daemon = stage.daemon(strategy="Raising", extra=f"{FAST}[daemon]\nbackoff_max_s = 1.0\n")
    daemon.start()
    stage.scrape(daemon)
    stage.expect("TickdErrorBurst")
    stage.expect("TickdCircuitOpen")


def losing(stage: Stage) -> None:
    rules = "[rules]\npercent_fee = 3.0\nrequire_profit_after_costs = false\n"
    risk = '[[risk]]\nname = "one"\nmax_positions = 1\n'
    daemon = stage.daemon(
        strategy_extra='risk = ["one"]', extra=f"[sandbox]\nspeed = 600.0\n{rules}{risk}"
    )
    daemon.start()
    stage.scrape(daemon)
    stage.expect("TickdRiskRefusals")
    stage.expect("TickdDrawdown")


def damaged(stage: Stage) -> None:
    daemon = stage.daemon(extra=FAST)
    stage.healthy(daemon, 8)
    daemon.kill()
    for path in daemon.state().glob("signal_*.json*"):
        path.write_bytes(path.read_bytes()[:40])
    daemon.start()
    stage.expect("TickdQuarantinedFile")
    stage.expect("TickdTaskBlocked")


def unheard(stage: Stage) -> None:
    hook = f'[alerts.webhook]\nurl = "http://127.0.0.1:{a_free_port()}/"\ntimeout_s = 1.0\n'
    daemon = stage.daemon(extra=FAST + hook, output="/dev/full")
    daemon.start()
    stage.scrape(daemon)
    stage.expect("TickdSinkDropping")
    stage.expect("TickdSinkBacklog")


def neighbour(stage: Stage) -> None:
    sandbox = stage.sandbox('plan = [{ kind = "silent_socket", start_s = 0 }]')
    daemon = stage.daemon(extra=f'[sandbox]\nurl = "http://127.0.0.1:{sandbox.port}"\n')
    stage.healthy(daemon)
    is_over = threading.Event()

    def spend() -> None:
        while not is_over.wait(1.0):
            try:
                sandbox.ask("/api/v3/depth?symbol=BTCUSDT&limit=5000")
            except OSError:
                continue

    thread = threading.Thread(target=spend)
    thread.start()
    stage.expect("TickdRateLimitHeadroom", 150)
    stage.expect("TickdRateLimited", 150)
    is_over.set()
    thread.join()


def skewed(stage: Stage) -> None:
    sandbox = stage.sandbox('plan = [{ kind = "clock_skew", skew_ms = 5000, start_s = 0 }]')
    root = f"http://127.0.0.1:{sandbox.port}"
    urls = (
        f'"public" = "{root}/api/v3", "private" = "{root}/api/v3", "v1" = "{root}/api/v1",'
        f' "sapi" = "{root}/sapi/v1", "ws.spot" = "ws://127.0.0.1:{sandbox.port}/ws"'
    )
    daemon = stage.daemon(extra=f'[exchange]\nid = "binance"\nurls = {{ {urls} }}\n')
    daemon.start()
    stage.scrape(daemon)
    stage.expect("TickdClockSkew")
