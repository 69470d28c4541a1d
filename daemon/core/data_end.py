"""What the end of its candles means to a run over history."""

from typing import assert_never

from daemon.core.states import (
    Active,
    Cancel,
    Close,
    Closing,
    Idle,
    Observation,
    Opening,
    Scheduled,
    State,
)


def given_at_data_end(state: State, last: Observation) -> Close | Cancel | None:
    """Return what ends the signal of `state` when there is nothing after `last`, or None.

    An open one counts as expired at the last price; a waiting one is cancelled.
    """
    match state:
        case Active():
            return Close(reason="time_expired", at_ms=last.known_at_ms, price=last.price)
        case Scheduled():
            return Cancel(reason="data_end", at_ms=last.known_at_ms, price=last.price)
        case Idle() | Opening() | Closing():
            return None
        case _:
            assert_never(state)
