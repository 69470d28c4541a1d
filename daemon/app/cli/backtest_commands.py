"""`tickd backtest` and `tickd report`: options and help; the work is in what they import."""

# ruff: noqa: PLC0415 - late imports, so that `tickd --help` starts in a moment

from pathlib import Path
from typing import Annotated

import typer

from daemon.app.cli.data_options import DirOption, Gaps, GapsOption, moment_ms, root_of
from daemon.app.cli.options import ConfigOption, JsonOption, SetOption, open_config
from daemon.app.cli.terminal import finish, terminal_of


def backtest(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    strategies: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STRATEGY",
            help='Configured names, or a class: "./file.py:Class". \\[default: all configured]',
        ),
    ] = None,
    *,
    symbols: Annotated[
        list[str] | None,
        typer.Option("--symbol", metavar="A/B", help="A market; may be given several times."),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE", help="Candles: CSV, Parquet or Feather; A/B=FILE for each of several."
        ),
    ] = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Run on the market that the sandbox makes.")
    ] = False,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="2026-01-01 or 2026-01-01T12:30.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="The end, by the same clock: UTC.")
    ] = None,
    gaps: GapsOption = Gaps.REFUSE,
    store: DirOption = None,
    sizing: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            help="Size an account: fixed-percentage:risk_percentage=1, kelly-criterion, atr-based.",
        ),
    ] = None,
    balance: Annotated[
        float, typer.Option(min=0.01, help="What that account starts with, in quote units.")
    ] = 10_000.0,
    report_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Write the reports below it. \\[default: none; dump with --html]"
        ),
    ] = None,
    with_html: Annotated[
        bool, typer.Option("--html", help="Write a page with charts, too.")
    ] = False,
    with_notes: Annotated[
        bool, typer.Option("--notes", help="Show the notes of signals in the Markdown report.")
    ] = False,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run strategies over history: figures, worst case, errors; reports as Markdown, JSON, HTML.

    Candles come from files (--data), from the sandbox's generated market (--sandbox, or where the
    configuration trades on it), else from the store that `tickd data fetch` fills. Ctrl-C leaves
    the report of what there was, and exit code 130.
    """
    terminal = terminal_of(context)
    loaded = open_config(terminal, config, settings)
    from daemon.app.extras import research_libraries

    with research_libraries("tickd backtest"):
        from daemon.app.cli.backtest import Output, run_backtest
        from daemon.app.cli.backtest_data import Span
        from daemon.app.cli.backtest_plan import Asked
    from daemon.app.cli.sizing_text import SizingWanted, parse_sizing

    asked = Asked(
        strategies=strategies or (),
        symbols=symbols or (),
        data=data or (),
        sandbox=sandbox,
        span=Span(
            start_ms=None if start is None else moment_ms(start, "--from"),
            end_ms=None if end is None else moment_ms(end, "--to"),
        ),
        gaps=gaps.value,
        root=root_of(loaded, store),
    )
    output = Output(
        as_json=as_json,
        with_html=with_html,
        with_notes=with_notes,
        report_dir=report_dir or (Path("dump") if with_html else None),
    )
    wanted = None if sizing is None else SizingWanted(schema=parse_sizing(sizing), balance=balance)
    raise finish(run_backtest(terminal, loaded.config, asked, output, wanted))
