"""The embedded sandbox exchange: started with the daemon, and going on where it left off.

Its market is a function of its seed and the time, so that only the time and a few levels must be
kept, in a small file of the state folder. The journal may know of a later time than that file
does; the later one wins, or what happened before a crash would lie in the future.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.adapters.candles.formats import kind_of
from daemon.adapters.storage.files import UnreadableFileError, read_whole, write_atomically
from daemon.adapters.storage.folder import Folder
from daemon.app.config.sandbox import SandboxSection
from daemon.app.extras import research_libraries
from daemon.core.candles import DAY_MS, MINUTE_MS, Candle
from daemon.core.errors import CandleError, RejectedError
from daemon.simulation.clock import SandboxClock
from daemon.simulation.fault_file import parse_fault_plan
from daemon.simulation.generator import GeneratedMarket
from daemon.simulation.market import Market, MarketSpec
from daemon.simulation.replay import (
    CandleFileError,
    ReplayedMarket,
    fill_gaps,
    on_grid,
    parse_candles,
    spec_of_candles,
)
from daemon.simulation.server.app import SandboxServer

HISTORY_MS = 10 * DAY_MS
"""How much history a generated market has before its first moment: strategies read back."""

CHECKPOINT = "sandbox.json"
CHECKPOINT_EVERY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A sandbox that is not listening yet: its market, its clock and its server."""

    market: Market
    clock: SandboxClock
    server: SandboxServer
    folder: Folder

    async def keep_going(self) -> None:
        """Write the market's time down once a second, and serve, until cancelled.

        Raises what broke the server, should it ever break.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self.server.serve_forever())
            while True:
                await asyncio.sleep(CHECKPOINT_EVERY_S)
                await asyncio.to_thread(self.save)

    def save(self) -> None:
        """Write the market's time down. A folder that takes no file costs only the seconds."""
        now_ms = self.clock.now_ms()
        data: dict[str, Any] = {"now_ms": now_ms}
        if isinstance(self.market, GeneratedMarket):
            data = self.market.checkpoint(now_ms)
        try:
            write_atomically(self.folder, CHECKPOINT, json.dumps(data).encode())
        except OSError:
            return


def prepare(
    section: SandboxSection,
    folder: Folder,
    *,
    journal_ms: int,
    history_ms: int,
    machine_s: Callable[[], float],
) -> Embedded:
    """Return the sandbox of `section`, its time not before `journal_ms` (0 for a new journal).

    `history_ms` is how far back strategies read: a replay begins that much into its file.
    Raises RejectedError for a candle file that cannot be used.
    """
    kept = _read_checkpoint(folder)
    if section.replay is not None:
        replayed = _replayed(section.replay, section.replay_symbol)
        market: Market = replayed
        start_ms = replayed.start_ms + history_ms
        # A time kept of another market says nothing about this one.
        if not replayed.start_ms <= kept.get("now_ms", 0) < replayed.stop_ms:
            kept = {}
    else:
        market = _generated(section, kept)
        start_ms = _epoch_ms(section)
        if kept.get("seed") != section.seed:
            kept = {}
    anchor_ms = max(start_ms, int(kept.get("now_ms", 0)), journal_ms)
    clock = SandboxClock(anchor_ms, section.speed, machine_s)
    server = SandboxServer(
        market,
        clock,
        faults=parse_fault_plan(section.faults.model_dump()),
        seed=section.seed,
        push_interval_s=section.push_interval_ms / 1000,
    )
    return Embedded(market=market, clock=clock, server=server, folder=folder)


def generated_market(section: SandboxSection) -> GeneratedMarket:
    """Return the market that the table makes, from its very first moment on."""
    specs = [
        MarketSpec(
            symbol=pair.symbol,
            base=pair.symbol.partition("/")[0],
            quote=pair.symbol.partition("/")[2],
            price_tick=pair.price_tick,
            quantity_step=pair.quantity_step,
            notional_min=pair.notional_min,
            price_start=pair.price_start,
            volatility_percent=pair.volatility_percent,
        )
        for pair in section.pairs
    ]
    return GeneratedMarket(specs, section.seed, _epoch_ms(section) - HISTORY_MS)


def _generated(section: SandboxSection, kept: dict[str, Any]) -> GeneratedMarket:
    fresh = generated_market(section)
    if kept.get("seed") != section.seed or kept.get("start_ms") != fresh.start_ms:
        return fresh
    try:
        restored = GeneratedMarket.restore(kept)
    except ValueError:
        return fresh
    # The pairs were edited since: the levels kept are of other pairs.
    return restored if restored.specs == fresh.specs else fresh


def _replayed(path: Path, symbol: str) -> ReplayedMarket:
    try:
        filled = on_grid(_rows_to_replay(path))
    except CandleError as error:
        raise RejectedError(f"sandbox.replay: {error}") from error
    except OSError as error:
        raise RejectedError(f"sandbox.replay: {path}: {error.strerror or error}") from error
    except (ValueError, CandleFileError) as error:
        raise RejectedError(f"sandbox.replay: {path}: {error}") from error
    return ReplayedMarket(spec_of_candles(symbol, filled), filled)


def _rows_to_replay(path: Path) -> list[Candle]:
    """Return the minutes of a file, those that are missing flat. CSV needs no library."""
    if kind_of(path) == "text":
        return fill_gaps(parse_candles(path.read_text(encoding="utf-8-sig")))
    with research_libraries(f"sandbox.replay of {path}"):
        from daemon.app.candle_files import read_minutes  # noqa: PLC0415 - an extra
    return read_minutes(path, gaps="fill").rows()


def _read_checkpoint(folder: Folder) -> dict[str, Any]:
    try:
        raw = read_whole(folder, CHECKPOINT)
        data = json.loads(raw) if raw else {}
    except (OSError, ValueError, UnreadableFileError):
        # It holds nothing that the journal does not know to a minute.
        return {}
    return data if isinstance(data, dict) and isinstance(data.get("now_ms"), int) else {}


def _epoch_ms(section: SandboxSection) -> int:
    return int(section.start.timestamp() * 1000) // MINUTE_MS * MINUTE_MS
