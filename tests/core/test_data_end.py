"""The end of data."""

from daemon.core.data_end import given_at_data_end
from daemon.core.states import Cancel, Close, Closing, Idle, Opening, tick
from tests.core.samples import MINUTE, T0, a_bar, a_row, a_scheduled, an_active


def test_at_the_end_of_data_an_open_signal_expires_and_a_waiting_one_is_cancelled() -> None:
    last = a_bar(price=100.4)

    assert given_at_data_end(an_active(), last) == Close(
        reason="time_expired", at_ms=T0 + MINUTE, price=100.4
    )
    assert given_at_data_end(a_scheduled(), last) == Cancel(
        reason="data_end", at_ms=T0 + MINUTE, price=100.4
    )


def test_at_the_end_of_data_nothing_else_needs_an_end() -> None:
    opening = Opening(signal=a_row(), seen=tick(T0, 100.0))
    closing = Closing(signal=a_row(), reason="user", price=100.0, at_ms=T0)

    for state in (Idle(), opening, closing):
        assert given_at_data_end(state, a_bar()) is None
