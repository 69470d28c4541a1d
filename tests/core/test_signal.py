"""Rows and ids: whatever is repeated after a crash is recognised, and nothing else is."""

import re
from dataclasses import replace
from itertools import product

from hypothesis import assume, given
from hypothesis import strategies as st

from daemon.core.signal import IdKind, Key, activated, make_id
from tests.core.samples import KEY, T0, a_row, a_scheduled

NAME = st.text(max_size=30)
KEYS = st.builds(Key, exchange_name=NAME, symbol=NAME, strategy_name=NAME)
KINDS: tuple[IdKind, ...] = ("signal", "risk", "error", "exit", "order")
INPUTS = st.tuples(
    st.sampled_from(KINDS), KEYS, st.integers(min_value=0, max_value=2**53), st.text(max_size=30)
)


@given(INPUTS)
def test_the_same_inputs_give_the_same_id(inputs: tuple[IdKind, Key, int, str]) -> None:
    kind, key, at_ms, detail = inputs

    found = make_id(kind, key, at_ms, detail)

    assert found == make_id(kind, replace(key), at_ms, detail)
    assert re.fullmatch(r"[0-9a-f]{20}", found)


@given(INPUTS, INPUTS)
def test_different_inputs_give_different_ids(
    one: tuple[IdKind, Key, int, str], two: tuple[IdKind, Key, int, str]
) -> None:
    assume(one != two)

    assert make_id(*one) != make_id(*two)


def test_names_that_look_the_same_when_joined_stay_apart() -> None:
    parts = ["A", "A_B", "A_B_C", "B", "B_C", "C", "", "_", "A:1", "1:A"]
    keys = [
        Key(exchange_name=exchange, symbol=symbol, strategy_name=strategy)
        for exchange, symbol, strategy in product(parts, parts, parts)
    ]

    assert len({make_id("signal", key, T0) for key in keys}) == len(keys)


def test_an_id_never_changes_between_versions() -> None:
    """State files and journals hold ids: a new recipe would orphan them all."""
    assert make_id("signal", KEY, T0) == "b657e9e0b111d9469e50"
    assert make_id("risk", KEY, T0, "calm") == "6f1c5a076d9bd59e1143"


def test_names_of_any_text_have_an_id() -> None:
    assert make_id("signal", replace(KEY, strategy_name="\ud800"), T0)


def test_an_activated_row_keeps_when_it_was_made() -> None:
    row = a_scheduled().signal

    after = activated(row, T0 + 5)

    assert after == replace(row, pending_at=T0 + 5, is_scheduled=False)
    assert after.scheduled_at == T0


def test_a_row_knows_its_task() -> None:
    assert a_row().key == KEY
    assert str(KEY) == "BTC/USDT/breakout"
