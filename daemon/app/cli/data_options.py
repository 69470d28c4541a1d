"""What the commands of `tickd data` are told, and how it is read."""

# ruff: noqa: PLC0415 - late imports, so that `tickd --help` starts in a moment

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.core.candles import MINUTE_MS

if TYPE_CHECKING:
    from daemon.app.config.load import Loaded
    from daemon.app.config.settings import Config

STORE = "data"


class Gaps(StrEnum):
    """What to do about missing minutes."""

    REFUSE = "refuse"
    FILL = "fill"


SymbolArgument = Annotated[str, typer.Argument(help='The market, as in "BTC/USDT".')]
ExchangeOption = Annotated[
    str | None,
    typer.Option("--exchange", metavar="ID", help="The exchange, if not the configured one."),
]
DirOption = Annotated[
    Path | None,
    typer.Option("--dir", metavar="DIR", help="The store. Usual: data, beside the configuration."),
]
GapsOption = Annotated[
    Gaps,
    typer.Option(help="refuse: missing minutes are a fault. fill: flat candles stand for them."),
]


def moment_ms(text: str, option: str) -> int:
    """Return "2025-01-31", "2025-01-31T12:30" or one with a zone as UTC epoch ms.

    Without a zone it is UTC.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        told = f"{text!r} is no time: write 2025-01-31 or 2025-01-31T12:30"
        raise typer.BadParameter(told, param_hint=option) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    at_ms = round(moment.timestamp() * 1000)
    if at_ms < 0 or at_ms % MINUTE_MS:
        raise typer.BadParameter(f"{text!r} is no whole minute since 1970", param_hint=option)
    return at_ms


def moments_of(start: str | None, end: str | None) -> tuple[int | None, int | None]:
    """Return what --from and --to say as UTC epoch ms, None for what was left out."""
    return (
        None if start is None else moment_ms(start, "--from"),
        None if end is None else moment_ms(end, "--to"),
    )


def known_symbol(text: str) -> str:
    """Return a market as ccxt writes it."""
    from daemon.app.config.values import check_symbol

    try:
        return check_symbol(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def of_exchange(loaded: "Loaded", exchange: str | None) -> "Config":
    """Return the configuration, of another exchange where one is named.

    The addresses of the configured one are not those of another.
    """
    from daemon.app.config.values import check_exchange_id

    section = loaded.config.exchange
    if exchange is None or exchange == section.id:
        return loaded.config
    try:
        changed = {"id": check_exchange_id(exchange), "urls": {}}
    except ValueError as error:
        raise typer.BadParameter(f"{exchange!r} {error}", param_hint="--exchange") from None
    return loaded.config.model_copy(update={"exchange": section.model_copy(update=changed)})


def root_of(loaded: "Loaded", folder: Path | None) -> Path:
    """Return the folder of the store: beside the configuration, unless another is named."""
    if folder is not None:
        return folder
    return Path(STORE) if loaded.is_packaged else Path(loaded.file_name).parent / STORE
