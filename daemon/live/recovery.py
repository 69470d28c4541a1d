"""Recovery: what a start finds, before any strategy is asked for anything.

All files of the folder are read first, also those of strategies that are configured no longer,
and the portfolio is built from them; only then does any task get its own part.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from daemon.core.held import Held, is_schedule_stale, restored
from daemon.core.records import (
    ScheduleRecord,
    SignalRecord,
    StateFault,
    TransitionEntry,
    TruthKind,
    told_until_ms,
)
from daemon.core.risk import RiskDesk
from daemon.core.signal import Key
from daemon.core.states import Idle, at_risk, row_of
from daemon.live.crew import Crew
from daemon.ports import Clock, Journal, StateStore

NEWEST_ENTRIES = 200
"""So many of the newest entries are in no strict order of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What one key starts with. `block` says why it must not enter the market, "" if it may."""

    held: Held
    is_schedule_stale: bool = False
    block: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """Everything that a start found; `until_ms` is up to when somebody watched, 0 for never."""

    keys: Mapping[Key, Kept] = field(default_factory=dict)
    orphans: tuple[Key, ...] = ()
    faults: tuple[StateFault, ...] = ()
    until_ms: int = 0

    def of(self, key: Key) -> Kept:
        """Return the part of `key`; an idle one where nothing was kept."""
        return self.keys.get(key) or Kept(held=Held(key=key))


class Recovery:
    """Loads once for all tasks: every caller of `wait_for_init` shares one result.

    A failure is not remembered; the next caller tries again.
    """

    def __init__(
        self,
        store: StateStore,
        journal: Journal,
        clock: Clock,
        configured: Mapping[Key, tuple[str, ...]],
        risk: RiskDesk,
    ) -> None:
        self._store = store
        self._journal = journal
        self._clock = clock
        self._configured = configured
        self._risk = risk
        self._loading: asyncio.Task[Recovered] | None = None

    async def wait_for_init(self, key: Key) -> Kept:
        """Return what `key` starts with. Raises what the store raises."""
        return (await self.recovered()).of(key)

    async def recovered(self) -> Recovered:
        """Return everything that was found, loading it at the first call."""
        if self._loading is None:
            self._loading = asyncio.get_running_loop().create_task(self._load())
        loading = self._loading
        try:
            return await asyncio.shield(loading)
        finally:
            has_failed = loading.done() and (loading.cancelled() or loading.exception())
            if has_failed and self._loading is loading:
                self._loading = None

    async def _load(self) -> Recovered:
        stored = await self._store.load()
        until_ms = await newest_ms(self._journal)
        signals = {record.key: record for record in stored.signals}
        schedules = {record.key: record for record in stored.schedules}
        blocks = {
            fault.key: fault.message
            for fault in stored.faults
            if fault.is_blocking and fault.key is not None
        }
        keys: dict[Key, Kept] = {}
        for key in {**signals, **schedules, **blocks}:
            held = restored(key, signals.get(key), schedules.get(key))
            keys[key] = Kept(
                held=held,
                is_schedule_stale=is_schedule_stale(held, schedules.get(key)),
                block=blocks.get(key, ""),
            )
        await self._journal_outboxes([*stored.signals, *stored.schedules], stored.sequences)
        self._hold_slots(keys)
        orphans = tuple(
            key
            for key, kept in keys.items()
            if key not in self._configured and (kept.block or not isinstance(kept.held.state, Idle))
        )
        return Recovered(keys=keys, orphans=orphans, faults=stored.faults, until_ms=until_ms)

    async def _journal_outboxes(
        self,
        records: list[SignalRecord | ScheduleRecord],
        sequences: Mapping[tuple[TruthKind, Key], int],
    ) -> None:
        """Journal what a crash kept from the journal; what it has already it leaves out."""
        entries = [
            TransitionEntry(
                key=record.key,
                events=record.outbox,
                at_ms=record.outbox[-1].at_ms,
                file=_file_of(record),
                seq=sequences[_file_of(record), record.key],
            )
            for record in records
            if record.outbox
        ]
        entries.sort(key=lambda entry: entry.at_ms)
        if entries:
            await self._journal.append(entries)

    def _hold_slots(self, keys: Mapping[Key, Kept]) -> None:
        now_ms = self._clock.now_ms()
        everyone = tuple(self._risk.profiles)
        for key, kept in keys.items():
            names = self._configured.get(key) or kept.held.risk_names
            self._risk.remember(names, key, kept.held.history)
            if kept.block:
                # What it held cannot be known: it counts as one open position.
                self._risk.hold(names or everyone, key, row_of(kept.held.state), now_ms)
            elif at_risk(kept.held.state):
                self._risk.hold(names, key, row_of(kept.held.state), now_ms)


def tell_faults(recovered: Recovered, crew: Crew) -> None:
    """Report every file that could not be trusted."""
    for fault in recovered.faults:
        key = fault.key or Key(exchange_name="", symbol="", strategy_name="")
        crew.meter.count("quarantined_files")
        crew.troubles.report("state", key, fault.message)


async def newest_ms(journal: Journal) -> int:
    """Return the market time (ms) up to which the journal knows what happened, 0 for never."""
    entries = await journal.read(max(0, journal.last_number - NEWEST_ENTRIES), NEWEST_ENTRIES)
    return max((told_until_ms(item.entry) for item in entries), default=0)


def _file_of(record: SignalRecord | ScheduleRecord) -> TruthKind:
    return "signal" if isinstance(record, SignalRecord) else "schedule"
