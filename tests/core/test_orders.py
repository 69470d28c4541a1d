"""What is due at the exchange follows from the state alone."""

import pytest

from daemon.core.orders import Order, fill_at_rule_price, order_due
from daemon.core.pnl import Position
from daemon.core.states import Closing, Filled, Idle, Opening, State, tick
from tests.core.samples import MINUTE, T0, a_bar, a_row, a_scheduled, an_active


@pytest.mark.parametrize(("position", "side"), [("long", "buy"), ("short", "sell")])
def test_an_entry_is_due_at_the_price_of_the_signal(position: Position, side: str) -> None:
    row = a_row(position)

    order = order_due(Opening(signal=row, seen=a_bar(T0, price=99.0)))

    assert order is not None
    assert (order.side, order.purpose) == (side, "entry")
    assert (order.price, order.at_ms) == (100.0, T0 + MINUTE)
    assert order.client_order_id == f"tickd-{row.id}-i"
    assert order.signal is row


@pytest.mark.parametrize(("position", "side"), [("long", "sell"), ("short", "buy")])
def test_an_exit_is_due_at_the_price_of_its_reason(position: Position, side: str) -> None:
    row = a_row(position)

    order = order_due(Closing(signal=row, reason="stop_loss", price=98.7, at_ms=T0 + 5))

    assert order is not None
    assert (order.side, order.purpose) == (side, "exit")
    assert (order.price, order.at_ms) == (98.7, T0 + 5)
    assert order.client_order_id == f"tickd-{row.id}-o"


@pytest.mark.parametrize("state", [Idle(), a_scheduled(), an_active()])
def test_nothing_else_is_due(state: State) -> None:
    assert order_due(state) is None


def test_asking_twice_gives_the_same_order() -> None:
    opening = Opening(signal=a_row(), seen=tick(T0, 100.0))

    assert order_due(opening) == order_due(opening)


def test_a_client_order_id_fits_every_venue() -> None:
    """The shortest limit that is known is 32 characters of letters, digits and dashes."""
    order = order_due(Opening(signal=a_row(), seen=tick(T0, 100.0)))

    assert order is not None
    assert len(order.client_order_id) <= 32
    assert order.client_order_id.replace("-", "").isalnum()


def test_the_virtual_broker_answers_at_once_at_the_price_of_the_rule() -> None:
    order = Order(
        client_order_id="x", signal=a_row(), side="buy", purpose="entry", price=99.5, at_ms=T0
    )

    assert fill_at_rule_price(order) == Filled(price=99.5, at_ms=T0)
