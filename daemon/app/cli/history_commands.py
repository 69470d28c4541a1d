"""`tickd trades`, `events`, `explain`: options and help; the work is in the modules they import."""

# ruff: noqa: PLC0415 - late imports, so that `tickd --help` starts in a moment

from enum import StrEnum
from typing import Annotated

import typer

from daemon.app.cli.history_options import (
    SinceOption,
    StrategiesArgument,
    SymbolsOption,
    UntilOption,
)
from daemon.app.cli.options import ConfigOption, JsonOption, SetOption, open_config
from daemon.app.cli.state_commands import FolderOption, place_in, place_of
from daemon.app.cli.terminal import found, terminal_of


class TradesFormat(StrEnum):
    """How trades are written."""

    TABLE = "table"
    CSV = "csv"


def trades(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    strategies: StrategiesArgument = None,
    *,
    symbols: SymbolsOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    with_all: Annotated[
        bool, typer.Option("--all", help="Signals too that never became a position.")
    ] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=1, max=100_000, help="The newest so many.")
    ] = 50,
    file_format: Annotated[
        TradesFormat, typer.Option("--format", help="csv: every column, for a spreadsheet.")
    ] = TradesFormat.TABLE,
    config: ConfigOption = None,
    settings: SetOption = None,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the trades that the journal tells of, also while the daemon runs.

    Exit code 1 if there are none.
    """
    from daemon.app.cli.trades import TradesWanted, show_trades

    place = place_of(context, config, settings, folder)
    wanted = TradesWanted(
        strategies=strategies or (),
        symbols=symbols or (),
        since=since,
        until=until,
        with_all=with_all,
        lines=lines,
        format="json" if as_json else file_format.value,
    )
    raise found(is_good=show_trades(terminal_of(context), place.path, wanted))


def events(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    strategies: StrategiesArgument = None,
    *,
    symbols: SymbolsOption = None,
    kinds: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="KIND", help="Only these: opened, closed, risk, error ..."),
    ] = None,
    signal: Annotated[
        str, typer.Option(metavar="ID", help="Only of this signal; its first letters do.")
    ] = "",
    since: SinceOption = None,
    until: UntilOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what happened, one line an event, from the journal; exit code 1 if nothing did."""
    from daemon.app.cli.events import EventsWanted, show_events

    place = place_of(context, config, settings, folder)
    wanted = EventsWanted(
        kinds=kinds or (),
        strategies=strategies or (),
        symbols=symbols or (),
        signal=signal,
        since=since,
        until=until,
        as_json=as_json,
    )
    raise found(is_good=show_events(terminal_of(context), place.path, wanted))


def explain(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    signal: Annotated[
        str, typer.Argument(metavar="SIGNAL", help="The signal's id; its first letters do.")
    ],
    *,
    config: ConfigOption = None,
    settings: SetOption = None,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain one signal: why it was opened, every level, why it ended, with the candles."""
    from daemon.app.cli.explain import show_explained

    terminal = terminal_of(context)
    loaded = open_config(terminal, config, settings)
    place = place_in(loaded, folder)
    show_explained(terminal, place.path, signal, loaded.config.rules, as_json=as_json)
