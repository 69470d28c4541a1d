"""Whatever goes into a page as text is read as text."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.reports.html.markup import Html, element, facts, join, section, table, text, tile, tone

EVIL = '<script>alert("1")</script>&amp;\'"'


class Reader(HTMLParser):
    """Gathers the tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.read = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.read += data


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")))
def test_any_text_reads_as_it_is(value: str) -> None:
    found = Reader(element("p", value))

    assert found.tags == ["p"]
    assert found.read == value


@pytest.mark.parametrize(
    "page",
    [
        element("p", EVIL),
        element("p", "x", kind=EVIL),
        section(EVIL, "body", hint=EVIL),
        table([EVIL], [[EVIL]]),
        facts([(EVIL, EVIL)]),
        tile(EVIL, EVIL, below=EVIL),
        join(EVIL, EVIL),
    ],
)
def test_no_piece_lets_markup_through(page: Html) -> None:
    assert "script" not in Reader(page).tags


def test_markup_stays_markup() -> None:
    assert element("p", element("b", "x")) == "<p><b>x</b></p>"
    assert text(Html("<b>")) == "<b>"


def test_half_a_surrogate_pair_stops_no_page() -> None:
    assert text("\ud800").encode()


def test_what_has_nothing_to_show_is_not_shown() -> None:
    assert section("empty", table(["a"], [])) == ""
    assert facts([]) == ""


def test_names_in_a_list_break_between_their_words() -> None:
    listed = facts([("life_minutes", "take_profit=1"), ("PNL", element("b", "a_b"))])

    assert "<dt>life_<wbr>minutes</dt><dd>take_<wbr>profit=1</dd>" in listed
    assert "<dd><b>a_b</b></dd>" in listed


def test_numbers_have_the_tone_of_their_sign() -> None:
    assert [tone(value) for value in (1.0, -1.0, 0.0, None)] == ["good", "bad", "", ""]
