"""Frames: their moments, and what makes no frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.candles import DAY_MS, MINUTE_MS
from daemon.core.frame import FRAME_INTERVAL_MS, Frame, FrameError, call_on_timeframe, timeframe

START_MS = 1_700_000_400_000
INTERVALS = st.sampled_from(sorted(FRAME_INTERVAL_MS))


def a_frame(interval: str = "1m", *, start_ms: int = START_MS, span_ms: int = 0) -> Frame:
    return Frame(
        frame_name="january", interval=interval, start_ms=start_ms, end_ms=start_ms + span_ms
    )


def test_both_ends_are_among_the_moments() -> None:
    moments = timeframe(a_frame(span_ms=3 * MINUTE_MS))

    assert list(moments) == [START_MS + minute * MINUTE_MS for minute in range(4)]


def test_an_end_that_the_interval_does_not_meet_is_not() -> None:
    moments = timeframe(a_frame("15m", span_ms=40 * MINUTE_MS))

    assert list(moments) == [START_MS + minute * MINUTE_MS for minute in (0, 15, 30)]


def test_a_frame_of_one_moment() -> None:
    assert list(timeframe(a_frame("3d"))) == [START_MS]


def test_the_seeds_intervals() -> None:
    names = "1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d"

    assert list(FRAME_INTERVAL_MS) == names.split()
    assert FRAME_INTERVAL_MS["3d"] == 3 * DAY_MS


@given(INTERVALS, st.integers(0, 10**12))
def test_moments_are_evenly_spaced_and_fill_the_frame(interval: str, span_ms: int) -> None:
    frame = a_frame(interval, span_ms=span_ms)

    moments = timeframe(frame)

    assert moments[0] == frame.start_ms
    assert moments.step == FRAME_INTERVAL_MS[interval]
    assert moments[-1] <= frame.end_ms < moments[-1] + moments.step


def test_an_unknown_interval_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(FrameError, match=r"'january': unknown interval '7m': use one of 1m, 3m,"):
        a_frame("7m")


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(FrameError, match=f"end_ms {START_MS - 1} is before start_ms {START_MS}"):
        a_frame(span_ms=-1)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(FrameError) as caught:
        Frame(frame_name="", interval="x", start_ms=-5, end_ms=True)

    text = str(caught.value)
    assert "frame_name is empty" in text
    assert "unknown interval 'x'" in text
    assert "start_ms must be a whole number of ms since 1970, not -5" in text
    assert "end_ms must be a whole number of ms since 1970, not True" in text


def test_the_callback_hears_the_moments_and_the_bounds() -> None:
    heard: list[object] = []

    def note(moments: range, start_ms: int, end_ms: int, interval: str) -> None:
        heard.extend((moments, start_ms, end_ms, interval))

    frame = Frame(frame_name="f", interval="1h", start_ms=0, end_ms=DAY_MS, on_timeframe=note)

    assert call_on_timeframe(frame) is None
    assert heard == [timeframe(frame), 0, DAY_MS, "1h"]
    assert call_on_timeframe(a_frame()) is None


def test_a_callback_that_raises_is_told() -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("mine")

    frame = Frame(frame_name="f", interval="1h", start_ms=0, end_ms=0, on_timeframe=fail)

    fault = call_on_timeframe(frame)

    assert fault is not None
    assert (fault.error, fault.message) == ("RuntimeError", "mine")
