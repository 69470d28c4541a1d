"""What commands share: where text goes, and which secrets it must not hold."""

# ruff: noqa: PLC0415 - late imports, so that `tickd --help` starts in a moment

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer

from daemon.app.exit_codes import ExitCode
from daemon.core.redaction import Redactor

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(slots=True)
class Terminal:
    """The output of one run of the command line."""

    is_debug: bool = False
    redactor: Redactor = field(default_factory=Redactor)

    def hide(self, secrets: Iterable[str]) -> None:
        """Keep these values out of every text from now on."""
        self.redactor = Redactor(secrets)

    def say(self, text: str) -> None:
        """Write a line to the standard output."""
        typer.echo(self.redactor.redact(text))

    def note(self, text: str) -> None:
        """Write a line for people to the standard error output."""
        typer.echo(self.redactor.redact(f"tickd: {text}"), err=True)

    def fail(self, text: str) -> None:
        """Write an error to the standard error output, in red where there is a screen."""
        typer.secho(self.redactor.redact(text), err=True, fg=typer.colors.RED)

    def console(self) -> "Console":
        """Return a console for tables; plain text where nobody watches."""
        from rich.console import Console

        width = None if sys.stdout.isatty() else 160
        # A name is no picture, however much of it stands between two colons.
        return Console(highlight=False, emoji=False, width=width)


def terminal_of(context: typer.Context) -> Terminal:
    """Return the terminal that the top handed to the command."""
    terminal = context.find_root().obj
    assert isinstance(terminal, Terminal)
    return terminal


def finish(code: int) -> typer.Exit:
    """Return what a command raises to end with `code`."""
    return typer.Exit(int(code))


def found(*, is_good: bool) -> typer.Exit:
    """Return the end of a command that answered a question."""
    return finish(ExitCode.OK if is_good else ExitCode.FINDINGS)
