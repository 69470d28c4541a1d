"""The world that a daemon works in, by its ports: real, or in memory and in virtual time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from daemon.ports import Clock, CursorStore, Journal, MarketData, StateStore


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """State folder, journal, market time and market data, by their ports.

    `connect` reaches the exchange for the first time; `where` names it for people, `notes` what
    had to be mended in the folder.
    """

    state: StateStore
    journal: Journal
    cursors: CursorStore
    clock: Clock
    data: MarketData
    connect: Callable[[], Awaitable[None]]
    where: str = ""
    notes: tuple[str, ...] = ()
    keep: Callable[[], Awaitable[None]] | None = None
