"""What one (symbol, strategy) holds between two inputs, and how it is split into records.

Pure: the same functions decide what is written after a transition and what a start makes of the
files it finds, so that a crash between two writes has one meaning.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from daemon.core.events import RiskContract, SignalOpened, SignalTransition
from daemon.core.lifecycle import step
from daemon.core.records import ScheduleRecord, SignalRecord, Truth
from daemon.core.risk import TradeHistory
from daemon.core.rules import Rules
from daemon.core.signal import Key
from daemon.core.states import (
    Cancel,
    Idle,
    Observation,
    Opening,
    Scheduled,
    State,
    at_risk,
    row_of,
)
from daemon.core.trader import Advance, history_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The whole memory of one key that must survive a restart."""

    key: Key
    state: State = field(default_factory=Idle)
    history: TradeHistory = field(default_factory=TradeHistory)
    last_signal_id: str = ""
    is_stopped: bool = False
    is_paused: bool = False
    risk_names: tuple[str, ...] = ()


def given_by(seen: Observation, held: Held, rules: Rules) -> Observation | Cancel:
    """Return what a tick gives to the state of `held`: where a person forbade it, no entry.

    A stopped task drops what waits; a paused one drops it when its entry is reached, for nobody
    wants it opened late at another price.
    """
    if not isinstance(held.state, Scheduled):
        return seen
    if held.is_stopped:
        return Cancel(reason="stopped", at_ms=seen.at_ms, price=seen.price)
    if held.is_paused and isinstance(step(held.state, seen, rules).state, Opening):
        return Cancel(reason="user", at_ms=seen.at_ms, price=seen.price)
    return seen


def held_after(held: Held, after: Advance) -> Held:
    """Return what the key holds once `after` is saved."""
    row = row_of(after.state)
    newest = row.id if row is not None and at_risk(after.state) else held.last_signal_id
    for event in after.events:
        if isinstance(event, SignalOpened):
            newest = event.signal.id
    return replace(
        held,
        state=after.state,
        history=history_after(held.history, after.events),
        last_signal_id=newest,
    )


def record_of(
    before: Held, after: Held, events: Sequence[SignalTransition | RiskContract]
) -> Truth:
    """Return the one record whose write makes the way from `before` to `after` durable.

    A signal that begins or ends its waiting is written to the schedule file, everything else to
    the signal file. Where a waiting signal opens, the signal file is enough: a schedule file
    that still holds the signal is recognised as stale (see `restored`) and emptied afterwards.
    """
    was_waiting = isinstance(before.state, Scheduled)
    is_waiting = isinstance(after.state, Scheduled)
    if is_waiting or (was_waiting and not _has_opened(before, after)):
        row = row_of(after.state) if is_waiting else None
        return ScheduleRecord(key=after.key, signal=row, outbox=tuple(events))
    return signal_record(after, events)


def signal_record(
    held: Held, events: Sequence[SignalTransition | RiskContract] = ()
) -> SignalRecord:
    """Return the record of the signal file for `held`."""
    return SignalRecord(
        key=held.key,
        state=Idle() if isinstance(held.state, Scheduled) else held.state,
        history=held.history,
        last_signal_id=held.last_signal_id,
        is_stopped=held.is_stopped,
        is_paused=held.is_paused,
        risk_names=held.risk_names,
        outbox=tuple(events),
    )


def restored(key: Key, signal: SignalRecord | None, schedule: ScheduleRecord | None) -> Held:
    """Return what the key held when the files were written.

    Where both files hold a signal the open one wins; a waiting signal that opened before is
    stale. An `Opening` that was never answered is not a position yet: it waits for its answer.
    """
    truth = SignalRecord(key=key) if signal is None else signal
    state: State = truth.state
    waiting = None if schedule is None else schedule.signal
    if isinstance(state, Idle) and waiting is not None and waiting.id != truth.last_signal_id:
        state = Scheduled(signal=waiting)
    return Held(
        key=key,
        state=state,
        history=truth.history,
        last_signal_id=truth.last_signal_id,
        is_stopped=truth.is_stopped,
        is_paused=truth.is_paused,
        risk_names=truth.risk_names,
    )


def is_schedule_stale(held: Held, schedule: ScheduleRecord | None) -> bool:
    """Say whether the schedule file holds a signal that is not waiting any more."""
    if schedule is None or schedule.signal is None:
        return False
    return not isinstance(held.state, Scheduled)


def _has_opened(before: Held, after: Held) -> bool:
    return after.last_signal_id != before.last_signal_id or isinstance(after.state, Opening)
