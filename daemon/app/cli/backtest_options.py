"""The options of `tickd backtest`, each with its help."""

from pathlib import Path
from typing import Annotated

import typer

StrategiesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="STRATEGY",
        help='Configured names, or a class: "./file.py:Class". \\[default: all configured]',
    ),
]
SymbolsOption = Annotated[
    list[str] | None,
    typer.Option("--symbol", metavar="A/B", help="A market; may be given several times."),
]
ExchangeOption = Annotated[
    str | None,
    typer.Option("--exchange", metavar="ID", help="Take its candles from the store: binance."),
]
ParamOption = Annotated[
    list[str] | None,
    typer.Option("--param", metavar="NAME=VALUE", help="Run with this parameter; several times."),
]
DataOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE", help="Candles: CSV, Parquet or Feather; A/B=FILE for each of several."
    ),
]
SandboxOption = Annotated[
    bool, typer.Option("--sandbox", help="Run on the market that the sandbox makes.")
]
StartOption = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="2026-01-01 or 2026-01-01T12:30.")
]
EndOption = Annotated[
    str | None, typer.Option("--to", metavar="TIME", help="The end, by the same clock: UTC.")
]
SizingOption = Annotated[
    str | None,
    typer.Option(
        metavar="RULE",
        help="Size an account: fixed-percentage:risk_percentage=1, kelly-criterion, atr-based.",
    ),
]
BalanceOption = Annotated[
    float, typer.Option(min=0.01, help="What that account starts with, in quote units.")
]
ReportDirOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Write the reports below it. \\[default: none; dump with --html]"
    ),
]
HtmlOption = Annotated[bool, typer.Option("--html", help="Write a page with charts, too.")]
NotesOption = Annotated[
    bool, typer.Option("--notes", help="Show the notes of signals in the Markdown report.")
]


def with_exchange(settings: list[str] | None, exchange: str | None) -> list[str] | None:
    """Return the settings of the command line with that exchange over the configured one."""
    return settings if exchange is None else [*(settings or ()), f"exchange.id={exchange}"]
