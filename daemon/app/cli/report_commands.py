"""`tickd report`: options and help; the work is in the module that it imports."""

# ruff: noqa: PLC0415 - late imports, so that `tickd --help` starts in a moment

from pathlib import Path
from typing import Annotated

import typer

from daemon.app.cli.data_options import moments_of
from daemon.app.cli.options import ConfigOption, JsonOption, SetOption, open_config
from daemon.app.cli.state_commands import FolderOption
from daemon.app.cli.terminal import found, terminal_of


def report(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    strategies: Annotated[
        list[str] | None,
        typer.Argument(metavar="STRATEGY", help="Only these strategies. \\[default: all]"),
    ] = None,
    *,
    symbols: Annotated[
        list[str] | None,
        typer.Option("--symbol", metavar="A/B", help="Only this market; several times for more."),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="2026-01-01 or 2026-01-01T12:30.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="The end, by the same clock: UTC.")
    ] = None,
    report_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write the Markdown reports below it. \\[default: none; dump with --html]",
        ),
    ] = None,
    with_html: Annotated[
        bool, typer.Option("--html", help="Write a page with charts, too.")
    ] = False,
    with_notes: Annotated[
        bool, typer.Option("--notes", help="Show the notes of signals in the Markdown reports.")
    ] = False,
    config: ConfigOption = None,
    settings: SetOption = None,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what live strategies came to, from the journal, also while the daemon runs.

    Live, schedule, partial, risk and heatmap statistics; exit code 1 if there is nothing to tell.
    """
    from daemon.app.cli.report import Output, show_report
    from daemon.app.cli.state import Place, place_of_config
    from daemon.app.journal_report import Scope

    terminal = terminal_of(context)
    loaded = open_config(terminal, config, settings)
    place = Place(path=folder) if folder is not None else place_of_config(loaded.config)
    start_ms, end_ms = moments_of(start, end)
    scope = Scope(
        strategies=strategies or (), symbols=symbols or (), start_ms=start_ms, end_ms=end_ms
    )
    output = Output(
        as_json=as_json,
        with_html=with_html,
        with_notes=with_notes,
        report_dir=report_dir or (Path("dump") if with_html else None),
    )
    is_told = show_report(terminal, place.found().path, scope, output, loaded.config.rules)
    raise found(is_good=is_told)
