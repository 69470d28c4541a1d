"""Reloading: the whole of a new configuration is judged first, then tasks come, go and change.

What cannot be used changes nothing. What no task hears of goes on undisturbed. Settings that a
running daemon cannot change are named: they wait for a restart.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from daemon.app.config.address import choose_file
from daemon.app.config.load import load_config
from daemon.app.config.problems import one_line
from daemon.app.config.settings import Config
from daemon.app.loading import Code, LoadError, load_code, make_strategy, safe_code, stale_files
from daemon.app.wiring import Daemon, plans_of
from daemon.core.commands import ReloadResult
from daemon.core.errors import RejectedError, TickdError, TransientError
from daemon.core.guard import Returned
from daemon.core.signal import Key
from daemon.core.states import Idle
from daemon.live.caretaker import Caretaker
from daemon.live.staff import Plan
from daemon.live.workers import InlineWorkers, LeakedThreadError, Workers

T = TypeVar("T")

LOAD_S_MAX = 60.0
"""So long the code of a new configuration may take to be imported."""

FAULTS_SHOWN_MAX = 5
IMMOVABLE = ("exchange.id", "daemon.mode", "daemon.state_dir", "daemon.safe_mode")
"""Where these differ it is another daemon's file: nothing of it is taken."""

RELOADED = {
    *("strategies", "risk", "daemon.removed_tasks"),
    *("exchange.api_key", "exchange.api_key_file", "exchange.api_secret"),
    *("exchange.api_secret_file", "http.token", "http.token_file"),
    *("alerts.webhook.secret", "alerts.webhook.secret_file", "alerts.telegram.token_file"),
}
"""Everything else needs a restart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """A configuration that can be used, its code, and the files of it that are loaded no more."""

    config: Config
    code: Code
    stale: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What is to be done, task by task."""

    added: tuple[Plan, ...]
    removed: tuple[Key, ...]
    changed: tuple[Plan, ...]


def _nothing_around() -> AbstractContextManager[object]:
    return nullcontext()


async def _nothing(config: Config) -> Callable[[], None]:
    del config
    return lambda: None


@dataclass(slots=True, kw_only=True)
class Reloader:
    """Brings a running daemon to what its configuration says now.

    `load` reads it (blocking; raises ConfigError), `renew` reads the secrets of a new one (raises
    FatalError) and returns what takes them, and `around` tells the service manager. `workers` run
    an author's code, which may never come back.
    """

    daemon: Daemon
    fresh: Fresh
    load: Callable[[], Fresh]
    renew: Callable[[Config], Awaitable[Callable[[], None]]] = _nothing
    around: Callable[[], AbstractContextManager[object]] = _nothing_around
    workers: Workers = field(default_factory=InlineWorkers)
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __call__(self, drains: bool | None) -> ReloadResult:  # noqa: FBT001 - None is a third
        """Reload, or change nothing and say why."""
        async with self._busy:
            with self.around():
                try:
                    return await self._reload(drains=drains)
                except _RefusedError as error:
                    return ReloadResult(outcome="refused", message=str(error))

    async def _reload(self, *, drains: bool | None) -> ReloadResult:
        fresh = await self._judged()
        change = self._change(fresh)
        if drains is None:
            drains = fresh.config.daemon.removed_tasks == "drain"
        held = self._held(change.removed)
        if held and not drains:
            names = ", ".join(map(_name, held))
            raise _RefusedError(
                f"nothing was changed: {names} left the configuration with a signal. Close it,"
                " or let it be watched to its end: tickd reload --drain, or removed_tasks ="
                ' "drain" under [daemon]'
            )
        take_secrets = await self._secrets_of(fresh.config)
        needs_restart = (*_differences(self.fresh.config, fresh.config), *fresh.stale)
        risk_changed = self._change_risk(fresh)
        await self._carry_out(change)
        take_secrets()
        self.fresh = fresh_after(self.fresh, fresh)
        return _told(change, risk_changed, needs_restart, fresh.config.fingerprint)

    async def _judged(self) -> Fresh:
        """Return a configuration that can be used whole. Raises _RefusedError."""
        try:
            fresh = await in_time(self.load, self.workers, LOAD_S_MAX)
        except (TickdError, OSError) as error:
            lines = str(error).splitlines() or [type(error).__name__]
            more = f"; and {len(lines) - FAULTS_SHOWN_MAX} more" if len(lines) > 5 else ""
            faults = "; ".join(map(one_line, lines[:FAULTS_SHOWN_MAX]))
            raise _RefusedError(f"nothing was changed: {faults}{more}") from None
        old, new = _flat(self.fresh.config.plain()), _flat(fresh.config.plain())
        moved = [key for key in IMMOVABLE if old.get(key) != new.get(key)]
        if moved:
            raise _RefusedError(f"nothing was changed: {', '.join(moved)} needs a restart")
        await self._try_out(fresh)
        return fresh

    async def _secrets_of(self, config: Config) -> Callable[[], None]:
        """Return what takes the secrets of a configuration. Raises _RefusedError."""
        try:
            return await self.renew(config)
        except TickdError as error:
            raise _RefusedError(f"nothing was changed: {one_line(str(error))}") from None

    async def _try_out(self, fresh: Fresh) -> None:
        """See that new strategies can be made and that the exchange has their markets."""
        for strategy in {*fresh.code.strategies.values()} - {*self.fresh.code.strategies.values()}:
            limit_s = fresh.config.rules.max_signal_generation_seconds
            try:
                await in_time(partial(make_strategy, strategy), self.workers, limit_s)
            except (LoadError, TransientError) as error:
                raise _RefusedError(f"nothing was changed: {one_line(str(error))}") from None
        symbols = [name for name in fresh.config.symbols if name not in self.fresh.config.symbols]
        learn = self.daemon.world.learn
        if not symbols or learn is None:
            return
        try:
            await learn(symbols)
        except RejectedError as error:
            raise _RefusedError(f"nothing was changed: {error}") from None
        except TransientError as error:
            raise _RefusedError(
                f"nothing was changed: whether the exchange has {', '.join(symbols)} cannot be"
                f" asked now, try again ({error})"
            ) from None

    def _change(self, fresh: Fresh) -> _Change:
        plans = {plan.key: plan for plan in plans_of(fresh.config, fresh.code)}
        old, new = _signatures(self.fresh), _signatures(fresh)
        return _Change(
            added=tuple(plan for key, plan in plans.items() if key not in old),
            removed=tuple(key for key in old if key not in new),
            changed=tuple(
                plan for key, plan in plans.items() if key in old and old[key] != new[key]
            ),
        )

    def _held(self, keys: tuple[Key, ...]) -> list[Key]:
        """Return which of `keys` must be watched on: they hold a signal, or nobody knows."""
        supervisor = self.daemon.supervisor
        return [
            key
            for key in keys
            if not isinstance(supervisor.keepers[key].held.state, Idle)
            or ((runner := supervisor.slots[key].runner) is not None and runner.block)
        ]

    def _change_risk(self, fresh: Fresh) -> tuple[str, ...]:
        old = {section.name: section for section in self.fresh.config.risk}
        new = {section.name: section for section in fresh.config.risk}
        changed = tuple(f"risk {name}" for name in {**old, **new} if old.get(name) != new.get(name))
        if changed:
            self.daemon.risk.replace(fresh.code.profiles)
        return changed

    async def _carry_out(self, change: _Change) -> None:
        supervisor = self.daemon.supervisor
        for key in change.removed:
            await supervisor.end_task(key)
            held = supervisor.keepers[key].held
            # Looked at again: its last step may have opened something.
            if self._held((key,)):
                await supervisor.start_task(
                    Plan(key=key, make=Caretaker, risk_names=held.risk_names, is_leaving=True)
                )
            else:
                supervisor.forget_task(key)
        for plan in (*change.changed, *change.added):
            if plan.key in supervisor.slots:
                await supervisor.end_task(plan.key)
            await supervisor.start_task(plan)


class _RefusedError(Exception):
    """Nothing was changed; the text says why."""


async def in_time(function: Callable[[], T], workers: Workers, limit_s: float) -> T:
    """Return what `function`, which runs an author's code, returns; raise what it raises.

    Raises TransientError where it has not come back in time: its thread is given up.
    """
    outcome = await workers.call(function, timeout_s=limit_s)
    if isinstance(outcome, Returned):
        return cast("T", outcome.value)
    if isinstance(outcome.cause, LeakedThreadError):
        raise TransientError(
            f"code of a strategy or a risk rule has not come back within {limit_s:g} s, where it is"
            " imported or its __init__ runs; it goes on in a thread that nobody waits for"
        ) from None
    raise outcome.cause


def loader_of(
    path: Path | None, environ: Mapping[str, str], settings: Iterable[str]
) -> Callable[[], Fresh]:
    """Return what reads the configuration of this start again: the same file, if there was one.

    The file is settled now: one that is removed later is missed, not replaced by another.
    """
    chosen = choose_file(path, environ)
    file = None if chosen is None else chosen.absolute()
    flags = tuple(settings)

    def load() -> Fresh:
        loaded = load_config(file, environ, flags)
        is_safe = loaded.config.daemon.safe_mode
        code = (
            safe_code(loaded.config) if is_safe else load_code(loaded.config, loaded.sources.origin)
        )
        return Fresh(config=loaded.config, code=code, stale=stale_files())

    return load


def fresh_after(running: Fresh, loaded: Fresh) -> Fresh:
    """Return what runs after a reload: of the settings only those that could change."""
    old, new = running.config, loaded.config
    daemon = old.daemon.model_copy(update={"removed_tasks": new.daemon.removed_tasks})
    config = old.model_copy(
        update={"strategies": new.strategies, "risk": new.risk, "daemon": daemon}
    )
    return Fresh(config=config, code=loaded.code)


def _signatures(fresh: Fresh) -> Mapping[Key, object]:
    """Return what makes each task the one that it is."""
    return {
        Key(exchange_name=fresh.config.exchange.id, symbol=symbol, strategy_name=section.name): (
            section.model_copy(update={"symbols": ()}),
            fresh.code.strategies.get(section.name) or fresh.code.unloaded[section.name],
        )
        for section in fresh.config.strategies
        for symbol in section.symbols
    }


def _differences(old: Config, new: Config) -> tuple[str, ...]:
    """Return the settings that differ and wait for a restart."""
    before, after = _shown(old), _shown(new)
    return tuple(key for key in {**before, **after} if before.get(key) != after.get(key))


def _shown(config: Config) -> dict[str, object]:
    """Return the settings that a running daemon does not take, secrets among them as they are."""
    alerts = config.alerts
    urls = {"alerts.webhook.url": alerts.webhook.url, "alerts.apprise.url": alerts.apprise.url}
    return {**_flat(config.plain()), **urls}


def _flat(table: Mapping[str, Any], above: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in table.items():
        key = f"{above}{name}"
        if key in RELOADED:
            continue
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{key}.")
        else:
            flat[key] = value
    return flat


def _told(
    change: _Change,
    risk_changed: tuple[str, ...],
    needs_restart: tuple[str, ...],
    fingerprint: str,
) -> ReloadResult:
    added = tuple(_name(plan.key) for plan in change.added)
    removed = tuple(map(_name, change.removed))
    changed = (*risk_changed, *(_name(plan.key) for plan in change.changed))
    is_same = not (added or removed or changed)
    counts = f"{len(added)} added, {len(removed)} removed, {len(changed)} changed"
    message = "no task has changed" if is_same else f"reloaded: {counts}"
    waiting = f"; needs a restart: {', '.join(needs_restart)}" if needs_restart else ""
    return ReloadResult(
        outcome="already" if is_same else "done",
        message=f"{message}{waiting} (configuration {fingerprint})",
        added=added,
        removed=removed,
        changed=changed,
        needs_restart=needs_restart,
    )


def _name(key: Key) -> str:
    return f"{key.symbol} {key.strategy_name}"
