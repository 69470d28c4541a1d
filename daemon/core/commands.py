"""What a person may command of a running daemon, which tasks that is about, and what came of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from daemon.core.errors import UnknownTargetError
from daemon.core.signal import Key, SignalRow

CommandName = Literal["pause", "resume", "stop", "start", "close", "cancel"]
Outcome = Literal["done", "already", "nothing", "refused", "pending"]
"""`already`: it was so before. `nothing`: there was no such signal. `pending`: not on disk yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who commands: by which way, and who that says to be (a user, a chat, an address)."""

    origin: Literal["api", "cli", "telegram", "signal"]
    identity: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Which tasks a command is about: all that fit. An empty part fits every task.

    With `signal_id` it is about that one signal and never touches another.
    """

    symbol: str = ""
    strategy_name: str = ""
    signal_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What a command did to one task; `message` says it to people."""

    symbol: str
    strategy_name: str
    outcome: Outcome
    message: str
    signal_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadResult:
    """What a reload did. `already`: nothing had changed. `refused`: nothing was touched.

    `needs_restart` names the settings that differ from the file until a restart.
    """

    outcome: Outcome
    message: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    needs_restart: tuple[str, ...] = ()


SHOWN_MAX = 5


def keys_of(target: Target, rows: Mapping[Key, SignalRow | None]) -> tuple[Key, ...]:
    """Return the tasks that `target` is about, of all tasks with their signals.

    Raises UnknownTargetError, naming what is near, where there is none.
    """
    fitting = {
        key: row
        for key, row in rows.items()
        if target.symbol in ("", key.symbol) and target.strategy_name in ("", key.strategy_name)
    }
    if not fitting:
        raise UnknownTargetError(_unknown(target, rows))
    if not target.signal_id:
        return tuple(fitting)
    named = [key for key, row in fitting.items() if row and row.id == target.signal_id]
    if not named:
        ids = [row.id for row in fitting.values() if row is not None]
        raise UnknownTargetError(_unknown_signal(target.signal_id, ids))
    return tuple(named)


def words_of(target: Target) -> str:
    """Return whom a command is about, for people."""
    parts = (target.symbol, target.strategy_name, target.signal_id)
    return printable(" ".join(part for part in parts if part)) or "all tasks"


def printable(text: str) -> str:
    """Return `text` without anything that could draw on a screen or begin a line."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _unknown(target: Target, keys: Iterable[Key]) -> str:
    symbols = sorted({key.symbol for key in keys})
    names = sorted({key.strategy_name for key in keys})
    for wanted, known, what in (
        (target.symbol, symbols, "symbol"),
        (target.strategy_name, names, "strategy"),
    ):
        if wanted and wanted not in known:
            near = _near(wanted, known) or _near(wanted, [*symbols, *names])
            return f"there is no {what} {wanted!r} here{near or _list(known)}"
    return f"no task runs {target.strategy_name} on {target.symbol}"


def _unknown_signal(signal_id: str, known: Sequence[str]) -> str:
    told = _list(known) if known else "; no signal waits or is open"
    return f"there is no signal {signal_id!r} any more{_near(signal_id, known) or told}"


def _near(wanted: str, known: Sequence[str]) -> str:
    folded = {name.casefold(): name for name in known}
    near = get_close_matches(wanted.casefold(), folded, n=1, cutoff=0.5)
    if near:
        return f". Did you mean {folded[near[0]]}?"
    return ""


def _list(known: Sequence[str]) -> str:
    return f": there is {', '.join(known[:SHOWN_MAX])}"
