"""The text of JSON says what the standard library's says of the same record."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.app.json_text import json_text
from daemon.core.live_statistics import live_statistics
from daemon.core.performance_statistics import performance_statistics
from daemon.core.statistics import backtest_statistics
from daemon.reports.as_json import as_json
from tests.core.some_events import every_event


def by_the_library(record: object) -> str:
    return json.dumps(as_json(record), ensure_ascii=False, indent=2)


def assert_says_the_same(record: object) -> None:
    assert json.loads(json_text(record)) == json.loads(by_the_library(record))


@dataclass(frozen=True, slots=True)
class Pair:
    """Any two values."""

    left: object
    right: object


@dataclass(frozen=True, slots=True)
class Bare:
    """None at all."""


class Number(IntEnum):
    """A number by name."""

    ONE = 1


class Price(float):
    """A number of a class of its own, that writes itself in its own way."""

    def __repr__(self) -> str:
        """Not as a number."""
        return "a price"


class Word(str):
    """A text of a class of its own."""

    __slots__ = ()


PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([Number.ONE, Price(0.1), Price(math.nan), Word("w"), "\ud800", '"\\\n\x00é'])
)
RECORDS = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
        | st.builds(Pair, inner, inner)
        | st.just(Bare())
    ),
    max_leaves=20,
)


@given(RECORDS)
def test_any_record_is_written_as_the_library_says_it(record: object) -> None:
    assert_says_the_same(record)


@given(st.lists(st.sampled_from(every_event()), max_size=20))
def test_statistics_are_written_as_the_library_says_them(events: list[object]) -> None:
    known = [event for event in every_event() if event in events]
    for record in (
        known,
        backtest_statistics(known),
        live_statistics(known),
        performance_statistics("s", known),
    ):
        assert_says_the_same(record)


@pytest.mark.parametrize(
    "record",
    [
        MappingProxyType({"a": (1,)}),
        dict(zip("\ud800\udbff", (1, 2), strict=True)),
        {1: "a", "1": "b"},
    ],
)
def test_a_mapping_is_written_as_the_library_says_it(record: Mapping[object, object]) -> None:
    assert_says_the_same(record)


@pytest.mark.parametrize("record", [print, {"callback": print}, [b"bytes", {1}]])
def test_what_has_no_form_is_refused_in_both(record: object) -> None:
    for write in (json_text, by_the_library):
        with pytest.raises(TypeError):
            write(record)
