"""What is around every page: the head with its style, and the scripts where something is drawn."""

from collections.abc import Sequence

from daemon.reports.html import charts
from daemon.reports.html.markup import Html, element, join, text
from daemon.reports.html.style import SCRIPT, STYLE

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def whole_page(title: str, parts: Sequence[str], *, is_drawn: bool) -> str:
    """Return one HTML page of `parts` that needs neither a network nor another file."""
    body = element("main", *parts)
    scripts = join(charts.plotly_script(), Html(f"<script>{SCRIPT}</script>")) if is_drawn else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{text(title)}</title><style>{STYLE}</style></head>"
        f"<body>{body}{scripts}</body></html>\n"
    )


def heading(title: str, subtitle: str) -> Html:
    """Return the head of a page as its reader sees it."""
    return element("header", element("h1", title), element("p", subtitle, kind="subtitle"))


def remarks(lines: Sequence[str]) -> Html:
    """Return sentences that a reader must know, in a frame; nothing if there are none."""
    if not lines:
        return Html("")
    return element("div", *(element("p", line) for line in lines), kind="remarks")
