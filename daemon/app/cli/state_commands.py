"""`tickd state` and `tickd journal`: reading, checking and repairing what is on disk."""

import typer

state = typer.Typer(help="Look at the state folder, check it, repair it.", no_args_is_help=True)
journal = typer.Typer(help="Read and check the journal.", no_args_is_help=True)


@state.command("show")
def _show() -> None: ...


@journal.command("tail")
def _tail() -> None: ...
