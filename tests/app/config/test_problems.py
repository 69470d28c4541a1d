"""Every problem is one printable line without a secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.app.config.problems import (
    Problem,
    did_you_mean,
    is_secret_name,
    key_text,
    value_text,
)
from tests.app.samples import CANARY


def test_a_path_is_written_as_people_do() -> None:
    assert key_text(("strategies", 0, "symbols", 1)) == "strategies[0].symbols[1]"
    assert key_text(("rules", "align")) == "rules.align"


def test_the_likeliest_name_is_offered_whatever_its_case() -> None:
    assert did_you_mean("PERCENT_FE", ["percent_fee", "align"]) == "Did you mean percent_fee?"
    assert did_you_mean("xyz", ["percent_fee"]) == ""


@pytest.mark.parametrize(
    "name", ["api_key", "apiKey", "secret", "bot_token", "password", "passphrase"]
)
def test_names_of_secrets_are_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["token", "key", "keys_max", "lookback", "secretary"])
def test_innocent_names_are_left_alone(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize("text", [CANARY, f"x {CANARY}", CANARY * 3, f"a/{CANARY}{CANARY}"])
def test_q3_what_looks_like_a_key_is_never_shown(text: str) -> None:
    assert value_text(text) == f"(hidden: {len(text)} characters)"


def test_an_ordinary_value_is_shown() -> None:
    assert value_text("daemon.strategies.breakout") == '"daemon.strategies.breakout"'
    assert value_text(True) == "true"
    assert value_text({"a": 1}) == "a table"


@given(st.text(), st.text(), st.text(), st.text())
def test_a_problem_is_one_printable_line(where: str, key: str, message: str, remedy: str) -> None:
    line = str(Problem(where=where, key=key, message=message, remedy=remedy))

    assert line.isprintable()


@given(st.one_of(st.text(), st.integers(), st.floats(), st.binary(), st.none()))
def test_a_shown_value_is_short_and_printable(value: object) -> None:
    assert len(value_text(value)) <= 60
    assert value_text(value).isprintable()
