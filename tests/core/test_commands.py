"""Which tasks a command is about, and what is said where there is none."""

from dataclasses import replace

import pytest

from daemon.core.commands import Target, keys_of, printable, words_of
from daemon.core.errors import UnknownTargetError
from daemon.core.signal import Key
from tests.core.samples import a_row

BTC = Key(exchange_name="sandbox", symbol="BTC/USDT", strategy_name="a")
ETH = Key(exchange_name="sandbox", symbol="ETH/USDT", strategy_name="a")
OTHER = Key(exchange_name="sandbox", symbol="BTC/USDT", strategy_name="b")
ROW = replace(a_row(), id="x1")
ROWS = {BTC: ROW, ETH: None, OTHER: None}


@pytest.mark.parametrize(
    ("target", "keys"),
    [
        (Target(), (BTC, ETH, OTHER)),
        (Target(symbol="BTC/USDT"), (BTC, OTHER)),
        (Target(strategy_name="a"), (BTC, ETH)),
        (Target(symbol="BTC/USDT", strategy_name="b"), (OTHER,)),
        (Target(signal_id="x1"), (BTC,)),
    ],
)
def test_a_target_is_every_task_that_fits(target: Target, keys: tuple[Key, ...]) -> None:
    assert keys_of(target, ROWS) == keys


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (Target(symbol="ETH/USDT", strategy_name="b"), "no task runs b on ETH/USDT"),
        (Target(strategy_name="BTC/USD"), "Did you mean BTC/USDT?"),
        (Target(signal_id="x2"), "Did you mean x1?"),
        (Target(symbol="ETH/USDT", signal_id="x1"), "no signal waits or is open"),
    ],
)
def test_a_target_that_is_not_there_is_told_with_what_is(target: Target, told: str) -> None:
    with pytest.raises(UnknownTargetError) as raised:
        keys_of(target, ROWS)

    assert told in str(raised.value)


def test_words_cannot_draw_on_a_screen() -> None:
    assert printable("a\x1b[31m\nb\u202e") == "a?[31m?b?"
    assert words_of(Target()) == "all tasks"
    assert words_of(Target(symbol="A/B", signal_id="x")) == "A/B x"
