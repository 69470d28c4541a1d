"""`tickd parity`: its options and its help; the work is in what it imports."""

# ruff: noqa: PLC0415 - late imports, so that `tickd --help` starts in a moment

from typing import Annotated

import typer

from daemon.app.cli.options import ConfigOption, JsonOption, SetOption, open_config
from daemon.app.cli.state_commands import FolderOption
from daemon.app.cli.terminal import terminal_of


def parity(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    *,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Candles before the journal's, and to check them; A/B=FILE for each of several.",
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=0, metavar="N", help="Differences shown; 0 shows all.")
    ] = 40,
    config: ConfigOption = None,
    settings: SetOption = None,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the live journal with a backtest of the same time: every difference, and why."""
    terminal = terminal_of(context)
    loaded = open_config(terminal, config, settings)
    from daemon.app.cli.parity import Shown, compare
    from daemon.app.cli.state import Place, place_of_config
    from daemon.app.loading import load_code

    code = load_code(loaded.config, loaded.sources.origin)
    place = place_of_config(loaded.config) if folder is None else Place(path=folder)
    shown = Shown(data=tuple(data or ()), limit=limit, as_json=as_json)
    compare(terminal, loaded.config, code, place.found().path, shown)
