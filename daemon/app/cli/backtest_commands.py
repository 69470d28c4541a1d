"""`tickd backtest` and `tickd report`: options and help; the work is in what they import."""

# ruff: noqa: PLC0415 - late imports, so that `tickd --help` starts in a moment

from pathlib import Path

import typer

from daemon.app.cli.backtest_options import (
    BalanceOption,
    DataOption,
    EndOption,
    ExchangeOption,
    HtmlOption,
    NotesOption,
    ParamOption,
    ReportDirOption,
    SandboxOption,
    SizingOption,
    StartOption,
    StrategiesArgument,
    SymbolsOption,
    with_exchange,
)
from daemon.app.cli.data_options import DirOption, Gaps, GapsOption, moments_of, root_of
from daemon.app.cli.options import ConfigOption, JsonOption, SetOption, open_config
from daemon.app.cli.terminal import finish, terminal_of


def backtest(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    strategies: StrategiesArgument = None,
    *,
    symbols: SymbolsOption = None,
    params: ParamOption = None,
    data: DataOption = None,
    sandbox: SandboxOption = False,
    exchange: ExchangeOption = None,
    start: StartOption = None,
    end: EndOption = None,
    gaps: GapsOption = Gaps.REFUSE,
    store: DirOption = None,
    sizing: SizingOption = None,
    balance: BalanceOption = 10_000.0,
    report_dir: ReportDirOption = None,
    with_html: HtmlOption = False,
    with_notes: NotesOption = False,
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
    loaded = open_config(terminal, config, with_exchange(settings, exchange))
    from daemon.app.extras import research_libraries

    with research_libraries("tickd backtest"):
        from daemon.app.cli.backtest import run_backtest
        from daemon.app.cli.backtest_data import Span
        from daemon.app.cli.backtest_plan import Asked, Output

    asked = Asked(
        strategies=strategies or (),
        symbols=symbols or (),
        data=data or (),
        sandbox=sandbox,
        span=Span(*moments_of(start, end)),
        gaps=gaps.value,
        root=root_of(loaded, store),
        params=params or (),
    )
    output = Output(
        as_json=as_json,
        with_html=with_html,
        with_notes=with_notes,
        report_dir=report_dir or (Path("dump") if with_html else None),
    )
    wanted = None
    if sizing is not None:
        from daemon.app.cli.sizing_text import SizingWanted, parse_sizing

        wanted = SizingWanted(schema=parse_sizing(sizing), balance=balance)
    raise finish(run_backtest(terminal, loaded.config, asked, output, wanted))
