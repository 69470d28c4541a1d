"""Laws of `step` and `advance`, for any signal and any market."""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from hypothesis import event as note_event
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.arming import bounds_of, deadline_ms
from daemon.core.candles import MINUTE_MS
from daemon.core.data_end import given_at_data_end
from daemon.core.events import (
    PartialLossContract,
    PartialProfitContract,
    RiskContract,
    SignalCancelled,
    SignalClosed,
    SignalOpened,
    SignalScheduled,
    SignalTransition,
)
from daemon.core.lifecycle import Step, step
from daemon.core.rules import Rules
from daemon.core.states import Active, Closing, Idle, Observation, Opening, Scheduled, State
from daemon.core.trader import advance
from tests.core.samples import T0, a_desk
from tests.laws.worlds import (
    LAW_RULES,
    LIVING,
    OPEN,
    RULES_DRAWN,
    SEEN,
    STATES,
    TICKS,
    bars,
    stretches,
)

Fact = SignalTransition | RiskContract


def followed(
    state: State, stretch: Sequence[Observation], rules: Rules
) -> tuple[State, list[Fact]]:
    """Follow one signal through `stretch` to its end; return where it stands and the facts."""
    desk, facts = a_desk(rules=rules), list[Fact]()
    for seen in stretch:
        after = advance(state, seen, desk)
        state = after.state
        facts += after.events
    return state, facts


def ended(state: State, stretch: Sequence[Observation], rules: Rules) -> list[Fact]:
    """Follow one signal to its end, by the end of data if by nothing else."""
    state, facts = followed(state, stretch, rules)
    given_last = given_at_data_end(state, stretch[-1])
    if given_last is not None:
        facts += advance(state, given_last, a_desk(rules=rules)).events
    return facts


# -- What changes nothing --------------------------------------------------------------------------


def is_quiet(state: State, seen: Observation, rules: Rules) -> bool:
    """Say by what a live task is armed with whether nothing can happen: no word of `step`."""
    bounds, deadline = bounds_of(state, rules), deadline_ms(state, rules)
    is_timely = deadline is None or seen.at_ms < deadline
    prices = (seen.low, seen.high, seen.price)
    return is_timely and not any(bounds.is_crossed(price) for price in prices)


@given(STATES, SEEN, RULES_DRAWN)
def test_what_crosses_no_armed_level_changes_nothing(
    state: State, seen: Observation, rules: Rules
) -> None:
    """A search over arrays may skip such bars: `step` would have stayed."""
    quiet = is_quiet(state, seen, rules)
    note_event(f"quiet: {quiet}")
    if not quiet:
        return

    after = step(state, seen, rules)

    assert after == Step(state=state)
    assert after.state is state


@given(LIVING, TICKS, RULES_DRAWN)
def test_a_tick_that_crosses_an_armed_level_is_never_in_vain(
    state: State, seen: Observation, rules: Rules
) -> None:
    """Else a live task that wakes there would wake for ever."""
    if is_quiet(state, seen, rules):
        return

    assert step(state, seen, rules) != Step(state=state)


@given(STATES, SEEN, RULES_DRAWN)
def test_a_step_has_no_memory(state: State, seen: Observation, rules: Rules) -> None:
    assert step(state, seen, rules) == step(state, seen, rules)


# -- The order of the checks, against the documents' own text --------------------------------------


def outcome_of_waiting(state: Scheduled, seen: Observation, rules: Rules) -> str:
    """The document's checks of a waiting signal, for a tick: timeout, stop, entry."""
    row, price = state.signal, seen.price
    if seen.at_ms - row.scheduled_at >= rules.schedule_await_minutes * 60 * 1000:
        return "timeout"
    if row.position == "long":
        if price <= row.price_stop_loss:
            return "stop_loss"
        return "opening" if price <= row.price_open else "scheduled"
    if price >= row.price_stop_loss:
        return "stop_loss"
    return "opening" if price >= row.price_open else "scheduled"


def outcome_of_open(state: Active, seen: Observation) -> str:
    """The document's checks of an open signal, for a tick: time, target, stop."""
    row, price = state.signal, seen.price
    if seen.at_ms - row.pending_at >= row.minute_estimated_time * 60 * 1000:
        return "time_expired"
    if row.position == "long":
        if price >= row.price_take_profit:
            return "take_profit"
        return "stop_loss" if price <= row.price_stop_loss else "active"
    if price <= row.price_take_profit:
        return "take_profit"
    return "stop_loss" if price >= row.price_stop_loss else "active"


def outcome_of_step(after: Step) -> str:
    match after.state:
        case Idle():
            (cancelled,) = after.events
            assert isinstance(cancelled, SignalCancelled)
            return cancelled.reason
        case Closing(reason=reason):
            return reason
        case Scheduled() | Opening() | Active():
            return after.state.kind
        case _:
            assert_never(after.state)


@given(LIVING, TICKS, RULES_DRAWN)
def test_a_tick_is_judged_in_the_documents_order(
    state: State, seen: Observation, rules: Rules
) -> None:
    assert isinstance(state, Scheduled | Active)
    expected = (
        outcome_of_waiting(state, seen, rules)
        if isinstance(state, Scheduled)
        else outcome_of_open(state, seen)
    )
    note_event(expected)

    assert outcome_of_step(step(state, seen, rules)) == expected


@given(OPEN, bars(), RULES_DRAWN)
def test_a_bar_is_judged_by_time_at_its_open_and_then_by_its_extremes(
    state: Active, bar: Observation, rules: Rules
) -> None:
    row = state.signal
    favourable, adverse = (bar.high, bar.low) if row.position == "long" else (bar.low, bar.high)
    at_open = replace(bar, span_ms=0, price=bar.price_start)
    won = outcome_of_open(state, replace(at_open, price=favourable))
    lost = outcome_of_open(state, replace(at_open, price=adverse))
    if won == "time_expired":
        expected = "time_expired"
    elif rules.intrabar == "worst_case":
        expected = lost if lost != "active" else won
    else:
        expected = won if won != "active" else lost

    after = step(state, bar, rules)

    assert outcome_of_step(after) == expected
    assert after.is_ambiguous is (won == "take_profit" and lost == "stop_loss")


# -- Partial levels --------------------------------------------------------------------------------


@given(OPEN, stretches(), RULES_DRAWN)
def test_levels_ascend_come_once_and_never_at_the_closing_tick(
    state: State, stretch: Sequence[Observation], rules: Rules
) -> None:
    desk = a_desk(rules=rules)
    reached: dict[type, list[int]] = {PartialProfitContract: [], PartialLossContract: []}
    for seen in stretch:
        after = advance(state, seen, desk)
        levels = [
            fact
            for fact in after.events
            if isinstance(fact, PartialProfitContract | PartialLossContract)
        ]
        assert not levels or isinstance(after.state, Active)
        assert [fact.level for fact in levels] == sorted(fact.level for fact in levels)
        for fact in levels:
            assert fact.level not in reached[type(fact)]
            reached[type(fact)].append(fact.level)
        if isinstance(after.state, Active):
            assert set(after.state.profit_levels) == set(reached[PartialProfitContract])
            assert set(after.state.loss_levels) == set(reached[PartialLossContract])
        state = after.state


# -- Facts and their times -------------------------------------------------------------------------


@given(LIVING, stretches(), RULES_DRAWN)
def test_facts_follow_one_another_as_a_life_does(
    state: State, stretch: Sequence[Observation], rules: Rules
) -> None:
    is_open = isinstance(state, Active)
    facts = ended(state, stretch, rules)
    kinds = [type(fact) for fact in facts]

    assert len({fact.id for fact in facts}) == len(facts)
    assert [fact.at_ms for fact in facts] == sorted(fact.at_ms for fact in facts)
    assert SignalScheduled not in kinds
    assert kinds.count(SignalOpened) == (0 if is_open or SignalCancelled in kinds else 1)
    assert kinds.count(SignalClosed) + kinds.count(SignalCancelled) == 1
    assert kinds[-1] in (SignalClosed, SignalCancelled)
    assert not (is_open and SignalCancelled in kinds)
    if SignalOpened in kinds:
        assert kinds[0] is SignalOpened


@given(LIVING, stretches(), RULES_DRAWN)
def test_the_same_market_gives_the_same_ids(
    state: State, stretch: Sequence[Observation], rules: Rules
) -> None:
    assert ended(state, stretch, rules) == ended(state, stretch, rules)


@given(LIVING, stretches(), RULES_DRAWN)
def test_times_are_when_a_fact_was_known(
    state: State, stretch: Sequence[Observation], rules: Rules
) -> None:
    opens = {seen.at_ms: seen for seen in stretch}
    ends = {seen.known_at_ms: seen for seen in stretch}
    for fact in ended(state, stretch, rules):
        match fact:
            case SignalOpened(signal=row):
                assert fact.at_ms == row.pending_at
                assert row.pending_at in ends
                assert row.scheduled_at == T0
                assert not row.is_scheduled
            case SignalClosed(signal=row, close_reason="time_expired"):
                if fact.at_ms == stretch[-1].known_at_ms:
                    assert fact.current_price == stretch[-1].price
                    continue
                elapsed_ms = fact.close_timestamp - row.pending_at
                assert elapsed_ms == row.minute_estimated_time * MINUTE_MS
                assert fact.current_price == opens[fact.at_ms].price_start
            case SignalClosed(signal=row):
                bar = ends[fact.close_timestamp]
                assert bar.at_ms - row.pending_at < row.minute_estimated_time * MINUTE_MS
                assert fact.current_price in (row.price_take_profit, row.price_stop_loss)
            case SignalCancelled(signal=row, reason="timeout"):
                assert fact.close_timestamp - row.scheduled_at == rules.schedule_await_ms
                assert fact.current_price == opens[fact.close_timestamp].price_start
            case SignalCancelled():
                assert fact.current_price == ends[fact.close_timestamp].price
            case _:
                assert fact.at_ms in ends


# -- The worst order -------------------------------------------------------------------------------


def result_of(facts: Sequence[Fact]) -> float:
    """Return the PnL in percent of the one signal that `facts` tell of; 0 if it never opened."""
    return sum(fact.pnl.pnl_percentage for fact in facts if isinstance(fact, SignalClosed))


@given(LIVING, stretches())
def test_the_worst_order_never_gives_a_better_result(
    state: State, stretch: Sequence[Observation]
) -> None:
    best = result_of(ended(state, stretch, LAW_RULES))
    worst = result_of(ended(state, stretch, replace(LAW_RULES, intrabar="worst_case")))
    note_event("differs" if worst != best else "same")

    assert worst <= best


@given(LIVING, stretches())
def test_without_ambiguous_bars_the_order_does_not_matter(
    state: State, stretch: Sequence[Observation]
) -> None:
    desk, current, is_ambiguous = a_desk(rules=LAW_RULES), state, False
    for seen in stretch:
        after = advance(current, seen, desk)
        current, is_ambiguous = after.state, is_ambiguous or after.is_ambiguous

    best = ended(state, stretch, LAW_RULES)
    worst = ended(state, stretch, replace(LAW_RULES, intrabar="worst_case"))

    assert is_ambiguous or worst == best


@given(st.data())
def test_an_idle_key_stays_idle_whatever_the_market_does(data: st.DataObject) -> None:
    after = followed(Idle(), data.draw(stretches()), data.draw(RULES_DRAWN))

    assert after == (Idle(), [])
