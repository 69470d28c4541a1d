"""Notes lose their markup, whatever a strategy or a language model wrote."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.plain_text import NOTE_LENGTH_MAX, to_plain_text

MARKUP = st.text(alphabet="*_`~#<>![]()-+1. \n\tab/\u202e\ud800", max_size=200)
# fmt: off
HOSTILE_UNITS = (
    "*a ", "_a ", "<a", "![", "[", "**a ", "__a ", "`", "> ", "# ", "- ", "1. ", "~~a ", "\n",
    "- -", "*", "_", "<", "a_b _a", "--- ", "[a](", "<<b>", "_a_b ", "\t\n", "**a*",
)
# fmt: on


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("", ""),
        ("  plain   words ", "plain words"),
        ("before ```py\ncode()\n``` after", "before after"),
        ("call `step()` now", "call step() now"),
        ("see ![a chart](chart.png) here", "see a chart here"),
        ("see [the docs](https://example.org) here", "see the docs here"),
        ("[![badge](b.svg)](https://example.org)", "badge"),
        ("# Title\nText", "Title Text"),
        ("###### Six\nText", "Six Text"),
        ("#hashtag stays", "#hashtag stays"),
        ("**bold** and *slanted* and ***both***", "bold and slanted and both"),
        ("__bold__ and _slanted_", "bold and slanted"),
        ("_a long_term view_", "a long_term view"),
        ("take_profit and 2 * 3 * 4", "take_profit and 2 * 3 * 4"),
        ("~~gone~~ but readable", "gone but readable"),
        ("- one\n* two\n+ three\n4. four", "• one • two • three • four"),
        ("> quoted\n> > twice", "quoted twice"),
        ("above\n---\nbelow\n* * *\nend\n___", "above below end"),
        ("<b>fat</b><br/>text<!-- hidden -->", "fattext"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("one\r\ntwo\n\n\nthree\u2028four\x85five", "one two three four five"),
        ("bell\x07 escape\x1b[31m c1\x9b31m", "bell escape[31m c131m"),
        ("right \u202eto left\u202c \u200fmark", "right to left mark"),
        ("half \ud83d pair", "half \ufffd pair"),
        ("<<b>i>nested", "nested"),
        ("ставка 📈 ölçü", "ставка 📈 ölçü"),
    ],
)
def test_markup_is_stripped(written: str, plain: str) -> None:
    assert to_plain_text(written) == plain


def test_a_long_note_is_cut_and_says_so() -> None:
    exact = "x" * NOTE_LENGTH_MAX

    assert to_plain_text(exact) == exact
    assert to_plain_text(exact + "x") == "x" * (NOTE_LENGTH_MAX - 1) + "…"
    assert to_plain_text("y" * 5_000_000) == "y" * (NOTE_LENGTH_MAX - 1) + "…"


def test_a_cut_does_not_make_new_markup() -> None:
    note = "x" * (NOTE_LENGTH_MAX - 7) + " _abc_defg"

    plain = to_plain_text(note)

    assert to_plain_text(plain) == plain


@given(MARKUP | st.text())
def test_plain_text_stays_as_it_is(text: str) -> None:
    plain = to_plain_text(text)

    assert to_plain_text(plain) == plain


@given(MARKUP | st.text())
def test_the_result_is_one_bounded_line_that_can_be_stored(text: str) -> None:
    plain = to_plain_text(text)

    assert len(plain) <= NOTE_LENGTH_MAX
    assert len(plain.splitlines()) <= 1
    assert plain == plain.strip()
    assert plain.encode("utf-8").decode("utf-8") == plain


@pytest.mark.parametrize("unit", HOSTILE_UNITS)
def test_a_hostile_note_takes_no_longer_than_a_tick_can_spare(unit: str) -> None:
    note = unit * 100_000

    start_s = time.thread_time()
    to_plain_text(note)

    assert time.thread_time() - start_s < 0.1
