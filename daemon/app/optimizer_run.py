"""`Optimizer`: let a language model of yours propose strategies from data of yours, as one file.

`get_data` makes the conversations, `get_code` the file, `dump` saves it. Nothing of it is run.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import quote

from daemon.app.registry import REGISTRY, RegistrationError, Schemas, required
from daemon.app.report_files import write_whole
from daemon.research.optimizer import (
    Gatherer,
    Gathering,
    Message,
    OptimizerCallbacks,
    OptimizerStrategy,
    Source,
    TrainRange,
)
from daemon.research.optimizer_code import CodePlan, code_of


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerSchema:
    """An optimizer: its data, the ranges that the conversations are about, and the model's door.

    `get_prompt(symbol, messages)` returns what the model proposes: the body of a strategy class,
    or a prompt for a model that is asked at every signal.
    """

    optimizer_name: str
    range_train: Sequence[TrainRange]
    range_test: TrainRange
    source: Sequence[Source]
    get_prompt: Callable[[str, Sequence[Message]], str | Awaitable[str]]
    exchange_name: str = "sandbox"
    note: str = ""
    callbacks: OptimizerCallbacks = field(default_factory=OptimizerCallbacks)


class Optimizer:
    """Gathers, writes and saves. All of it belongs on one event loop."""

    @staticmethod
    async def get_data(symbol: str, *, optimizer_name: str) -> tuple[OptimizerStrategy, ...]:
        """Return one proposal per train range and source, with its conversation.

        Sources are fetched page by page, told on `progress_optimizer`. Raises UnknownNameError, and
        OptimizerError for a source or a prompt that fails.
        """
        return await _gatherer(symbol, OPTIMIZERS.find(optimizer_name)).gather()

    @staticmethod
    async def get_code(symbol: str, *, optimizer_name: str) -> str:
        """Return the proposals as the text of one Python file that runs. Raises as `get_data`."""
        schema = OPTIMIZERS.find(optimizer_name)
        gatherer = _gatherer(symbol, schema)
        plan = CodePlan(
            optimizer_name=optimizer_name,
            symbol=symbol,
            strategies=await gatherer.gather(),
            ranges=schema.range_train,
            test=schema.range_test,
        )
        code = await asyncio.to_thread(code_of, plan)
        if schema.callbacks.on_code is not None:
            await gatherer.call("on_code", partial(schema.callbacks.on_code, symbol, code))
        return code

    @staticmethod
    async def dump(symbol: str, *, optimizer_name: str, path: str | Path = "dump") -> Path:
        """Write the file into the folder `path`/optimizer; return its place. It is not run."""
        code = await Optimizer.get_code(symbol, optimizer_name=optimizer_name)
        name = f"{quote(optimizer_name, safe='')}_{quote(symbol, safe='')}.py"
        place = Path(path) / "optimizer" / name
        await asyncio.to_thread(_write, place, code)
        schema = OPTIMIZERS.find(optimizer_name)
        if schema.callbacks.on_dump is not None:
            told = partial(schema.callbacks.on_dump, symbol, str(place))
            await _gatherer(symbol, schema).call("on_dump", told)
        return place


OPTIMIZERS: Schemas[OptimizerSchema] = Schemas("optimizer")


def add_optimizer(schema: OptimizerSchema) -> OptimizerSchema:
    """Register an optimizer. Raises RegistrationError for one that has nothing to work on."""
    name = required(schema.optimizer_name, "an optimizer_name", "an optimizer")
    if not schema.range_train:
        raise RegistrationError(f"optimizer {name!r}: there is no train range")
    if not schema.source:
        raise RegistrationError(f"optimizer {name!r}: there is no source")
    names = [source.name for source in schema.source]
    for double in sorted({each for each in names if names.count(each) > 1}):
        raise RegistrationError(f"optimizer {name!r}: source {double!r} is named twice")
    for each in (*schema.range_train, schema.range_test):
        if each.end_ms <= each.start_ms:
            raise RegistrationError(
                f"optimizer {name!r}: a range ends ({each.end_ms}) before it starts"
            )
    return OPTIMIZERS.add(name, schema)


def list_optimizers() -> tuple[OptimizerSchema, ...]:
    """Return the registered optimizers, in order."""
    return tuple(OPTIMIZERS.values())


def _gatherer(symbol: str, schema: OptimizerSchema) -> Gatherer:
    gathering = Gathering(
        optimizer_name=schema.optimizer_name,
        exchange_name=schema.exchange_name,
        symbol=symbol,
        ranges=tuple(schema.range_train),
        sources=tuple(schema.source),
        get_prompt=schema.get_prompt,
        callbacks=schema.callbacks,
    )
    return Gatherer(gathering, REGISTRY.subjects)


def _write(place: Path, code: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, code)
