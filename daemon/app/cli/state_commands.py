"""`tickd state` and `tickd journal`: options and help; the work is in the modules they import."""

# ruff: noqa: PLC0415 - late imports, so that `tickd --help` starts in a moment

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.app.cli.options import ConfigOption, JsonOption, SetOption, open_config
from daemon.app.cli.terminal import found, terminal_of

if TYPE_CHECKING:
    from daemon.app.cli.state import Place
    from daemon.app.config.load import Loaded

state = typer.Typer(help="Look at the state folder, check it, repair it.", no_args_is_help=True)
journal = typer.Typer(help="Read and check the journal.", no_args_is_help=True)


class RepairChoice(StrEnum):
    """What to believe of a key that waits for a decision."""

    PREVIOUS = "previous"
    FLAT = "flat"


FolderOption = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="This state folder, whatever the configuration says."),
]


def place_of(
    context: typer.Context,
    config: Path | None,
    settings: list[str] | None,
    folder: Path | None,
) -> "Place":
    """Return the state folder that is meant, and whose it should be.

    Raises ConfigError, and FatalError if it is not there.
    """
    from daemon.app.cli.state import Place

    if folder is not None:
        return Place(path=folder).found()
    return place_in(open_config(terminal_of(context), config, settings), None)


def place_in(loaded: "Loaded", folder: Path | None) -> "Place":
    """Return the state folder that is meant where the configuration is needed anyway.

    Raises FatalError if it is not there.
    """
    from daemon.app.cli.state import Place, place_of_config

    return (Place(path=folder) if folder is not None else place_of_config(loaded.config)).found()


@state.command("show", epilog="Example: [bold]tickd state show --folder dump/sandbox-signal[/]")
def state_show(
    context: typer.Context,
    *,
    config: ConfigOption = None,
    settings: SetOption = None,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how every symbol and strategy stands on disk, also while the daemon runs."""
    from daemon.app.cli.state import show_state

    place = place_of(context, config, settings, folder)
    show_state(terminal_of(context), place, as_json=as_json)


@state.command("verify", epilog="Example: [bold]tickd state verify --json[/]")
def state_verify(
    context: typer.Context,
    *,
    config: ConfigOption = None,
    settings: SetOption = None,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read every state file and say whether it can be trusted. Changes nothing."""
    from daemon.app.cli.state import verify_state

    place = place_of(context, config, settings, folder)
    raise found(is_good=verify_state(terminal_of(context), place, as_json=as_json))


@state.command("repair", epilog="Example: [bold]tickd state repair BTC/USDT breakout --use flat[/]")
def state_repair(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    symbol: Annotated[str | None, typer.Argument(help="The symbol that is blocked.")] = None,
    strategy: Annotated[str | None, typer.Argument(help="The strategy that is blocked.")] = None,
    *,
    use: Annotated[
        RepairChoice | None,
        typer.Option(
            help="previous: believe the newest whole version. flat: there is no signal at all."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask back.")] = False,
    config: ConfigOption = None,
    settings: SetOption = None,
    folder: FolderOption = None,
) -> None:
    """Decide about what blocks a symbol and strategy; without arguments, list what does.

    Stop the daemon first. Nothing is deleted: what was there is kept under other names.
    """
    from daemon.app.cli.state import Decision, list_blocked, repair_state

    terminal = terminal_of(context)
    place = place_of(context, config, settings, folder)
    if symbol is None:
        raise found(is_good=list_blocked(terminal, place))
    if strategy is None or use is None:
        raise typer.BadParameter("write SYMBOL STRATEGY --use previous, or --use flat")
    decision = Decision(symbol=symbol, strategy_name=strategy, action=use.value)
    if not yes:
        typer.confirm(f"{symbol} {strategy}: use {use.value}?", abort=True)
    repair_state(terminal, place, decision)


@journal.command("verify", epilog="Example: [bold]tickd journal verify[/]")
def journal_verify(
    context: typer.Context,
    *,
    config: ConfigOption = None,
    settings: SetOption = None,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read the whole journal and say whether anything is missing or damaged."""
    from daemon.app.cli.journal import check_journal

    place = place_of(context, config, settings, folder)
    raise found(is_good=check_journal(terminal_of(context), place.path, as_json=as_json))


@journal.command("tail", epilog="Example: [bold]tickd journal tail --lines 50 --follow[/]")
def journal_tail(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    *,
    config: ConfigOption = None,
    settings: SetOption = None,
    folder: FolderOption = None,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=1, max=100_000, help="How many entries.")
    ] = 20,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")
    ] = False,
    candles: Annotated[bool, typer.Option("--candles", help="Show minute candles too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the newest entries of the journal: what was decided, and when."""
    from daemon.app.cli.journal import Wanted, tail_journal

    place = place_of(context, config, settings, folder)
    wanted = Wanted(lines=lines, with_candles=candles, as_json=as_json)
    tail_journal(terminal_of(context), place.path, wanted, follow=follow)
