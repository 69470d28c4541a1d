"""The hands that a walker or a search works with: this process, and one more for each other core.

This process works too, so that one core needs no second process, and two cores only one more.
"""

import os
import pickle
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module

import numpy as np

from daemon.adapters.processes.copies import may_be_copied
from daemon.adapters.processes.shared_bytes import SharedBytes
from daemon.adapters.processes.workers import Task, Workers
from daemon.app.defaults import get_config
from daemon.app.extras import cluster_library
from daemon.app.own_code import own_modules
from daemon.app.registry import REGISTRY, RegistrationError
from daemon.app.whole_run import run_whole
from daemon.core.errors import WorkError
from daemon.core.guard import OverrunError, Raised, call_foreign
from daemon.research.assignment import (
    Assignment,
    Failure,
    Outcome,
    Terms,
    evaluate,
    evaluator,
    prepare,
)
from daemon.research.columns import Minutes
from daemon.research.containment import Containment, Limits, forget_entered
from daemon.research.market import Markets
from daemon.research.pool import Hand

OutcomeHand = Hand[Assignment, Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """What a worker process is given beside the candles.

    Modules that were loaded from `files` have names that no other process knows: they are loaded
    there before anything else is unpacked.
    """

    terms: Terms
    files: tuple[str, ...]
    start_ms: int
    filled_count: int

    def __reduce__(self) -> tuple[Callable[..., "Shipment"], tuple[object, ...]]:
        body = pickle.dumps((self.terms, self.start_ms, self.filled_count))
        return _unpacked, (self.files, body)


HANDS_MAX = 10_000


def hand_limit(cores: int | None, cluster: str) -> int:
    """Return how many hands may work: as many as `cores` says, else all that there are.

    Raises RegistrationError for less than one.
    """
    if cores is not None and cores < 1:
        raise RegistrationError(f"cores must be at least 1, not {cores}")
    if cores is not None:
        return cores
    return HANDS_MAX if cluster else _core_count()


def _core_count() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def terms_of(symbol: str, exchange_name: str, strategy_names: Sequence[str]) -> Terms:
    """Return the terms of registered strategies: the rules in force, the profiles they name.

    Raises UnknownNameError for a strategy that is not registered.
    """
    strategies = {name: REGISTRY.strategy(name) for name in strategy_names}
    wanted = {risk for each in strategies.values() for risk in (each.risk_name, *each.risk_list)}
    return Terms(
        symbol=symbol,
        exchange_name=exchange_name,
        strategies=strategies,
        rules=get_config(),
        limits=Limits.of(get_config()),
        profiles=tuple(each for name, each in REGISTRY.risks.items() if name in wanted),
    )


def open_hands(
    terms: Terms, minutes: Minutes, hand_count: int, cluster: str = ""
) -> AbstractAsyncContextManager[Sequence[OutcomeHand]]:
    """Give up to so many hands, for as long as the block lasts.

    Without the address of a `cluster` the last one is this process, the others are processes of
    their own. They raise WorkerError, in one line, for what cannot be sent there.
    """
    if cluster:
        return _on_cluster(terms, minutes, hand_count, cluster)
    return _on_cores(terms, minutes, hand_count)


@asynccontextmanager
async def _on_cluster(
    terms: Terms, minutes: Minutes, hand_count: int, address: str
) -> AsyncGenerator[Sequence[OutcomeHand], None]:
    # Only here: it takes seconds.
    with cluster_library():
        home = import_module("daemon.adapters.dask_cluster")
    home.send_by_value([module.__name__ for module in own_modules(modules_of(terms))])
    material = (terms, minutes.start_ms, minutes.filled_count)
    async with home.open_cluster(address, _begin, material, _parts(minutes)) as hands:
        yield [Hand(partial(_outcome, hand)) for hand in hands[:hand_count]]


@asynccontextmanager
async def _on_cores(
    terms: Terms, minutes: Minutes, hand_count: int
) -> AsyncGenerator[Sequence[OutcomeHand], None]:
    markets = Markets()
    evaluate_here = evaluator(terms, minutes, markets)
    here = Hand(evaluate_here)
    if hand_count < 2:
        yield [here]
        return
    is_copied = may_be_copied()
    shared = SharedBytes.of(_parts(minutes))
    shipment = Shipment(
        terms=terms,
        files=_files_of(terms),
        start_ms=minutes.start_ms,
        filled_count=minutes.filled_count,
    )
    task: Task[Shipment, Assignment, Outcome] = Task(_start, shipment, shared)
    workers = Workers(task, hand_count - 1)
    try:
        if is_copied:
            prepare(terms, minutes, markets)
            await workers.copy_here(partial(_work_as_copy, evaluate_here))
        # The others are given their items first: here, an item keeps the loop busy.
        yield [*(Hand(partial(_outcome, work), holds=2) for work in workers.hands()), here]
    finally:
        try:
            await workers.close()
        finally:
            shared.close()


async def _outcome(
    hand: Callable[[Assignment], Coroutine[object, object, Outcome]], assignment: Assignment
) -> Outcome:
    try:
        return await hand(assignment)
    except WorkError as error:
        return Failure(error=type(error).__name__, message=str(error))


def _parts(minutes: Minutes) -> list[memoryview]:
    columns = (minutes.open, minutes.high, minutes.low, minutes.close, minutes.volume)
    return [each.data for each in columns]


def _start(shipment: Shipment, views: list[memoryview]) -> Callable[[Assignment], Outcome]:
    """Return what a worker process makes of an assignment."""
    return _begin((shipment.terms, shipment.start_ms, shipment.filled_count), views)


def _begin(
    material: tuple[Terms, int, int], views: list[memoryview]
) -> Callable[[Assignment], Outcome]:
    terms, start_ms, filled_count = material
    columns = [np.frombuffer(view, dtype=np.float64) for view in views]
    opened, high, low, close, volume = columns
    minutes = Minutes(
        start_ms=start_ms,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=volume,
        filled_count=filled_count,
    )

    here = evaluator(terms, minutes, Markets())

    def work(assignment: Assignment) -> Outcome:
        if threading.current_thread() is threading.main_thread():
            return run_whole(here(assignment))
        return work_aside(terms, minutes, assignment)

    return work


def _work_as_copy(
    evaluate_here: Callable[[Assignment], Coroutine[object, object, Outcome]],
    assignment: Assignment,
) -> Outcome:
    forget_entered()
    return run_whole(evaluate_here(assignment))


def work_aside(terms: Terms, minutes: Minutes, assignment: Assignment) -> Outcome:
    """Return the outcome of `assignment`, also where a call never gives its thread back.

    Only the main thread can be interrupted while it waits in C: a sleep, a lock, a socket. On a
    worker of a cluster that costs the assignment, and a thread that is left behind.
    """
    calls = Containment(terms.limits)
    ended: Future[Outcome] = Future()

    def work() -> None:
        made = call_foreign(run_whole, evaluate(terms, minutes, assignment, calls))
        if isinstance(made, Raised):
            ended.set_exception(made.cause)
        else:
            ended.set_result(made.value)

    threading.Thread(target=work, name="aside", daemon=True).start()
    while not calls.is_held:
        with suppress(TimeoutError):
            return ended.result(timeout=terms.limits.stretch_s)
    return Failure(
        error=OverrunError.__name__,
        message=f"a call of {assignment.strategy_name} did not come back, and could not be ended",
    )


def _unpacked(files: tuple[str, ...], body: bytes) -> Shipment:
    if files:
        # Only here: it brings the settings library with it.
        load_module = import_module("daemon.app.loading").load_module
        for file in files:
            load_module(f"{file}:")
    terms, start_ms, filled_count = pickle.loads(body)  # noqa: S301 - from our own first process
    return Shipment(terms=terms, files=files, start_ms=start_ms, filled_count=filled_count)


def _files_of(terms: Terms) -> tuple[str, ...]:
    """Return the files of modules that were loaded by their path."""
    own = (name for name in modules_of(terms) if name.startswith("tickd_file_"))
    files = (sys.modules[name].__file__ for name in own)
    return tuple(dict.fromkeys(file for file in files if file is not None))


def modules_of(terms: Terms) -> list[str]:
    """Return the names of the modules that the strategies and risk rules are from."""
    owners = [strategy.__module__ for strategy in terms.strategies.values()]
    rules = (rule.validate for each in terms.profiles for rule in each.validations)
    return owners + [str(getattr(rule, "__module__", "")) for rule in rules]
