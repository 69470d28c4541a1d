"""The commands to the running daemon: their options and their help."""

# ruff: noqa: PLC0415 - late imports, so that `tickd --help` starts in a moment

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from daemon.app.cli.options import ConfigOption, JsonOption, UrlOption
from daemon.app.cli.terminal import finish, terminal_of

NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SYMBOL] [STRATEGY]", help="Which tasks: all that fit."),
]
AllOption = Annotated[bool, typer.Option("--all", help="Every task.")]
SignalOption = Annotated[
    str,
    typer.Option("--signal", metavar="ID", help="Only this signal, and no other that came since."),
]
TokenFileOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The daemon's token, if not where the configuration says."),
]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", min=0.1, max=600, help="Seconds to wait for an answer.")
]


def _command(name: str, text: str) -> Callable[..., None]:
    def run(  # noqa: PLR0913 - each is an option of the command
        context: typer.Context,
        names: NamesArgument = None,
        *,
        everything: AllOption = False,
        signal_id: SignalOption = "",
        config: ConfigOption = None,
        url: UrlOption = None,
        token_file: TokenFileOption = None,
        as_json: JsonOption = False,
        timeout_s: TimeoutOption = 15.0,
    ) -> None:
        from daemon.app.cli.command import Line, command, target_of

        body = target_of(names or [], signal_id, everything=everything)
        line = Line(config=config, url=url, token_file=token_file, timeout_s=timeout_s)
        raise finish(command(terminal_of(context), line, name, body, as_json=as_json))

    run.__doc__ = text
    return run


pause = _command(
    "pause",
    "Let tasks open nothing new until `tickd resume`; what is open is watched to its end. It"
    " outlives a restart.",
)
resume = _command("resume", "End a pause.")
stop_task = _command(
    "stop",
    "Stop tasks until `tickd start-task`: what waits is cancelled, what is open is watched to its"
    " end. It outlives a restart.",
)
start_task = _command("start", "Start tasks again that were stopped, or in which the daemon hung.")
close = _command("close", "Close open signals now, at the current price.")
cancel = _command("cancel", "Cancel signals that wait for their entry.")


def reload(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    *,
    drain: Annotated[
        bool | None,
        typer.Option(
            "--drain/--refuse",
            help="Removed tasks that hold a signal: watch it to its end, or refuse the reload."
            " [default: as configured]",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
    timeout_s: TimeoutOption = 30.0,
) -> None:
    """Let the daemon read its configuration anew: the whole of it, or nothing if it is wrong."""
    from daemon.app.cli.command import Line, command

    body = {} if drain is None else {"removal": "drain" if drain else "refuse"}
    line = Line(config=config, url=url, token_file=token_file, timeout_s=timeout_s)
    raise finish(command(terminal_of(context), line, "reload", body, as_json=as_json))
