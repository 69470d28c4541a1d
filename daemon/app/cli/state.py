"""Printing what the state folder holds, and whether it can be trusted."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from daemon.adapters.clock import wall_ms
from daemon.adapters.storage import tools
from daemon.adapters.storage.folder import open_folder
from daemon.adapters.storage.journal_tools import read_events
from daemon.adapters.storage.opening import JOURNAL_FOLDER
from daemon.adapters.storage.repair import RepairAction, RepairOrder, repair
from daemon.adapters.storage.schema import Identity
from daemon.app.cli.journal import time_of
from daemon.app.cli.terminal import Terminal
from daemon.app.config.problems import one_line
from daemon.app.config.settings import SANDBOX_ID, Config
from daemon.app.state_folder import identity_of, state_folder
from daemon.core.errors import FatalError
from daemon.core.signal import Key

STYLES = {"active": "green", "scheduled": "yellow", "blocked": "bold red", "idle": "dim"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A state folder, and whose it should be; None takes the folder's own word for it."""

    path: Path
    identity: Identity | None = None

    def found(self) -> "Place":
        """Return the place itself. Raises FatalError if there is no such folder."""
        if not self.path.exists():
            raise FatalError(
                f"{self.path} is not there: no daemon has kept state in it yet"
                " (another one: --config FILE, --set daemon.state_dir=..., or --folder)"
            )
        return self


def place_of_config(config: Config) -> Place:
    """Return the state folder that a configuration uses."""
    return Place(path=state_folder(config), identity=identity_of(config))


def show_state(terminal: Terminal, place: Place, *, as_json: bool) -> None:
    """Print how every key stands. Raises FatalError if the folder cannot be read."""
    states = tools.show(place.path, place.identity)
    others = tools.other_folders(place.path)
    if as_json:
        told = {"keys": [asdict(state) for state in states], "others": [asdict(o) for o in others]}
        terminal.say(json.dumps(told, indent=2, default=str))
        return
    if states:
        terminal.console().print(_states(states))
    else:
        terminal.say(f"{place.path} holds no state")
    for other in others:
        what = other.problem or f"{len(other.keys)} open signals"
        terminal.note(f"{other.path} beside it: {what}")


def verify_state(terminal: Terminal, place: Place, *, as_json: bool) -> bool:
    """Print what every state file came to; return whether all can be trusted.

    Raises FatalError if the folder cannot be read.
    """
    checks = tools.verify(place.path, place.identity)
    aside = tools.kept_aside(place.path)
    is_good = all(check.is_sound for check in checks)
    if as_json:
        told = {"files": [asdict(check) for check in checks], "kept_aside": aside}
        terminal.say(json.dumps(told, indent=2, default=str))
        return is_good
    for check in checks:
        if not check.is_sound:
            word = "fail" if check.is_blocking else "warn"
            terminal.say(f"{word}  {check.file}  {one_line(check.message)}")
    sound = sum(check.is_sound for check in checks)
    terminal.say(f"{sound} of {len(checks)} files in {place.path} can be trusted")
    if aside:
        terminal.say(f"{len(aside)} files were moved aside earlier: {', '.join(aside[:5])}")
    if any(check.is_blocking for check in checks):
        terminal.note("tickd state repair decides about what blocks")
    return is_good


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decided about one symbol and strategy."""

    symbol: str
    strategy_name: str
    action: RepairAction


def list_blocked(terminal: Terminal, place: Place) -> bool:
    """Print what waits for a decision; return whether nothing does. Raises FatalError."""
    blocked = [
        state for state in tools.show(place.path, place.identity) if state.condition == "blocked"
    ]
    for state in blocked:
        terminal.say(f"{state.key.symbol} {state.key.strategy_name}  {one_line(state.problem)}")
    if blocked:
        terminal.note("decide by: tickd state repair SYMBOL STRATEGY --use previous (or flat)")
    else:
        terminal.say(f"nothing in {place.path} waits for a decision")
    return not blocked


def repair_state(terminal: Terminal, place: Place, decision: Decision) -> None:
    """Carry out a decision, and tell what stands now.

    Raises StateLockedError while a daemon has the folder, RejectedError if nothing waits for a
    decision, FatalError if the folder cannot be used.
    """
    identity = place.identity or _identity_in(place.path)
    key = Key(
        exchange_name=identity.exchange,
        symbol=decision.symbol,
        strategy_name=decision.strategy_name,
    )
    order = RepairOrder(key=key, action=decision.action, origin="command line")
    at_ms = _moment(place.path, identity)
    for done in repair(place.path, identity, order, lambda: at_ms):
        kept = f" (before: {', '.join(done.kept)})" if done.kept else ""
        terminal.say(f"{done.file} stands at number {done.seq}{kept}")


def _identity_in(path: Path) -> Identity:
    folder = open_folder(path, create=False)
    try:
        found = tools.find_identity(folder)
    finally:
        folder.release()
    if found is None:
        raise FatalError(f"{path} does not say whose it is: leave --folder out, or name the config")
    return found


def _moment(path: Path, identity: Identity) -> int:
    """Return the time of the repair: in the sandbox the market's, which its journal knows."""
    if identity.exchange != SANDBOX_ID:
        return wall_ms()
    entries = read_events(path) if (path / JOURNAL_FOLDER).exists() else ()
    return max((time_of(item.entry) for item in entries), default=wall_ms())


def _states(states: Sequence[tools.KeyState]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("symbol", "strategy", "state", "side"):
        table.add_column(name)
    for name in ("open", "target", "stop", "number"):
        table.add_column(name, justify="right")
    table.add_column("note", overflow="fold")
    for state in states:
        row = state.signal
        prices = () if row is None else (row.price_open, row.price_take_profit, row.price_stop_loss)
        table.add_row(
            Text(one_line(state.key.symbol)),
            Text(one_line(state.key.strategy_name)),
            Text(state.condition, STYLES.get(state.condition, "")),
            "" if row is None else row.position,
            *(f"{price:.8g}" for price in prices or ()),
            *("" for _ in range(3 - len(prices))),
            str(state.seq),
            Text(_note(state), "red" if state.problem else "yellow"),
        )
    return table


def _note(state: tools.KeyState) -> str:
    flags = [
        word for word, on in (("stopped", state.is_stopped), ("paused", state.is_paused)) if on
    ]
    return one_line("; ".join([*flags, *([state.problem] if state.problem else [])]))
