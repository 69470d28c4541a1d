"""Which strategies took the daemon down with them, and which are asked no more."""

from daemon.core.hangs import HangCounts, counts_after_answer, counts_after_hang, find_hang
from daemon.core.signal import Key

ONE = Key(exchange_name="sandbox", symbol="BTC/USDT", strategy_name="s")
OTHER = Key(exchange_name="sandbox", symbol="ETH/USDT", strategy_name="s")
STRANGER = Key(exchange_name="sandbox", symbol="BTC/USDT", strategy_name="t")


def after(*keys: Key) -> HangCounts:
    counts: HangCounts = {}
    for key in keys:
        counts = counts_after_hang(counts, key)
    return counts


def test_p11_a_task_that_hung_too_often_in_a_row_is_not_asked() -> None:
    assert find_hang(after(ONE, ONE), ONE, 3) == ""
    assert "3 times in a row" in find_hang(after(ONE, ONE, ONE), ONE, 3)
    assert "tickd start-task BTC/USDT s" in find_hang(after(ONE, ONE, ONE), ONE, 3)
    assert find_hang(after(ONE, ONE, ONE), STRANGER, 3) == ""


def test_p11_a_strategy_that_hangs_on_one_symbol_after_the_other_is_asked_on_none() -> None:
    assert find_hang(after(ONE, OTHER, ONE), OTHER, 3) != ""


def test_an_answer_begins_the_row_anew() -> None:
    answered = counts_after_answer(after(ONE, ONE, ONE), ONE)

    assert answered == {}


def test_an_answer_for_one_symbol_does_not_excuse_another() -> None:
    """Its market may be what the strategy cannot bear; the others go on."""
    answered = counts_after_answer(after(ONE, ONE, ONE), OTHER)

    assert find_hang(answered, ONE, 3) != ""
    assert find_hang(answered, OTHER, 3) == ""
