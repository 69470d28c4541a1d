"""`tickd new strategy`: its options and its help; the work is in what it imports."""

# ruff: noqa: PLC0415 - late imports, so that `tickd --help` starts in a moment

from pathlib import Path
from typing import Annotated

import typer

from daemon.app.cli.terminal import terminal_of

new = typer.Typer(help="Begin something of your own.", no_args_is_help=True)


@new.callback()
def _options() -> None:
    """Begin something of your own."""


@new.command("strategy", epilog="Example: [bold]tickd new strategy my_breakout[/]")
def new_strategy(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Small letters, digits and _: my_breakout.")],
) -> None:
    """Write a strategy to start from, with tests that pass, and the table to paste."""
    from daemon.app.cli.new import NameFaultError, check_strategy_name, make_new_strategy

    try:
        check_strategy_name(name)
    except NameFaultError as error:
        raise typer.BadParameter(str(error)) from None
    make_new_strategy(terminal_of(context), name, Path())
