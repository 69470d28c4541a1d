"""`tickd lookahead`: its options and its help; the work is in what it imports."""

# ruff: noqa: PLC0415 - late imports, so that `tickd --help` starts in a moment

from pathlib import Path
from typing import Annotated

import typer

from daemon.app.cli.options import ConfigOption, JsonOption, SetOption, open_config
from daemon.app.cli.terminal import finish, terminal_of
from daemon.app.exit_codes import ExitCode


def lookahead(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    strategy: Annotated[
        str, typer.Argument(help='A configured name, or a class: "./file.py:Class".')
    ],
    *,
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="One-minute candles to run on.")
    ] = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Run on the sandbox's market: the default.")
    ] = False,
    symbol: Annotated[
        str | None, typer.Option(metavar="A/B", help="The market, if not the first one configured.")
    ] = None,
    days: Annotated[float, typer.Option(min=0.1, max=365, help="Days of the sandbox.")] = 3.0,
    cuts: Annotated[
        int, typer.Option(min=1, max=10_000, help="Moments after which the future is changed.")
    ] = 24,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change the future and see whether a strategy decided otherwise before: exit code 3."""
    if data is not None and sandbox:
        raise typer.BadParameter("--data and --sandbox exclude each other")
    terminal = terminal_of(context)
    loaded = open_config(terminal, config, settings)
    from daemon.app.cli.lookahead import search
    from daemon.app.cli.lookahead_data import Wanted, subject_of

    wanted = Wanted(strategy=strategy, symbol=symbol, file=data, days=days)
    subject = subject_of(loaded.config, wanted)
    is_honest = search(terminal, subject, cuts, as_json=as_json)
    raise finish(ExitCode.OK if is_honest else ExitCode.DISHONEST)
