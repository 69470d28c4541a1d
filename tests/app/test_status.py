"""Why the daemon is not ready: each reason once, however many tasks it stops."""

from dataclasses import replace

from daemon.app.status import reasons_of
from daemon.ports import TaskStatus
from tests.app.test_status_line import TASK

DOWN = replace(TASK, is_ready=False, reason="connection refused")


def test_a_reason_of_many_tasks_is_told_once_with_their_number() -> None:
    tasks = [replace(DOWN, symbol=f"S{number}/USDT") for number in range(500)]
    other = replace(DOWN, symbol="ETH/USDT", strategy_name="t", reason="switched off")

    assert reasons_of([*tasks, TASK, other]) == [
        "s (500 tasks): connection refused",
        "ETH/USDT t: switched off",
    ]


def test_what_the_tasks_share_is_named() -> None:
    one, two = DOWN, replace(DOWN, strategy_name="t")
    elsewhere = replace(two, symbol="ETH/USDT")

    assert reasons_of([one]) == ["BTC/USDT s: connection refused"]
    assert reasons_of([one, two]) == ["BTC/USDT (2 tasks): connection refused"]
    assert reasons_of([one, two, elsewhere]) == ["3 tasks: connection refused"]


def test_tasks_that_a_person_has_paused_are_one_reason_with_one_command() -> None:
    def paused(symbol: str, strategy_name: str) -> TaskStatus:
        reason = f"switched off by a person (paused): tickd resume {symbol} {strategy_name}"
        return replace(DOWN, symbol=symbol, strategy_name=strategy_name, reason=reason)

    many = [paused(f"S{number}/USDT", "s") for number in range(500)]
    words = "switched off by a person (paused): tickd resume"

    assert reasons_of(many) == [f"s (500 tasks): {words} s"]
    assert reasons_of([*many, paused("A/B", "t")]) == [f"501 tasks: {words} --all"]
    assert reasons_of(many[:1]) == [f"S0/USDT s: {words} S0/USDT s"]


def test_a_task_that_is_ready_has_no_reason() -> None:
    assert reasons_of([TASK]) == []
