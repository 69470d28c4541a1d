"""`tickd data`: options and help; the work is in the modules that the commands import."""

# ruff: noqa: PLC0415 - late imports, so that `tickd --help` starts in a moment

from pathlib import Path
from typing import Annotated

import typer

from daemon.app.cli.data_options import (
    DirOption,
    ExchangeOption,
    Gaps,
    GapsOption,
    SymbolArgument,
    known_symbol,
    moment_ms,
    of_exchange,
    root_of,
)
from daemon.app.cli.options import ConfigOption, JsonOption, SetOption, open_config
from daemon.app.cli.terminal import found, terminal_of
from daemon.app.extras import research_libraries

data = typer.Typer(
    help="Fetch, import and check candles to run over history on.", no_args_is_help=True
)


@data.command(
    "fetch",
    epilog="Example: [bold]tickd data fetch BTC/USDT --sandbox --from 2025-12-25[/]",
)
def data_fetch(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    symbol: SymbolArgument,
    *,
    exchange: ExchangeOption = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="From the sandbox: no account, no network.")
    ] = False,
    start: Annotated[
        str, typer.Option("--from", metavar="TIME", help="The first minute: 2025-01-01, UTC.")
    ],
    stop: Annotated[
        str | None,
        typer.Option("--to", metavar="TIME", help="The minute to stop before. [default: now]"),
    ] = None,
    gaps: GapsOption = Gaps.REFUSE,
    again: Annotated[
        bool,
        typer.Option("--again", help="Ask again for what the exchange did not have before."),
    ] = False,
    folder: DirOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch one-minute candles into the store, only those that are missing there.

    Each page is on disk before the next: after a stop or a crash, run it again.
    """
    if sandbox and exchange not in {None, "sandbox"}:
        raise typer.BadParameter("--sandbox and --exchange exclude each other")
    start_ms = moment_ms(start, "--from")
    stop_ms = None if stop is None else moment_ms(stop, "--to")
    terminal = terminal_of(context)
    loaded = open_config(terminal, config, settings)
    with research_libraries("tickd data fetch"):
        from daemon.app.cli.data_fetch import Request, fetch_candles
    request = Request(
        config=of_exchange(loaded, "sandbox" if sandbox else exchange),
        root=root_of(loaded, folder),
        symbol=known_symbol(symbol),
        start_ms=start_ms,
        stop_ms=stop_ms,
        is_again=again,
        gaps=gaps.value,
    )
    raise found(is_good=fetch_candles(terminal, request, as_json=as_json))


@data.command("verify", epilog="Example: [bold]tickd data verify BTC/USDT --exchange sandbox[/]")
def data_verify(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    what: Annotated[
        str | None, typer.Argument(help="A market, or a candle file. [default: the whole store]")
    ] = None,
    *,
    exchange: ExchangeOption = None,
    gaps: GapsOption = Gaps.REFUSE,
    folder: DirOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read candles and name every fault: order, doubles, gaps, numbers that cannot be, damage.

    With --gaps fill, gaps are told and are no fault. Changes nothing.
    """
    terminal = terminal_of(context)
    loaded = open_config(terminal, config, settings)
    with research_libraries("tickd data verify"):
        from daemon.app.cli.data_verify import Scope, verify_candles
    scope = Scope(root=root_of(loaded, folder), what=what, exchange=exchange)
    is_good = verify_candles(terminal, scope, gaps=gaps.value, as_json=as_json)
    raise found(is_good=is_good)


@data.command(
    "import",
    epilog="Example: [bold]tickd data import btc.csv --symbol BTC/USDT --exchange binance[/]",
)
def data_import(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV, Parquet, or Feather of freqtrade.")],
    *,
    symbol: Annotated[str, typer.Option(metavar="A/B", help="The market that it holds.")],
    exchange: ExchangeOption = None,
    gaps: GapsOption = Gaps.REFUSE,
    replace: Annotated[
        bool, typer.Option("--replace", help="Let it win over other candles that are there.")
    ] = False,
    folder: DirOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a file of one-minute candles into the store; one with a fault changes nothing there."""
    terminal = terminal_of(context)
    loaded = open_config(terminal, config, settings)
    with research_libraries("tickd data import"):
        from daemon.app.cli.data_import import Import, import_candles
    wanted = Import(
        file=file,
        root=root_of(loaded, folder),
        exchange=of_exchange(loaded, exchange).exchange.id,
        symbol=known_symbol(symbol),
        gaps=gaps.value,
        is_replacing=replace,
    )
    import_candles(terminal, wanted, as_json=as_json)


@data.command("list", epilog="Example: [bold]tickd data list --json[/]")
def data_list(
    context: typer.Context,
    *,
    folder: DirOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which candles are in the store."""
    terminal = terminal_of(context)
    loaded = open_config(terminal, config, settings)
    with research_libraries("tickd data list"):
        from daemon.app.cli.data_list import list_candles
    list_candles(terminal, root_of(loaded, folder), as_json=as_json)
