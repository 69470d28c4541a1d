"""What is kept: one truth, and followers that name what they follow."""

from typing import get_args

from daemon.core.records import (
    CandleEntry,
    CommandEntry,
    Follower,
    HeldState,
    JournalEntry,
    PartialRecord,
    RiskRecord,
    RunEntry,
    ScheduleRecord,
    SignalLevels,
    SignalRecord,
    StopEntry,
    StoredState,
    TransitionEntry,
    Truth,
)
from daemon.core.risk import TradeHistory
from daemon.core.states import Idle, Scheduled, State
from tests.core.samples import KEY


def test_a_record_of_nothing_is_an_idle_key() -> None:
    assert SignalRecord(key=KEY) == SignalRecord(
        key=KEY,
        state=Idle(),
        history=TradeHistory(),
        last_signal_id="",
        is_stopped=False,
        is_paused=False,
        outbox=(),
    )
    assert ScheduleRecord(key=KEY) == ScheduleRecord(key=KEY, signal=None, outbox=())
    assert StoredState() == StoredState(signals=(), schedules=(), faults=())


def test_the_signal_file_holds_every_state_but_waiting() -> None:
    """A waiting signal stands in the schedule file alone: one fact, one place."""
    assert set(get_args(HeldState)) == set(get_args(State)) - {Scheduled}


def test_the_truth_names_its_key_and_followers_their_symbol() -> None:
    for kind in get_args(Truth):
        assert "key" in kind.__dataclass_fields__
        assert "outbox" in kind.__dataclass_fields__
    for kind in get_args(Follower):
        assert "symbol" in kind.__dataclass_fields__
    assert RiskRecord(risk_name="calm", symbol="BTC/USDT").positions == ()
    assert PartialRecord(symbol="BTC/USDT").signals == ()
    assert SignalLevels(signal_id="x") == SignalLevels(
        signal_id="x", profit_levels=(), loss_levels=()
    )


def test_journal_entries_are_told_apart_by_their_kind() -> None:
    kinds = [kind.__dataclass_fields__["kind"].default for kind in get_args(JournalEntry)]

    assert kinds == ["transition", "candle", "run", "command", "stop"]
    assert get_args(JournalEntry) == (
        TransitionEntry,
        CandleEntry,
        RunEntry,
        CommandEntry,
        StopEntry,
    )


def test_an_entry_that_changes_no_state_has_no_file() -> None:
    entry = TransitionEntry(key=KEY, events=(), at_ms=1)

    assert (entry.file, entry.seq, entry.observation) == ("", 0, None)
