"""Which candles a run over history is made on, and from when to when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, assert_never

from daemon.app.candle_files import Stored, read_minutes
from daemon.app.config.sandbox import SandboxSection
from daemon.app.config.settings import SANDBOX_ID, Config
from daemon.core.candles import DAY_MS, MINUTE_MS, interval_ms
from daemon.core.columns import GapPolicy, moment_text
from daemon.core.errors import CandleError, RejectedError
from daemon.core.frame import Frame
from daemon.core.strategy import Strategy
from daemon.research.columns import Minutes, minutes_of

SANDBOX_DAYS = 14
"""How much of the generated market a run takes unless told otherwise."""

SANDBOX_DAYS_MAX = 1_100
"""Three years: each minute of the generated market is an object while it is made."""

Place = Literal["files", "sandbox", "store"]


class DataError(RejectedError, ValueError):
    """A run over history was asked for in a way that makes no sense; one line says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where candles come from: `files` by symbol, the sandbox's market, or the store at `root`."""

    place: Place
    files: Mapping[str, Path]
    root: Path
    gaps: GapPolicy


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when, in UTC epoch ms; None takes what there is."""

    start_ms: int | None
    end_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The candles of a run by symbol, its frame, and where they came from, in words."""

    minutes: Mapping[str, Minutes]
    frame: Frame
    told: Mapping[str, str]


def warm_up_ms(strategies: Sequence[type[Strategy]]) -> int:
    """Return how long before a frame candles are wanted, so that its first moments count."""
    longest = max(
        (
            interval_ms(interval) * (limit + 1)
            for strategy in strategies
            for interval, limit in strategy.history.items()
        ),
        default=0,
    )
    # An hour on top: the price itself averages some minutes, a thousand at most.
    return -(-longest // DAY_MS) * DAY_MS + DAY_MS


def gather(
    config: Config, source: Source, symbols: Sequence[str], wanted: Span, lead_ms: int
) -> History:
    """Return the candles of `symbols`, and the frame that all of them carry.

    Raises CandleError and DataError, in one line.
    """
    match source.place:
        case "sandbox":
            span = _sandbox_span(config.sandbox, wanted)
            minutes = _of_sandbox(config.sandbox, symbols, span, lead_ms)
            told = dict.fromkeys(symbols, f"the sandbox's market of seed {config.sandbox.seed}")
        case "files":
            span = wanted
            minutes = {s: read_minutes(source.files[s], gaps=source.gaps) for s in symbols}
            told = {symbol: str(source.files[symbol]) for symbol in symbols}
        case "store":
            span = wanted
            minutes = {s: _of_store(config, source, s, wanted, lead_ms) for s in symbols}
            told = dict.fromkeys(symbols, f"the store of {config.exchange.id}")
        case _:
            assert_never(source.place)
    return History(minutes=minutes, frame=_frame(span, list(minutes.values())), told=told)


def _frame(span: Span, minutes: Sequence[Minutes]) -> Frame:
    start_ms = max(each.start_ms for each in minutes) if span.start_ms is None else span.start_ms
    end_ms = min(each.end_ms for each in minutes) if span.end_ms is None else span.end_ms
    if span.start_ms is not None and span.end_ms is not None and span.end_ms <= span.start_ms:
        raise DataError("the run would end before it begins: look at --from and --to")
    if end_ms <= start_ms:
        reach = [f"{moment_text(each.start_ms)} to {moment_text(each.end_ms)}" for each in minutes]
        raise DataError(
            f"there are no candles to run on: they reach from {' and from '.join(set(reach))}; "
            "look at --from and --to"
        )
    return Frame(frame_name="command line", interval="1m", start_ms=start_ms, end_ms=end_ms)


def _of_store(config: Config, source: Source, symbol: str, wanted: Span, lead_ms: int) -> Minutes:
    def read(start_ms: int | None) -> Minutes:
        stored = Stored(config.exchange.id, symbol, start_ms, wanted.end_ms, root=source.root)
        return read_minutes(stored, gaps=source.gaps)

    if wanted.start_ms is None:
        return read(None)
    try:
        return read(wanted.start_ms - lead_ms)
    except CandleError:
        # The store may begin with the frame: then its first moments are passed over, and counted.
        return read(wanted.start_ms)


def _sandbox_span(section: SandboxSection, wanted: Span) -> Span:
    if section.replay is not None:
        return wanted
    start_ms = wanted.start_ms
    if start_ms is None:
        start_ms = _epoch_ms(section)
        if wanted.end_ms is not None:
            start_ms = min(start_ms, wanted.end_ms - SANDBOX_DAYS * DAY_MS)
    end_ms = start_ms + SANDBOX_DAYS * DAY_MS if wanted.end_ms is None else wanted.end_ms
    return Span(start_ms=start_ms, end_ms=end_ms)


def _of_sandbox(
    section: SandboxSection, symbols: Sequence[str], span: Span, lead_ms: int
) -> dict[str, Minutes]:
    if section.replay is not None:
        known = [section.replay_symbol]
    else:
        known = [pair.symbol for pair in section.pairs]
    for symbol in symbols:
        if symbol not in known:
            raise DataError(f"the sandbox has no {symbol}; it has {', '.join(known)}")
    if section.replay is not None:
        return {section.replay_symbol: read_minutes(section.replay, gaps="fill")}
    assert span.start_ms is not None
    assert span.end_ms is not None
    # Only here: it brings the exchange's server, which a run on a file does without.
    from daemon.app.embedded import generated_market  # noqa: PLC0415 - see above

    market = generated_market(section)
    start_ms = max(market.start_ms, span.start_ms - lead_ms)
    if span.end_ms <= span.start_ms:
        raise DataError("the run would end before it begins: look at --from and --to")
    if span.start_ms < market.start_ms:
        begins = datetime.fromtimestamp(market.start_ms / 1000, UTC)
        raise DataError(
            f"the sandbox's market begins on {begins:%Y-%m-%d}: a run needs --from on or after it"
        )
    if span.end_ms - start_ms > SANDBOX_DAYS_MAX * DAY_MS:
        raise DataError(
            f"the sandbox's market is made for {SANDBOX_DAYS_MAX:,} days at most: give --from and"
            " --to nearer to each other"
        )
    return {
        symbol: minutes_of(market.whole_minutes(symbol, start_ms, span.end_ms))
        for symbol in symbols
    }


def _epoch_ms(section: SandboxSection) -> int:
    return int(section.start.timestamp() * 1000) // MINUTE_MS * MINUTE_MS


def exchange_of(config: Config, place: Place) -> str:
    """Return the name of the exchange that a run's signals bear."""
    return SANDBOX_ID if place == "sandbox" else config.exchange.id
