"""What is due at the exchange, as a function of the state.

There is no list of commands that a crash could lose: start-up and running ask the same question,
and the client order id comes from the signal id, so that asking twice is harmless.
"""

from typing import Literal, NamedTuple, assert_never

from daemon.core.signal import SignalRow
from daemon.core.states import Active, Closing, Filled, Idle, Opening, Scheduled, State

Side = Literal["buy", "sell"]


class Order(NamedTuple):
    """An entry or exit that is due at `price`, the price that the rule names."""

    client_order_id: str
    signal: SignalRow
    side: Side
    purpose: Literal["entry", "exit"]
    price: float
    at_ms: int


def order_due(state: State) -> Order | None:
    """Return the order that `state` waits for, or None."""
    match state:
        case Opening(signal=row, seen=seen):
            order_id, price, at_ms = f"tickd-{row.id}-i", row.price_open, seen.known_at_ms
            return Order(order_id, row, _entry_side(row), "entry", price, at_ms)
        case Closing(signal=row):
            order_id, price, at_ms = f"tickd-{row.id}-o", state.price, state.at_ms
            return Order(order_id, row, _exit_side(row), "exit", price, at_ms)
        case Idle() | Scheduled() | Active():
            return None
        case _:
            assert_never(state)


def _entry_side(row: SignalRow) -> Side:
    return "buy" if row.position == "long" else "sell"


def _exit_side(row: SignalRow) -> Side:
    return "sell" if row.position == "long" else "buy"


def fill_at_rule_price(order: Order) -> Filled:
    """Answer as the virtual broker does: at once, whole, at the price that the rule names."""
    return Filled(order.price, order.at_ms)
