"""What a supervisor is made of: its plans, its patience, and everything that it drives."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from daemon.core.records import RunEntry
from daemon.core.rules import Rules
from daemon.core.signal import Key
from daemon.core.strategy import Strategy
from daemon.core.trader import Desk
from daemon.live.alerts import AlertPump
from daemon.live.crew import Crew
from daemon.live.feed import MarketFeed
from daemon.live.followers import Followers
from daemon.live.loop_monitor import LoopMonitor
from daemon.live.minutes import MinuteLog
from daemon.live.recovery import Recovery
from daemon.ports import Journal, StateStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One task that is to run: its key, how to make its strategy, its risk profiles."""

    key: Key
    make: Callable[[], Strategy]
    risk_names: tuple[str, ...] = ()
    fault: str = ""
    """Why there is no strategy to ask. A caretaker watches what is open, and opens nothing."""
    is_leaving: bool = False
    """It is not configured any more: its task ends with its last signal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endurance:
    """How the supervisor treats a task that fails, and how long a stop may take (seconds)."""

    restarts_in_row_max: int = 5
    pause_s_max: float = 60.0
    steady_s: float = 300.0
    stop_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Everything that the supervisor drives; wired in `app`."""

    crew: Crew
    make_feed: Callable[[Sequence[str]], MarketFeed]
    connect: Callable[[], Awaitable[None]]
    recovery: Recovery
    rules: Rules
    desk_of: Callable[[Key, tuple[str, ...]], Desk]
    store: StateStore
    journal: Journal
    followers: Followers
    minutes: MinuteLog
    monitor: LoopMonitor
    run_entry: RunEntry
    alerts: tuple[AlertPump, ...] = ()
    endurance: Endurance = Endurance()
