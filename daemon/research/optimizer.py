"""The optimizer that asks a language model: the author's data become conversations and prompts.

It brings no model: what to ask, and whom, is the author's `get_prompt`. What comes back is text,
and is never run here.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

from daemon.core.errors import RejectedError
from daemon.core.guard import Raised
from daemon.core.research_events import ProgressOptimizerContract, ResearchSubjects
from daemon.core.signal import Key
from daemon.research.columns import moment_text
from daemon.research.containment import Containment, Limits
from daemon.research.walk_telling import WalkTeller

T = TypeVar("T")
Row = Mapping[str, object]

PAGE_ROWS = 25
"""A source is asked for so many rows at a time; a shorter page is its last."""

ANSWER_S = 180.0
"""So long may a page or a prompt take."""


class OptimizerError(RejectedError):
    """A source or a prompt could not be had; the text is one line that says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainRange:
    """A stretch of history (UTC epoch ms, both inclusive) that a conversation is about."""

    start_ms: int
    end_ms: int
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRequest:
    """A page that a source is asked for: `limit` rows after the first `offset` ones."""

    symbol: str
    start_ms: int
    end_ms: int
    limit: int
    offset: int


Page = Sequence[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where rows come from: `fetch(request)` returns a page of them; each row has an `id`.

    `user(symbol, rows)` and `assistant(symbol, rows)` write the two messages about them. All
    three may be async.
    """

    name: str
    fetch: Callable[[SourceRequest], Page | Awaitable[Page]]
    user: Callable[[str, Page], str | Awaitable[str]] | None = None
    assistant: Callable[[str, Page], str | Awaitable[str]] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerStrategy:
    """What came of one train range and source: the conversation, and the prompt made of it."""

    symbol: str
    name: str
    train: TrainRange
    messages: tuple[Message, ...]
    strategy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerCallbacks:
    """The author's hooks; each may be async, and what one raises costs its call.

    `on_source_data(symbol, source_name, rows, start_ms, end_ms)`, `on_data(symbol, strategies)`,
    `on_code(symbol, code)`, `on_dump(symbol, path)`.
    """

    on_source_data: Callable[[str, str, Page, int, int], object] | None = None
    on_data: Callable[[str, Sequence[OptimizerStrategy]], object] | None = None
    on_code: Callable[[str, str], object] | None = None
    on_dump: Callable[[str, str], object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """What is gathered for one symbol: every source over every train range."""

    optimizer_name: str
    exchange_name: str
    symbol: str
    ranges: tuple[TrainRange, ...]
    sources: tuple[Source, ...]
    get_prompt: Callable[[str, Sequence[Message]], str | Awaitable[str]]
    callbacks: OptimizerCallbacks


class Gatherer:
    """Makes conversations and prompts of `gathering`. Use it as a context manager."""

    def __init__(self, gathering: Gathering, subjects: ResearchSubjects) -> None:
        self._what = gathering
        key = Key(
            exchange_name=gathering.exchange_name,
            symbol=gathering.symbol,
            strategy_name=gathering.optimizer_name,
        )
        self._teller = WalkTeller(subjects, key, gathering.ranges[0].start_ms)
        self._calls = Containment(Limits(stretch_s=ANSWER_S, answer_s=ANSWER_S))

    async def gather(self) -> tuple[OptimizerStrategy, ...]:
        """Return one strategy per train range and source. Raises OptimizerError."""
        what, found = self._what, list[OptimizerStrategy]()
        total = len(what.ranges) * len(what.sources)
        with self._teller, self._calls:
            for train in what.ranges:
                messages: list[Message] = []
                for source in what.sources:
                    await self._progress(len(found), total)
                    messages += await self._messages(source, train)
                    prompt = partial(what.get_prompt, what.symbol, tuple(messages))
                    found.append(
                        OptimizerStrategy(
                            symbol=what.symbol,
                            name=source.name,
                            train=train,
                            messages=tuple(messages),
                            strategy=await self._text("get_prompt", prompt),
                        )
                    )
            await self._progress(total, total)
            if what.callbacks.on_data is not None:
                told = partial(what.callbacks.on_data, what.symbol, tuple(found))
                await self._teller.call("on_data", told)
        return tuple(found)

    async def call(self, name: str, function: Callable[[], object]) -> None:
        """Call one of the author's hooks."""
        with self._teller:
            await self._teller.call(name, function)

    async def _messages(self, source: Source, train: TrainRange) -> list[Message]:
        """Return the user's and the assistant's message on the rows of `source`."""
        symbol, rows = self._what.symbol, await self._rows(source, train)
        hook = self._what.callbacks.on_source_data
        if hook is not None:
            told = partial(hook, symbol, source.name, rows, train.start_ms, train.end_ms)
            await self._teller.call("on_source_data", told)
        user, assistant = (
            source.user or partial(_user, source, train),
            source.assistant or _assistant,
        )
        where = f"source {source.name!r}"
        return [
            Message(
                role="user", content=await self._text(f"{where}: user", partial(user, symbol, rows))
            ),
            Message(
                role="assistant",
                content=await self._text(f"{where}: assistant", partial(assistant, symbol, rows)),
            ),
        ]

    async def _rows(self, source: Source, train: TrainRange) -> tuple[Row, ...]:
        """Return all rows of `source`, page by page until a short one, each id once."""
        rows: dict[object, Row] = {}
        offset = 0
        while True:
            request = SourceRequest(
                symbol=self._what.symbol,
                start_ms=train.start_ms,
                end_ms=train.end_ms,
                limit=PAGE_ROWS,
                offset=offset,
            )
            before = len(rows)
            page = await self._page(source, request)
            for row in page:
                rows.setdefault(row["id"], row)
            if len(page) < PAGE_ROWS:
                return tuple(rows.values())
            if len(rows) == before:
                raise OptimizerError(
                    f"source {source.name!r} does not end: the page at offset {offset} holds "
                    "nothing new"
                )
            offset += len(page)

    async def _page(self, source: Source, request: SourceRequest) -> list[Row]:
        where = f"source {source.name!r}, offset {request.offset}"
        page = await self._answer(where, partial(source.fetch, request))
        if not isinstance(page, Sequence) or isinstance(page, str | bytes):
            raise OptimizerError(f"{where}: it must return rows, not {type(page).__name__}")
        for row in page:
            if not isinstance(row, Mapping) or "id" not in row:
                raise OptimizerError(f'{where}: each row must be a table with an "id"')
        return list(page)

    async def _text(self, where: str, function: Callable[[], object]) -> str:
        text = await self._answer(where, function)
        if not isinstance(text, str):
            raise OptimizerError(f"{where} must return a text, not {type(text).__name__}")
        return text

    async def _answer(self, where: str, function: Callable[[], object]) -> object:
        outcome = await self._calls.finish(self._calls.begin(_called, function))
        if type(outcome) is Raised:
            raise OptimizerError(f"{where}: {outcome.told}") from outcome.cause
        return outcome

    async def _progress(self, processed: int, total: int) -> None:
        event = ProgressOptimizerContract(
            optimizer_name=self._what.optimizer_name,
            symbol=self._what.symbol,
            total_sources=total,
            processed_sources=processed,
            progress=processed / total,
        )
        await self._teller.announce(event)


def _called(function: Callable[[], object]) -> object:
    return function()


def _user(source: Source, train: TrainRange, symbol: str, rows: Page) -> str:
    head = (
        f"{source.name} of {symbol} from {moment_text(train.start_ms)} to "
        f"{moment_text(train.end_ms)}, {len(rows)} rows:"
    )
    body = "\n".join(json.dumps(row, ensure_ascii=False, default=str) for row in rows)
    return f"{head}\n\n{body}"


def _assistant(symbol: str, rows: Page) -> str:
    return f"I have read the {len(rows)} rows of {symbol}."
