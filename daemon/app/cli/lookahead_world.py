"""One world of the search for look-ahead: a fresh process in which a strategy runs twice.

Twice, because what a strategy remembers of the first run is the future of the second. In a
changed world, the data file too holds the changed candles for whoever opens it by itself; the
file of the user is never written.
"""

import builtins
import datetime as dt
import io
import os
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime as PlainDatetime  # noqa: N812 - as a base class
from functools import partial
from pathlib import Path
from typing import Any, Self

from daemon.app.loading import LoadError, load_strategy, make_strategy
from daemon.app.whole_run import run_whole
from daemon.core.frame import Frame
from daemon.core.params import Params
from daemon.core.rules import Rules
from daemon.core.signal import Key
from daemon.core.strategy import Strategy
from daemon.research.columns import Minutes
from daemon.research.containment import Limits
from daemon.research.lookahead import Decision, decisions_of
from daemon.research.plan import BacktestError, Job, Plan

TOUCHED_MAX = 20
"""How many things outside of its view are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a process is given: a strategy and a market up to the moment `until_ms`.

    `file` is where the candles come from and `other_file` what is found there in this world;
    both are empty where there is none. The clock of the machine is `clock_shift_s` ahead.
    """

    reference: str
    key: Key
    params: Mapping[str, object]
    interval: str | None
    rules: Rules
    minutes: Minutes
    until_ms: int
    file: str = ""
    other_file: str = ""
    clock_shift_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a world: the decisions of both runs, and what the strategy touched.

    `fault` says in one line why there was no run, or is empty.
    """

    first: tuple[Decision, ...] = ()
    second: tuple[Decision, ...] = ()
    touched: tuple[str, ...] = ()
    has_opened_data: bool = False
    fault: str = ""


def live_through(world: World) -> Outcome:
    """Return what the strategy decides in `world`. Changes this process: let it be a new one."""
    watch = Watch(world.file)
    if world.other_file:
        _redirect(world.file, world.other_file)
    if world.clock_shift_s:
        _shift_clock(world.clock_shift_s)
    sys.addaudithook(watch.note)
    try:
        strategy = load_strategy(world.reference)
        plan = _plan(world, strategy)
        first, second = (run_whole(decisions_of(plan)) for _ in range(2))
    except (LoadError, BacktestError) as error:
        return Outcome(fault=str(error))
    finally:
        watch.is_over = True
    return Outcome(
        first=tuple(first),
        second=tuple(second),
        touched=tuple(watch.touched),
        has_opened_data=watch.has_opened_data,
    )


def _plan(world: World, strategy: type[Strategy]) -> Plan:
    frame = Frame(
        frame_name="lookahead",
        interval="1m",
        start_ms=world.minutes.start_ms,
        end_ms=min(world.until_ms, world.minutes.end_ms),
    )
    make = partial(_made, strategy, world)
    return Plan(
        jobs=(Job(key=world.key, make=make, minutes=world.minutes),),
        frame=frame,
        rules=world.rules,
        limits=Limits.of(world.rules),
    )


def _made(strategy: type[Strategy], world: World) -> Strategy:
    made = make_strategy(strategy)
    made.params = Params(strategy.params, world.params)
    if world.interval is not None:
        made.__dict__["interval"] = world.interval
    return made


class Watch:
    """Notes which files, connections and processes the code of this process asks for."""

    def __init__(self, data_file: str) -> None:
        self.touched: dict[str, None] = {}
        self.has_opened_data = False
        self.is_over = False
        self._data_file = data_file
        paths = sysconfig.get_paths()
        places = (paths["stdlib"], paths["purelib"], paths["platlib"], sys.base_prefix)
        self._places = (*places, "/proc/", "/dev/", "/sys/", "/usr/share/zoneinfo")

    def note(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Hear of what the interpreter is about to do."""
        if self.is_over:
            return
        match event:
            case "open":
                self._note_file(arguments[0])
            case "socket.connect" | "socket.getaddrinfo" | "subprocess.Popen" | "os.system":
                self._touch(f"{event} {arguments[1 if event == 'socket.connect' else 0]}")
            case _:
                pass

    def _note_file(self, path: object) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return
        name = os.path.realpath(os.fsdecode(path))
        if self._data_file and name == self._data_file:
            self.has_opened_data = True
        elif not _is_code(name) and not name.startswith(self._places):
            self._touch(f"open {name}")

    def _touch(self, what: str) -> None:
        if len(self.touched) < TOUCHED_MAX:
            self.touched[what] = None


def _is_code(name: str) -> bool:
    """Say whether Python itself opens the file to import it, or to keep what it has compiled."""
    return Path(name).parent.name == "__pycache__" or name.endswith((".py", ".pyc", ".so"))


def _redirect(file: str, other_file: str) -> None:
    """Let whoever opens `file` find what stands in `other_file`."""
    # What other libraries call has to be a real file object: the opener is exchanged, no more.
    plain: Callable[..., Any] = io.open

    def opened(path: Any, *options: Any, **named: Any) -> Any:  # noqa: ANN401 - as the one replaced
        is_path = isinstance(path, str | bytes | os.PathLike)
        if is_path and os.path.realpath(os.fsdecode(path)) == file:
            # Whoever watches hears of the file that was asked for.
            sys.audit("open", file, "r", 0)
            path = other_file
        return plain(path, *options, **named)

    for module in (builtins, io):
        vars(module)["open"] = opened


def _shift_clock(shift_s: float) -> None:
    """Let the machine's wall clock be ahead, for code that is imported from now on."""
    now, shift_ns = time.time_ns, int(shift_s * 1e9)  # noqa: TID251 - the clock to be shifted
    shift = dt.timedelta(seconds=shift_s)

    class AnyDatetime(type):
        """A moment made anywhere else is one of ours too."""

        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, PlainDatetime)

    class Shifted(PlainDatetime, metaclass=AnyDatetime):
        """A datetime by the clock that is ahead."""

        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Self:
            return super().now(tz) + shift

        @classmethod
        def utcnow(cls) -> Self:
            return cls.now(dt.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> Self:
            return cls.now()

    vars(time)["time_ns"] = lambda: now() + shift_ns
    vars(time)["time"] = lambda: (now() + shift_ns) / 1e9
    vars(dt)["datetime"] = Shifted


def data_path(path: Path) -> str:
    """Return how a file is named where it is looked for: links followed."""
    return os.path.realpath(path)
