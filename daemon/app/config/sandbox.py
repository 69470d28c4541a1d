"""The table of the sandbox exchange: its market, its clock and its faults."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field

from daemon.app.config.sections import FilePath, Moment, Section, Symbol


class PairSection(Section):
    """One pair of the generated market."""

    symbol: Symbol = Field(description='The market, as in `"BTC/USDT"`.')
    price_start: float = Field(gt=0, le=1e9, description="The first price, in quote units.")
    price_tick: float = Field(default=0.01, gt=0, le=1e6, description="The least step of a price.")
    quantity_step: float = Field(
        default=0.001, gt=0, le=1e6, description="The least step of a quantity."
    )
    notional_min: float = Field(
        default=5.0, gt=0, le=1e9, description="The least order, in quote units."
    )
    volatility_percent: float = Field(
        default=0.2,
        ge=0,
        le=2,
        description="The standard deviation of a one-minute return, in percent.",
    )


class FaultsSection(Section):
    """What goes wrong at the sandbox, to see what the daemon makes of it."""

    seed: int = Field(default=0, description="The dice of faults that happen by chance.")
    plan: Annotated[tuple[dict[str, Any], ...], Field(strict=False)] = Field(
        default=(),
        examples=[[{"kind": "status", "status": 429, "start_s": 30, "stop_s": 40}]],
        description="The faults, each with its kind, its window and what it hits.",
    )


DEFAULT_PAIRS = (
    PairSection(
        symbol="BTC/USDT", price_start=60_000.0, quantity_step=0.00001, volatility_percent=0.18
    ),
    PairSection(
        symbol="ETH/USDT", price_start=3_000.0, quantity_step=0.0001, volatility_percent=0.21
    ),
    PairSection(symbol="SOL/USDT", price_start=150.0, volatility_percent=0.25),
)


class SandboxSection(Section):
    """The embedded exchange. Read only where exchange.id is "sandbox"."""

    url: str | None = Field(
        default=None,
        pattern=r"^http://(\[[0-9a-fA-F:]+\]|[^/\s:\[\]]+):[0-9]{1,5}/?$",
        examples=["http://127.0.0.1:8090"],
        description="Trade on the sandbox of another process (`tickd sandbox`) at this address,"
        " by its time; the other settings of this table are its own business then.",
    )
    seed: int = Field(
        default=7, ge=0, le=2_147_483_647, description="The same seed makes the same market."
    )
    speed: float = Field(
        default=60.0,
        ge=0.1,
        le=100_000,
        description="Market seconds per second of yours: 60 lets an hour pass in a minute.",
    )
    start: Moment = Field(
        default=datetime(2026, 1, 1, tzinfo=UTC),
        description="The market time (UTC) of the very first start. Later starts go on where"
        " the last one ended.",
    )
    push_interval_ms: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="Least milliseconds between two messages on a stream.",
    )
    port: int = Field(
        default=0,
        ge=0,
        le=65_535,
        description="The loopback port it listens on; 0 takes any that is free.",
    )
    replay: FilePath | None = Field(
        default=None,
        examples=["data/btc-usdt-1m.csv"],
        description="Replay these one-minute candles in place of the generated pairs: a CSV file"
        " (timestamp,open,high,low,close,volume), Parquet, Feather, or a market's folder of the"
        " store, as in data/binance/BTC_USDT (the last three need `make research`).",
    )
    replay_symbol: Symbol = Field(
        default="BTC/USDT", description="The market that the replayed file is told as."
    )
    faults: FaultsSection = Field(default=FaultsSection(), description="Faults on request.")
    pairs: Annotated[tuple[PairSection, ...], Field(strict=False)] = Field(
        default=DEFAULT_PAIRS, min_length=1, description="The pairs of the generated market."
    )
