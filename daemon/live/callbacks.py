"""Calls an author's callbacks, only those that the strategy has, contained."""

from collections.abc import Callable, Sequence
from functools import partial

from daemon.core.guard import Raised
from daemon.core.results import CALLBACK_NAMES, Callback, CallbackName
from daemon.core.strategy import Strategy
from daemon.live.containment import Containment

_EVERY_TICK = frozenset(("on_tick", "on_active", "on_idle", "on_partial_profit", "on_partial_loss"))


class Callbacks:
    """The callbacks that one strategy overrides; the others cost nothing."""

    def __init__(
        self,
        strategy: Strategy,
        holder: str,
        containment: Containment,
        report: Callable[[str, Raised], None],
    ) -> None:
        self._own: dict[str, Callable[[object], object]] = {
            name: getattr(strategy, name)
            for name in CALLBACK_NAMES
            if getattr(type(strategy), name) is not getattr(Strategy, name)
        }
        self._holder = holder
        self._containment = containment
        self._report = report
        self.hears_every_tick = not _EVERY_TICK.isdisjoint(self._own)

    def has(self, name: CallbackName) -> bool:
        """Say whether the strategy overrides `name`."""
        return name in self._own

    async def call(self, calls: Sequence[Callback]) -> None:
        """Make the calls in order, each to its end. What one raises is reported, not passed on."""
        for callback in calls:
            function = self._own.get(callback.name)
            if function is None:
                continue
            outcome = self._containment.call(self._holder, partial(function, *callback.arguments))
            raised = await self._containment.finish(self._holder, outcome)
            if raised is not None:
                self._report(f"callback {callback.name}", raised)
