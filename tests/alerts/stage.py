"""Where one fault happens to one daemon, and what was seen of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.alerts.daemons import DaemonProcess, SandboxProcess
from tests.alerts.watch import Watch


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
