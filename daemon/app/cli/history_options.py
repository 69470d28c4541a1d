"""Which part of the journal `tickd trades` and `tickd events` are asked for, and how it is said."""

from collections.abc import Iterable
from typing import Annotated

import typer

from daemon.app.cli.data_options import moment_ms
from daemon.app.cli.options import parse_duration

StrategiesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="STRATEGY", help="Only these strategies. \\[default: all]"),
]
SymbolsOption = Annotated[
    list[str] | None,
    typer.Option("--symbol", metavar="A/B", help="Only this market; several times for more."),
]
SinceOption = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="From here on: 2026-01-31, 2026-01-31T12:30 (UTC), or 90m, 24h, 7d before the"
        " journal's newest entry.",
    ),
]
UntilOption = Annotated[
    str | None, typer.Option(metavar="TIME", help="Up to here, written as --since is.")
]


def since_ms(text: str | None, option: str, newest_ms: int) -> int | None:
    """Return a moment (UTC epoch ms), told as a time or as a span before `newest_ms`."""
    if text is None:
        return None
    if text.strip()[:4].isdigit() and "-" in text:
        return moment_ms(text, option)
    try:
        return newest_ms - int(parse_duration(text) * 1000)
    except typer.BadParameter:
        told = f"{text!r} is neither a time (2026-01-31T12:30) nor a span (90m, 24h, 7d)"
        raise typer.BadParameter(told, param_hint=option) from None


def known_among(wanted: Iterable[str], known: Iterable[str], option: str) -> frozenset[str]:
    """Return `wanted` as a set. Raises BadParameter for one that does not exist."""
    names = tuple(known)
    for name in wanted:
        if name not in names:
            told = f"{name!r} is none of {', '.join(names)}"
            raise typer.BadParameter(told, param_hint=option)
    return frozenset(wanted)
