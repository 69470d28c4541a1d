"""`tickd data fetch`: from an exchange into the store, with a bar on the way and the gaps after."""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from daemon.adapters.candles.names import Series
from daemon.adapters.candles.spans import runs_of, without
from daemon.adapters.candles.store import CandleStore
from daemon.adapters.clock import wall_ms
from daemon.app.candle_fetch import CandleFetcher, Fetched, Wanted
from daemon.app.candle_venue import open_candle_venue
from daemon.app.cli.data_report import gaps_as_json, minutes_of, say_gaps, say_use
from daemon.app.cli.terminal import Terminal
from daemon.app.config.settings import Config
from daemon.core.candles import MINUTE_MS
from daemon.core.columns import GapPolicy, Span, moment_text
from daemon.core.wording import count_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to fetch: from `start_ms` to before `stop_ms` (UTC epoch ms), None for now."""

    config: Config
    root: Path
    symbol: str
    start_ms: int
    stop_ms: int | None
    is_again: bool
    gaps: GapPolicy

    @property
    def series(self) -> Series:
        return Series(self.config.exchange.id, self.symbol)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a fetch has come to: counts of minutes, and what is missing still."""

    span: Span
    fetched: Fetched
    filled: int
    gaps: list[Span]


class Bar:
    """A progress bar on the screen; nothing where nobody watches."""

    def __init__(self, progress: Progress, terminal: Terminal, name: str, minutes: int) -> None:
        self._progress = progress
        self._terminal = terminal
        self._task = progress.add_task(name, total=minutes)

    def advance(self, minutes: int) -> None:
        self._progress.advance(self._task, minutes)

    def wait(self, seconds: float) -> None:
        self._terminal.note(f"the exchange asks to wait for {seconds:.0f} s")


def fetch_candles(terminal: Terminal, request: Request, *, as_json: bool) -> bool:
    """Fetch what is missing, tell what there is then, and say whether it is all of it.

    Raises TransientError, RejectedError, FatalError, StateLockedError; what was fetched is kept.
    """
    span = _span_of(request)
    store = CandleStore(request.root)
    with store.writing(request.series), _bar(terminal, request, span) as bar:
        fetched, now_ms = asyncio.run(_fetch(request, store, span, bar))
        span = Span(span.start_ms, min(span.stop_ms, now_ms // MINUTE_MS * MINUTE_MS))
        filled = store.fill(request.series, span) if request.gaps == "fill" else 0
    held = store.read(request.series, span)
    outcome = Outcome(
        span=span,
        fetched=fetched,
        filled=filled,
        gaps=without(span, runs_of(held.rows.timestamp)),
    )
    if as_json:
        terminal.say(_as_json(request, outcome))
    else:
        _say(terminal, request, outcome)
    return not outcome.gaps


async def _fetch(request: Request, store: CandleStore, span: Span, bar: Bar) -> tuple[Fetched, int]:
    async with open_candle_venue(request.config, request.symbol, span.stop_ms) as venue:
        fetcher = CandleFetcher(venue.data, store, venue.now_ms, bar.advance, bar.wait)
        wanted = Wanted(series=request.series, span=span, again=request.is_again)
        return await fetcher.run(wanted), venue.now_ms


def _span_of(request: Request) -> Span:
    """Return what is wanted. Without an end it is now: an embedded sandbox's is its beginning."""
    stop_ms = request.stop_ms
    if stop_ms is None:
        sandbox = request.config.sandbox
        is_embedded = request.config.is_sandbox and not sandbox.url and not sandbox.replay
        stop_ms = round(sandbox.start.timestamp() * 1000) if is_embedded else wall_ms()
    stop_ms = stop_ms // MINUTE_MS * MINUTE_MS
    if stop_ms <= request.start_ms:
        since, until = moment_text(request.start_ms), moment_text(stop_ms)
        raise typer.BadParameter(f"{since} is not before {until}", param_hint="--from")
    return Span(request.start_ms, stop_ms)


@contextmanager
def _bar(terminal: Terminal, request: Request, span: Span) -> Iterator[Bar]:
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("minutes"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )
    with progress:
        yield Bar(progress, terminal, str(request.series), span.minutes)


def _as_json(request: Request, outcome: Outcome) -> str:
    return json.dumps(
        {
            **request.series._asdict(),
            "from_ms": outcome.span.start_ms,
            "to_ms": outcome.span.stop_ms,
            **asdict(outcome.fetched),
            "filled": outcome.filled,
            "missing": minutes_of(outcome.gaps),
            "gaps": gaps_as_json(outcome.gaps),
        }
    )


def _say(terminal: Terminal, request: Request, outcome: Outcome) -> None:
    span, fetched = outcome.span, outcome.fetched
    terminal.say(
        f"{request.series}: {moment_text(span.start_ms)} to {moment_text(span.stop_ms)}, "
        f"{count_text(span.minutes, 'minute')}"
    )
    there = span.minutes - minutes_of(outcome.gaps) - fetched.new - outcome.filled
    terminal.say(f"fetched    {count_text(fetched.new, 'minute')}; {max(0, there):,} there before")
    if fetched.broken:
        terminal.say(f"left out   {count_text(fetched.broken, 'candle')} that cannot be believed")
    if outcome.filled:
        terminal.say(f"filled     {count_text(outcome.filled, 'minute')}, flat at the close before")
    say_gaps(terminal, outcome.gaps)
    say_use(terminal, request.series)
