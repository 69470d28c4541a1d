"""Live and history are one text: ticks and bars agree, and so do long and short."""

from collections.abc import Sequence
from dataclasses import fields, replace

from hypothesis import given
from hypothesis import strategies as st

from daemon.core.candles import MINUTE_MS
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
from daemon.core.rules import Rules
from daemon.core.signal import SignalRow
from daemon.core.states import Active, Idle, Observation, Scheduled, State, row_of, tick
from daemon.core.trader import advance
from tests.core.samples import MINUTE, T0, a_desk
from tests.laws.worlds import LIVING, PRICES, RULES_DRAWN, stretches

Fact = SignalTransition | RiskContract


def facts_of(state: State, stretch: Sequence[Observation], rules: Rules) -> list[Fact]:
    desk, facts = a_desk(rules=rules), list[Fact]()
    for seen in stretch:
        after = advance(state, seen, desk)
        state = after.state
        facts += after.events
    return facts


# -- Ticks and bars --------------------------------------------------------------------------------


def as_ticks(prices: Sequence[float]) -> list[Observation]:
    return [tick(T0 + n * MINUTE, price) for n, price in enumerate(prices) if n > 0]


def as_bars(prices: Sequence[float]) -> list[Observation]:
    """Between two ticks the market stood at the later one's price: low, high and average."""
    return [
        Observation(
            at_ms=T0 + n * MINUTE,
            span_ms=MINUTE,
            price_start=prices[n],
            price=prices[n + 1],
            low=prices[n + 1],
            high=prices[n + 1],
        )
        for n in range(len(prices) - 1)
    ]


def in_the_seeds_order(rules: Rules) -> Rules:
    """The worst order supposes of a bar what no tick can see."""
    return replace(rules, intrabar="seed")


def is_at_deadline(fact: Fact, facts: Sequence[Fact], rules: Rules) -> bool:
    """Say whether `fact` came at the very moment at which time was over, too.

    There the two may differ: a tick looks at its clock first, while a bar has looked at the
    prices that were known at that moment before the next bar looks at its clock.
    """
    row = fact.pending_signal if isinstance(fact, RiskContract) else None
    assert row is None
    since_ms = T0
    for earlier in facts:
        if isinstance(earlier, SignalOpened):
            since_ms = earlier.at_ms
    life_ms = _row_of(fact).minute_estimated_time * MINUTE_MS
    return fact.at_ms in (since_ms + life_ms, T0 + rules.schedule_await_ms)


def _row_of(fact: Fact) -> SignalRow:
    assert not isinstance(fact, RiskContract)
    if isinstance(fact, PartialProfitContract | PartialLossContract):
        return fact.data
    return fact.signal


@given(LIVING, st.lists(PRICES, min_size=2, max_size=14), RULES_DRAWN.map(in_the_seeds_order))
def test_ticks_and_bars_agree_where_a_bar_has_one_price(
    state: State, prices: list[float], rules: Rules
) -> None:
    by_tick = facts_of(state, as_ticks(prices), rules)
    by_bar = facts_of(state, as_bars(prices), rules)

    for n, (one, two) in enumerate(zip(by_tick, by_bar, strict=False)):
        if is_at_deadline(one, by_tick[:n], rules) or is_at_deadline(two, by_bar[:n], rules):
            assert one.at_ms == two.at_ms
            return
        assert one == two
    longer = max(by_tick, by_bar, key=len)
    for n in range(min(len(by_tick), len(by_bar)), len(longer)):
        assert is_at_deadline(longer[n], longer[:n], rules)


# -- Long and short --------------------------------------------------------------------------------


def mirrored_row(row: SignalRow) -> SignalRow:
    return replace(
        row,
        position="short" if row.position == "long" else "long",
        price_open=200 - row.price_open,
        price_take_profit=200 - row.price_take_profit,
        price_stop_loss=200 - row.price_stop_loss,
    )


def mirrored_state(state: State) -> State:
    match state:
        case Scheduled(signal=row) | Active(signal=row):
            return replace(state, signal=mirrored_row(row))
        case _:
            return state


def mirrored_seen(seen: Observation) -> Observation:
    return replace(
        seen,
        price_start=200 - seen.price_start,
        price=200 - seen.price,
        low=200 - seen.high,
        high=200 - seen.low,
    )


def mirrored_fact(fact: Fact) -> Fact:
    assert not isinstance(fact, RiskContract)
    if isinstance(fact, PartialProfitContract | PartialLossContract):
        return replace(fact, data=mirrored_row(fact.data), current_price=200 - fact.current_price)
    return replace(fact, signal=mirrored_row(fact.signal), current_price=200 - fact.current_price)


def without_pnl(fact: Fact) -> dict[str, object]:
    """Costs are no mirror: a short's are counted on its smaller entry."""
    return {
        field.name: getattr(fact, field.name) for field in fields(fact) if field.name != "pnl"
    } | {"type": type(fact)}


@given(LIVING, stretches(), RULES_DRAWN)
def test_a_short_is_the_mirror_of_a_long(
    state: State, stretch: Sequence[Observation], rules: Rules
) -> None:
    """Around 100, on a grid where reflections are exact."""
    straight = facts_of(state, stretch, rules)
    mirror = facts_of(mirrored_state(state), [mirrored_seen(seen) for seen in stretch], rules)

    assert [without_pnl(mirrored_fact(fact)) for fact in straight] == [
        without_pnl(fact) for fact in mirror
    ]


# -- Where it stands in between --------------------------------------------------------------------


@given(LIVING, stretches(), stretches(), RULES_DRAWN)
def test_a_run_that_is_cut_and_goes_on_tells_the_same(
    state: State,
    first: Sequence[Observation],
    second: Sequence[Observation],
    rules: Rules,
) -> None:
    """A restart between any two observations changes nothing: the state is all there is."""
    later = [replace(seen, at_ms=seen.at_ms + len(first) * MINUTE) for seen in second]
    whole = facts_of(state, [*first, *later], rules)

    desk, facts = a_desk(rules=rules), list[Fact]()
    for seen in first:
        after = advance(state, seen, desk)
        state, facts = after.state, [*facts, *after.events]
    again = a_desk(rules=rules)
    row = row_of(state)
    if row is not None and not isinstance(state, Idle):
        again.risk.hold(again.risk_names, row.key, row, row.pending_at)
    for seen in later:
        after = advance(state, seen, again)
        state, facts = after.state, [*facts, *after.events]

    assert facts == whole
    assert not any(isinstance(fact, SignalScheduled) for fact in facts)
    ends = [fact for fact in facts if isinstance(fact, SignalClosed | SignalCancelled)]
    assert len(ends) == (1 if isinstance(state, Idle) else 0)
