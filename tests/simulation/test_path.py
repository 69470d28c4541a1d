"""The inside of a minute: where it goes, and what is traded on the way."""

from hypothesis import given
from hypothesis import strategies as st

from daemon.core.candles import Candle
from daemon.simulation.generator import default_specs
from daemon.simulation.path import POINTS, Waypoint, straight, trace, waypoints_by_colour

SPEC = default_specs()[0]
counts = st.integers(1, 10**6)


def test_a_rising_candle_dips_first_and_a_falling_one_peaks_first() -> None:
    rising = [visit.ticks for visit in waypoints_by_colour((10, 20, 5, 15))]
    falling = [visit.ticks for visit in waypoints_by_colour((15, 20, 5, 10))]

    assert rising == [10, 5, 20, 15]
    assert falling == [15, 20, 5, 10]


def test_a_straight_path_visits_its_waypoints_on_time() -> None:
    path = straight([Waypoint(0, 10), Waypoint(4, 2), Waypoint(6, 8)])

    assert path == [10, 8, 6, 4, 2, 5, 8]


@given(st.lists(counts, min_size=4, max_size=4).map(sorted), st.booleans())
def test_a_path_touches_the_whole_range_and_stays_inside(
    prices: list[int], is_rising: bool
) -> None:
    low, first, second, high = prices
    opened, closed = (first, second) if is_rising else (second, first)

    path = straight(waypoints_by_colour((opened, high, low, closed)))

    assert len(path) == POINTS
    assert (path[0], max(path), min(path), path[-1]) == (opened, high, low, closed)


def test_a_trace_counts_what_was_traded_so_far() -> None:
    whole = Candle(0, 1.0, 1.03, 0.99, 1.02, 0.00005)

    path = trace(whole, [100, 103, 99, 102], [2, 2, 4, 5], SPEC)

    assert path.prices == [1.0, 1.03, 0.99, 1.02]
    assert path.highs == [1.0, 1.03, 1.03, 1.03]
    assert path.lows == [1.0, 1.0, 0.99, 0.99]
    assert path.volumes == [0.00002, 0.00002, 0.00004, 0.00005]
    assert path.quantities == [0.00002, 0.0, 0.00002, 0.00001]
