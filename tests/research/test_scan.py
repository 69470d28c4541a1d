"""The search skips no bar at which `step` could do anything but stay."""

import random  # noqa: TID251 (seeded)

from hypothesis import given
from hypothesis import strategies as st

from daemon.core.arming import Bounds
from daemon.core.lifecycle import step
from daemon.core.rules import Rules
from daemon.core.states import Active, Idle, State
from daemon.core.trader import advance
from daemon.research import scan
from daemon.research.columns import minutes_of
from daemon.research.lane import with_levels_told
from daemon.research.market import Market
from daemon.research.scan import look_ahead
from tests.core.samples import a_desk
from tests.laws.worlds import LIVING, RULES_DRAWN
from tests.research.test_backtest_against_bars import a_world

MARKETS = st.integers(0, 2**32).map(lambda seed: Market(minutes_of(a_world(seed)[0]), 5))


@given(LIVING, MARKETS, RULES_DRAWN, st.integers(1, 30), st.booleans())
def test_every_skipped_bar_is_stayed_through(
    state: State, market: Market, rules: Rules, start: int, is_deaf: bool
) -> None:
    desk = a_desk(rules=rules)
    while not isinstance(state, Idle):
        if is_deaf and isinstance(state, Active):
            state = with_levels_told(state)
        ahead = look_ahead(state, market, start, rules)
        found = ahead.bar
        for bar in range(start, market.count if found is None else found):
            after = step(state, market.bar(bar), rules)
            assert after.state is state
            assert after.events == ()
        if found is None:
            return
        state, start = advance(state, market.bar(found), desk).state, found + 1


@given(LIVING, MARKETS, RULES_DRAWN)
def test_a_search_that_goes_on_finds_what_a_new_one_finds(
    state: State, market: Market, rules: Rules
) -> None:
    desk = a_desk(rules=rules)
    ahead = look_ahead(state, market, 1, rules)
    while (bar := ahead.bar) is not None:
        state = advance(state, market.bar(bar), desk).state
        if not ahead.pass_on(state):
            return
        assert ahead.bar == look_ahead(state, market, bar + 1, rules).bar


def test_a_long_way_is_searched_in_stretches() -> None:
    rng = random.Random(5)
    rows, _ = a_world(rng.randrange(99))
    far = Market(minutes_of(rows), 5)
    near = scan.STRETCH
    try:
        scan.STRETCH = 3
        for low in (95.0, 98.0, 80.0):
            bounds = Bounds(low=low, high=130.0)
            wanted = next((n for n in range(1, far.count) if far.low[n] <= low), far.count)
            assert scan._end(Idle(), far, 1, bounds, Rules()) == wanted
    finally:
        scan.STRETCH = near
