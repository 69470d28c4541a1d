"""The world that a daemon works in, by its ports: real, or in memory and in virtual time."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from daemon.live.hang_guard import HangMemory, NoMemory
from daemon.ports import CheckedClock, Clock, CursorStore, Journal, MarketData, StateStore


class Budget(Protocol):
    """How much of what an exchange allows is spent (0 to 1), and how often it refused."""

    used_share: float
    refusals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """State folder, journal, market time and market data, by their ports.

    `connect` reaches the exchange for the first time; `where` names it for people, `notes` what
    had to be mended in the folder. `checked_clock` is the clock once more where it stands on the
    machine's and must be watched, `budget` what the exchange lets us ask, `learn` gets to know more
    of its symbols. `hangs` remembers whose code the process ended in.
    """

    state: StateStore
    journal: Journal
    cursors: CursorStore
    clock: Clock
    data: MarketData
    connect: Callable[[], Awaitable[None]]
    where: str = ""
    notes: tuple[str, ...] = ()
    checked_clock: CheckedClock | None = None
    keep: Callable[[], Awaitable[None]] | None = None
    budget: Budget | None = None
    learn: Callable[[Sequence[str]], Awaitable[None]] | None = None
    writing_s: Callable[[], float] = float
    hangs: HangMemory = field(default_factory=NoMemory)
