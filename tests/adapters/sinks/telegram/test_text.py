"""Texts: whatever they hold, Telegram takes them, and nothing of them is lost."""

from hypothesis import example, given
from hypothesis import strategies as st

from daemon.adapters.sinks.telegram.text import CHUNKS_MAX, UNITS_MAX, chunks_of, units_of
from daemon.core.alert_words import Words
from tests.adapters.sinks.telegram.bot_server import fault_of

POISON = st.text(
    st.one_of(
        st.characters(),
        st.characters(categories=["Cs"]),
        st.sampled_from("*_[]()~`>#+-=|{}.!<>&\\\n\r\t\0\x1b\u202e\u200b\ufeff\U0001f4a9"),
    )
)


@given(POISON, st.lists(POISON, max_size=5))
@example("", [])
@example("\ud83d", ["\udca9"])
@example("*bold* <b>&amp;[x](y)", ["{0.__class__}", "%s", "{{7*7}}"])
def test_s3_any_text_is_one_that_telegram_takes(title: str, lines: list[str]) -> None:
    for chunk in chunks_of(Words(title, tuple(lines))):
        params = chunk.params()
        entities = params.get("entities", [])
        assert isinstance(entities, list)
        assert fault_of(params["text"], entities) == ""


@given(st.integers(0, 3 * UNITS_MAX), st.sampled_from("aä\U0001f4a9"), st.integers(1, 500))
def test_s3_a_long_text_is_cut_between_characters(length: int, letter: str, line: int) -> None:
    body = "\n".join([letter * line] * (length // line))
    chunks = chunks_of(Words("title", (body,)))

    assert 1 <= len(chunks) <= CHUNKS_MAX
    assert all(0 < units_of(chunk.text) <= UNITS_MAX for chunk in chunks)
    if len(chunks) < CHUNKS_MAX:
        assert "".join("".join(chunk.text.split()) for chunk in chunks) == "title" + "".join(
            body.split()
        )


def test_a_text_without_end_is_cut() -> None:
    chunks = chunks_of(Words("title", ("x" * 100_000,)))

    assert len(chunks) == CHUNKS_MAX
    assert chunks[-1].text.endswith("(cut)")


def test_the_title_is_bold_and_nothing_else_is() -> None:
    (chunk,) = chunks_of(Words("✅ \U0001f4a9 done", ("body",)))

    assert chunk.text == "✅ \U0001f4a9 done\nbody"
    assert chunk.params()["entities"] == [{"type": "bold", "offset": 0, "length": 9}]


def test_q8_what_looks_like_markup_arrives_as_it_is() -> None:
    (chunk,) = chunks_of(Words("t", ("<b>*_[link](http://x)_*</b> {0.__class__} &lt;",)))

    assert chunk.text == "t\n<b>*_[link](http://x)_*</b> {0.__class__} &lt;"
