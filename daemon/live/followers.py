"""Writes the risk and partial files, which follow the signal files and are never waited for."""

import asyncio
from collections.abc import Callable, Iterable

from daemon.core.held import Held
from daemon.core.records import Follower, PartialRecord, RiskRecord, SignalLevels
from daemon.core.risk import RiskDesk
from daemon.core.states import Active
from daemon.live.flushing import keep_flushing
from daemon.ports import StateStore


class Followers:
    """Remembers which symbols changed and rewrites their files from what the keys hold."""

    def __init__(
        self, store: StateStore, risk: RiskDesk, all_held: Callable[[], Iterable[Held]]
    ) -> None:
        self._store = store
        self._risk = risk
        self._all_held = all_held
        self._changed: set[str] = set()
        self._has_changed = asyncio.Event()

    def mark(self, held: Held) -> None:
        """Note that what `held` says about its symbol is news."""
        self._changed.add(held.key.symbol)
        self._has_changed.set()

    async def run(self) -> None:
        """Write what was marked, as often as it takes, until cancelled."""
        await keep_flushing(self._has_changed, self.flush)

    async def flush(self) -> None:
        """Write every marked symbol. Raises TransientError: it stays marked."""
        while self._changed:
            symbol = min(self._changed)
            for record in self.records_of(symbol):
                await self._store.follow(record)
            self._changed.discard(symbol)
        self._has_changed.clear()

    def records_of(self, symbol: str) -> list[Follower]:
        """Return the risk and partial records of `symbol` as the portfolio has it now."""
        levels = [
            SignalLevels(
                signal_id=held.state.signal.id,
                profit_levels=held.state.profit_levels,
                loss_levels=held.state.loss_levels,
            )
            for held in self._all_held()
            if held.key.symbol == symbol and isinstance(held.state, Active)
        ]
        records: list[Follower] = [PartialRecord(symbol=symbol, signals=tuple(levels))]
        for name in self._risk.profiles:
            positions = tuple(item for item in self._risk.positions(name) if item.symbol == symbol)
            records.append(RiskRecord(risk_name=name, symbol=symbol, positions=positions))
        return records
