"""Faults, each done to a real daemon, and the alerts that must come of it."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.alerts.daemons import DaemonProcess, SandboxProcess
from tests.alerts.groups import limit_memory
from tests.alerts.watch import Watch
from tests.doc_stage import a_free_port

FAST = "[sandbox]\nspeed = 60.0\n"


@dataclass(slots=True)
class Stage:
    """Where one scenario takes place: its folder, the watch, and what must be ended after it."""

    name: str
    folder: Path
    watch: Watch
    timeout_s: float = 60.0
    found: dict[str, float | None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    ends: list[Callable[[], None]] = field(default_factory=list)

    def daemon(
        self,
        strategy: str = "Eager",
        *,
        strategy_extra: str = "",
        extra: str = "",
        output: str = "",
    ) -> DaemonProcess:
        """Make a daemon of this scenario, not started yet."""
        made = DaemonProcess(
            self.folder / "daemon",
            self.name,
            strategy=strategy,
            strategy_extra=strategy_extra,
            extra=extra,
            output=output,
        )
        self.ends.append(made.end)
        return made

    def sandbox(self, plan: str = "", speed: float = 1.0) -> SandboxProcess:
        """Start a sandbox exchange of its own."""
        made = SandboxProcess(self.folder / "sandbox", speed=speed, plan=plan)
        self.ends.append(made.end)
        made.start()
        return made

    def scrape(self, daemon: DaemonProcess) -> None:
        """Let Prometheus see the daemon."""
        self.watch.scrape(self.name, daemon.port)

    def healthy(self, daemon: DaemonProcess, seconds: float = 6.0) -> None:
        """Start it, scrape it, and note what fires before any fault."""
        daemon.start()
        self.scrape(daemon)
        time.sleep(seconds)
        if early := self.watch.firing(self.name):
            self.notes.append(f"fired before the fault: {', '.join(sorted(early))}")

    def expect(self, alert: str, timeout_s: float | None = None) -> None:
        """Wait until `alert` fires for this daemon."""
        limit_s = timeout_s or self.timeout_s
        self.found[alert] = self.watch.wait_for(alert, self.name, limit_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One fault in words, the alerts that it must set off, and how it is done."""

    name: str
    fault: str
    alerts: tuple[str, ...]
    act: Callable[[Stage], None]
    needs_root: bool = False


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
    daemon = stage.daemon(extra=FAST)
    stage.healthy(daemon)
    for _ in range(3):
        daemon.kill()
        daemon.start()
        time.sleep(1.5)  # until it has been scraped
    stage.expect("TickdRestartLoop")


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


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="leaking",
        fault="a strategy keeps a mebibyte of every call",
        alerts=("TickdMemoryGrowth",),
        act=leaking,
    ),
    Scenario(
        name="hemmed-in",
        fault="a strategy leaks into the memory limit of its service",
        alerts=("TickdMemoryHigh",),
        act=hemmed_in,
        needs_root=True,
    ),
    Scenario(
        name="exchange-gone",
        fault="the exchange answers 503 and its socket falls silent",
        alerts=("TickdNotReady", "TickdMarketDataStale"),
        act=exchange_gone,
    ),
    Scenario(
        name="disk-full",
        fault="somebody fills the disk of the state folder",
        alerts=("TickdPersistFailing", "TickdTickStale"),
        act=disk_full,
        needs_root=True,
    ),
    Scenario(
        name="killed",
        fault="kill -9",
        alerts=("TickdDown",),
        act=killed,
    ),
    Scenario(
        name="crashing",
        fault="kill -9 after every start",
        alerts=("TickdRestartLoop",),
        act=crashing,
    ),
    Scenario(
        name="neighbour",
        fault="another program on the same address spends the request budget",
        alerts=("TickdRateLimitHeadroom", "TickdRateLimited"),
        act=neighbour,
    ),
    Scenario(
        name="skewed",
        fault="the exchange's time is 5 s ahead",
        alerts=("TickdClockSkew",),
        act=skewed,
    ),
    Scenario(
        name="brittle",
        fault="a strategy that breaks its task",
        alerts=("TickdTaskRestartLoop",),
        act=brittle,
    ),
    Scenario(
        name="held-up",
        fault="the process is stopped for 0.7 s, again and again",
        alerts=("TickdEventLoopLag",),
        act=held_up,
    ),
    Scenario(
        name="raising",
        fault="a strategy that raises at every call",
        alerts=("TickdErrorBurst", "TickdCircuitOpen"),
        act=raising,
    ),
    Scenario(
        name="losing",
        fault="every trade loses 6 % and the risk profile has one place",
        alerts=("TickdRiskRefusals", "TickdDrawdown"),
        act=losing,
    ),
    Scenario(
        name="damaged",
        fault="state files are cut off before a start",
        alerts=("TickdQuarantinedFile", "TickdTaskBlocked"),
        act=damaged,
    ),
    Scenario(
        name="unheard",
        fault="the webhook's port is closed and the log goes to a full disk",
        alerts=("TickdSinkDropping", "TickdSinkBacklog"),
        act=unheard,
    ),
)

WITHOUT_FAULT = ("TickdWatchdog", "TickdAbsent")
"""Seen by the campaign itself: one fires always, the other once nothing is scraped."""


def is_possible(scenario: Scenario) -> bool:
    """Say whether this machine can do the fault."""
    return not scenario.needs_root or os.geteuid() == 0
