"""What one task reports of its troubles, in words for people."""

import asyncio

from daemon.core.guard import Raised
from daemon.core.risk import Refusal, RiskDesk
from daemon.core.signal import Key
from daemon.core.states import Idle, Scheduled, State
from daemon.live.asking import Asking
from daemon.live.crew import Crew


class Reports:
    """Tells each trouble where it begins, and that of its sight again where it ends."""

    def __init__(self, key: Key, crew: Crew, risk: RiskDesk) -> None:
        self._key = key
        self._crew = crew
        self._risk = risk
        self._loop = asyncio.get_running_loop()
        self.is_blind = False

    def failed(self, asking: Asking, trouble: Raised | Exception | str) -> None:
        """Report a call of the strategy that came to nothing good."""
        self._crew.troubles.report("get_signal", self._key, trouble)
        if asking.failed(self._loop.time()):
            self._crew.troubles.report(
                "circuit",
                self._key,
                f"{asking.failures} failures in a row: the strategy is left alone for a while",
            )

    def lost_thread(self, asking: Asking) -> None:
        """Count a thread of the strategy that never came back."""
        asking.leaked += 1
        self._crew.meter.count("leaked_threads")
        if asking.is_off:
            self._crew.troubles.report(
                "circuit",
                self._key,
                f"{asking.leaked} of its threads never came back: it is asked no more"
                " before a restart",
            )

    def seen(self, trouble: str, state: State) -> None:
        """Report once that what is open or waits is not watched, and once that it is again."""
        is_blind = bool(trouble)
        if is_blind == self.is_blind or (is_blind and isinstance(state, Idle)):
            return
        self.is_blind = is_blind
        held = "waiting signal" if isinstance(state, Scheduled) else "open position"
        words = f"the {held} is not watched: {trouble}" if is_blind else "watched again"
        self._crew.troubles.report("price", self._key, words)

    def refused(self, refusal: Refusal | None) -> None:
        """Report what broke in a risk check or in a callback of one."""
        if refusal is not None and refusal.fault is not None:
            self._crew.troubles.report("validation", self._key, refusal.fault)
        while self._risk.faults:
            fault = self._risk.faults.pop()
            where = f"risk {fault.risk_name} {fault.callback}"
            self._crew.troubles.report(where, self._key, fault.raised)
