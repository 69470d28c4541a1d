"""`tickd walk` and `tickd optimize`: options and help; the work is in what they import."""

# ruff: noqa: PLC0415 - late imports, so that `tickd --help` starts in a moment

import typer

from daemon.app.cli.backtest_options import (
    DataOption,
    EndOption,
    ExchangeOption,
    HtmlOption,
    ParamOption,
    ReportDirOption,
    SandboxOption,
    StartOption,
    StrategiesArgument,
    with_exchange,
)
from daemon.app.cli.data_options import DirOption, Gaps, GapsOption, moments_of, root_of
from daemon.app.cli.options import ConfigOption, JsonOption, SetOption, open_config
from daemon.app.cli.terminal import finish, terminal_of
from daemon.app.cli.walk_options import (
    AnchoredOption,
    ClusterOption,
    CoresOption,
    MarketOption,
    MetricOption,
    SeedOption,
    StrategyArgument,
    StudyOption,
    TestDaysOption,
    TrainDaysOption,
    TrialsOption,
    VaryOption,
)
from daemon.app.extras import research_libraries


def walk(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    strategies: StrategiesArgument = None,
    *,
    vary: VaryOption = None,
    metric: MetricOption = "sharpe_ratio",
    symbol: MarketOption = None,
    params: ParamOption = None,
    data: DataOption = None,
    sandbox: SandboxOption = False,
    exchange: ExchangeOption = None,
    start: StartOption = None,
    end: EndOption = None,
    gaps: GapsOption = Gaps.REFUSE,
    store: DirOption = None,
    cores: CoresOption = None,
    cluster: ClusterOption = "",
    report_dir: ReportDirOption = None,
    with_html: HtmlOption = False,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare strategies, or variants of one (--vary), on one market by a metric.

    Each is a backtest of its own. The result is the same on any number of cores. Candles come
    from where `tickd backtest` takes them. Ctrl-C leaves the comparison of what was tested, and
    exit code 130.
    """
    terminal = terminal_of(context)
    loaded = open_config(terminal, config, with_exchange(settings, exchange))
    with research_libraries("tickd walk"):
        from daemon.app.cli.backtest_data import Span
        from daemon.app.cli.backtest_plan import Asked
        from daemon.app.cli.walk import Pages, Work, run_walk

    asked = Asked(
        strategies=strategies or (),
        symbols=() if symbol is None else (symbol,),
        data=data or (),
        sandbox=sandbox,
        span=Span(*moments_of(start, end)),
        gaps=gaps.value,
        root=root_of(loaded, store),
        params=params or (),
    )
    pages = Pages(report_dir=report_dir, with_html=with_html)
    work = Work(metric=metric, cores=cores, cluster=cluster, as_json=as_json, pages=pages)
    raise finish(run_walk(terminal, loaded.config, asked, tuple(vary or ()), work))


def optimize(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    strategy: StrategyArgument,
    *,
    trials: TrialsOption = 100,
    metric: MetricOption = "sharpe_ratio",
    train_days: TrainDaysOption = None,
    test_days: TestDaysOption = None,
    anchored: AnchoredOption = False,
    study: StudyOption = None,
    seed: SeedOption = 1,
    symbol: MarketOption = None,
    params: ParamOption = None,
    data: DataOption = None,
    sandbox: SandboxOption = False,
    exchange: ExchangeOption = None,
    start: StartOption = None,
    end: EndOption = None,
    gaps: GapsOption = Gaps.REFUSE,
    store: DirOption = None,
    cores: CoresOption = None,
    cluster: ClusterOption = "",
    report_dir: ReportDirOption = None,
    with_html: HtmlOption = False,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look for good parameters in a strategy's spaces, and say how likely the best are luck.

    The last 30 % of the candles judge, or the windows of --train-days and --test-days. The study
    file keeps every trial: run it again, and it goes on, also after Ctrl-C (code 130) or a kill.
    """
    terminal = terminal_of(context)
    loaded = open_config(terminal, config, with_exchange(settings, exchange))
    with research_libraries("tickd optimize"):
        from daemon.app.cli.backtest_data import Span
        from daemon.app.cli.backtest_plan import Asked
        from daemon.app.cli.optimize import Hunt, run_optimize
        from daemon.app.cli.walk import Pages, Work

    asked = Asked(
        strategies=(strategy,),
        symbols=() if symbol is None else (symbol,),
        data=data or (),
        sandbox=sandbox,
        span=Span(*moments_of(start, end)),
        gaps=gaps.value,
        root=root_of(loaded, store),
        params=params or (),
    )
    hunt = Hunt(
        trials=trials, seed=seed, days=(train_days, test_days), anchored=anchored, study=study
    )
    pages = Pages(report_dir=report_dir, with_html=with_html)
    work = Work(metric=metric, cores=cores, cluster=cluster, as_json=as_json, pages=pages)
    raise finish(run_optimize(terminal, loaded.config, asked, hunt, work))
