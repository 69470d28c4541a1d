"""Nothing from outside steers a terminal or fakes a line."""

from hypothesis import given
from hypothesis import strategies as st

from daemon.adapters.sinks.structured_log.clean import visible, visible_deep, visible_lines

any_text = st.text(st.characters(exclude_categories=()))


@given(any_text)
def test_q9_visible_text_is_one_harmless_line(text: str) -> None:
    shown = visible(text)

    assert len(shown.splitlines()) <= 1
    assert all(
        character.isprintable() or character.isspace() for character in shown if character < "\xa0"
    )
    assert not set(shown) & set("\x1b\x9b\u202e\u2066\u200f")
    shown.encode("utf-8")


def test_what_is_invisible_is_spelled_out() -> None:
    assert (
        visible("a\nb\r\tc\x1b[31m\x9b\u202e\ud800") == "a\\nb\\r\\tc\\x1b[31m\\x9b\\u202e\\ud800"
    )


def test_plain_text_of_any_language_is_left_alone() -> None:
    assert visible("Größe 価格 🚀 +0.45 %") == "Größe 価格 🚀 +0.45 %"


@given(any_text)
def test_q9_the_lines_of_a_traceback_stay_lines(text: str) -> None:
    assert len(visible_lines(text)) == len(text.splitlines())


def test_values_are_made_visible_deeply() -> None:
    value = {"a\x1b": ["b\x1b", 1, None, {"c": "d\x1b"}]}

    assert visible_deep(value) == {"a\\x1b": ["b\\x1b", 1, None, {"c": "d\\x1b"}]}
