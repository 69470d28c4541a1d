"""Pieces of HTML. Every text that goes in is escaped here, and nowhere else.

`Html` marks what is markup already: a plain str that meets it is text, whatever it holds.
"""

from collections.abc import Sequence
from html import escape

from daemon.reports.html.sheets import Facts


class Html(str):
    """Markup that may stand in a page as it is."""

    __slots__ = ()


def text(value: str) -> Html:
    """Return `value` so that it is read as it is; markup stays markup."""
    if isinstance(value, Html):
        return value
    # What cannot be written as UTF-8 (half a surrogate pair) must not stop a whole page.
    return Html(escape(value.encode("utf-8", "replace").decode("utf-8"), quote=True))


def join(*parts: str) -> Html:
    """Return the parts after one another."""
    return Html("".join(text(part) for part in parts))


def element(name: str, *children: str, kind: str = "") -> Html:
    """Return `<name class="kind">children</name>`."""
    opened = f'{name} class="{escape(kind, quote=True)}"' if kind else name
    return Html(f"<{opened}>{join(*children)}</{name}>")


def section(title: str, *children: str, hint: str = "") -> Html:
    """Return a card with a heading; nothing if it has nothing to show."""
    body = join(*children)
    if not body:
        return Html("")
    told = element("p", hint, kind="hint") if hint else ""
    return element("section", element("h3", title), told, body, kind="card")


def tone(value: float | None) -> str:
    """Return the class of a number that is good, bad or neither."""
    if value is None or value == 0:
        return ""
    return "good" if value > 0 else "bad"


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], *, words: int = 1) -> Html:
    """Return a table that scrolls sideways on a phone; its first `words` columns are words."""
    if not rows:
        return Html("")
    head = join(*(_cell("th", title, number, words) for number, title in enumerate(titles)))
    body = join(
        *(
            element("tr", *(_cell("td", cell, number, words) for number, cell in enumerate(row)))
            for row in rows
        )
    )
    whole = element("table", element("thead", element("tr", head)), element("tbody", body))
    return element("div", whole, kind="scroll")


def facts(pairs: Facts) -> Html:
    """Return names and values as a list of two columns; nothing if there are none."""
    if not pairs:
        return Html("")
    rows = (
        join(element("dt", _broken(name)), element("dd", _broken(value))) for name, value in pairs
    )
    return element("dl", *rows, kind="facts")


def _broken(value: str) -> Html:
    """Return a text whose names break between their words where a line is short."""
    if isinstance(value, Html):
        return value
    return Html(text(value).replace("_", "_<wbr>"))


def tile(name: str, value: str, *, kind: str = "", below: str = "") -> Html:
    """Return one figure with its name, and what stands below it in small."""
    small = element("span", below, kind="below") if below else ""
    number = element("span", value, kind=f"value {kind}".strip())
    return element("div", element("span", name, kind="name"), number, small, kind="tile")


def toned(value: str, number: float | None) -> Html:
    """Return `value` in the colour of `number`."""
    return element("span", value, kind=tone(number)) if tone(number) else text(value)


def _cell(name: str, value: str, number: int, words: int) -> Html:
    return element(name, value, kind="word" if number < words else "")
