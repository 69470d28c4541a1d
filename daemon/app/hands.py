"""The hands that a walker or a search works with: this process, and one more for each other core.

This process works too, so that one core needs no second process, and two cores only one more.
"""

import asyncio
import os
import pickle
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module

import numpy as np

from daemon.adapters.processes import SharedBytes, Task, WorkError, Workers
from daemon.app.defaults import get_config
from daemon.app.registry import REGISTRY
from daemon.research.assignment import Assignment, Failure, Outcome, Terms, evaluate
from daemon.research.columns import Minutes
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


def core_count() -> int:
    """Return how many cores this process may use."""
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
        profiles=tuple(each for name, each in REGISTRY.risks.items() if name in wanted),
    )


@asynccontextmanager
async def open_hands(
    terms: Terms, minutes: Minutes, hand_count: int
) -> AsyncGenerator[Sequence[OutcomeHand], None]:
    """Give so many hands; all but the first are processes, and end with the block.

    They raise WorkerError, in one line, for what other processes cannot be sent.
    """
    here: OutcomeHand = partial(evaluate, terms, minutes)
    if hand_count < 2:
        yield [here]
        return
    columns = (minutes.open, minutes.high, minutes.low, minutes.close, minutes.volume)
    shared = await asyncio.to_thread(SharedBytes.of, [each.data for each in columns])
    shipment = Shipment(
        terms=terms,
        files=_files_of(terms),
        start_ms=minutes.start_ms,
        filled_count=minutes.filled_count,
    )
    task: Task[Shipment, Assignment, Outcome] = Task(_start, shipment, shared)
    workers = Workers(task, hand_count - 1)
    try:
        yield [here, *(partial(_outcome, hand) for hand in workers.hands())]
    finally:
        await asyncio.shield(asyncio.to_thread(workers.close))
        shared.close()


async def _outcome(
    hand: Callable[[Assignment], Coroutine[object, object, Outcome]], assignment: Assignment
) -> Outcome:
    try:
        return await hand(assignment)
    except WorkError as error:
        return Failure(error=type(error).__name__, message=str(error))


def _start(shipment: Shipment, views: list[memoryview]) -> Callable[[Assignment], Outcome]:
    """Return what a worker process makes of an assignment."""
    columns = [np.frombuffer(view, dtype=np.float64) for view in views]
    opened, high, low, close, volume = columns
    minutes = Minutes(
        start_ms=shipment.start_ms,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=volume,
        filled_count=shipment.filled_count,
    )
    runner = asyncio.Runner()

    def work(assignment: Assignment) -> Outcome:
        return runner.run(evaluate(shipment.terms, minutes, assignment))

    return work


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
    owners = [strategy.__module__ for strategy in terms.strategies.values()]
    owners += [
        getattr(rule.validate, "__module__", "")
        for each in terms.profiles
        for rule in each.validations
    ]
    files = (sys.modules[name].__file__ for name in owners if name.startswith("tickd_file_"))
    return tuple(dict.fromkeys(file for file in files if file is not None))
