"""Buttons: once, for the one who asked, for a while."""

from itertools import count

from daemon.adapters.sinks.telegram.commands import BY_NAME, Request
from daemon.adapters.sinks.telegram.confirming import WAITING_MAX, Confirmations

REQUEST = Request(command=BY_NAME["pause"], arguments=(), user_id=7, chat_id=42)


def confirmations() -> Confirmations:
    numbers = count()
    return Confirmations(lambda: f"t{next(numbers)}", 60.0)


def test_a_button_works_once() -> None:
    asked = confirmations()
    token = asked.ask(REQUEST, 0.0)

    assert asked.take(token, 7, 42, 1.0) == REQUEST
    assert asked.take(token, 7, 42, 1.0) is None


def test_a_button_is_for_the_one_who_asked() -> None:
    asked = confirmations()
    token = asked.ask(REQUEST, 0.0)

    assert asked.take(token, 8, 42, 1.0) is None
    assert asked.take(token, 7, 43, 1.0) is None
    assert asked.take(token, 7, 42, 1.0) == REQUEST


def test_a_button_expires() -> None:
    asked = confirmations()
    token = asked.ask(REQUEST, 0.0)

    assert asked.take(token, 7, 42, 60.0) is None
    assert asked.take("nobody's", 7, 42, 0.0) is None


def test_questions_do_not_pile_up() -> None:
    asked = confirmations()
    first = asked.ask(REQUEST, 0.0)
    last = [asked.ask(REQUEST, 0.0) for _ in range(1000)][-1]

    assert len(asked._asked) == WAITING_MAX
    assert asked.take(first, 7, 42, 0.0) is None
    assert asked.take(last, 7, 42, 0.0) == REQUEST
