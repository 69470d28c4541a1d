"""The one home of Dask: items worked on by the machines of a cluster.

A worker that dies costs time and nothing else: the cluster gives its items to another one.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from hashlib import blake2b
from types import ModuleType
from typing import Any, TypeVar

import cloudpickle
from distributed import Client, KilledWorker
from distributed.client import FutureCancelledError
from distributed.comm.addressing import get_address_host_port

from daemon.core.errors import WorkerError, WorkError
from daemon.core.guard import Raised, call_foreign

M = TypeVar("M")
T = TypeVar("T")
R = TypeVar("R")
Start = Callable[[M, list[memoryview]], Callable[[T], R]]

CONNECT_S = 10.0

WORKERS_S = 60.0
"""So long a cluster whose workers have all died may take to start others."""

TRIES, PAUSE_S = 8, 0.5
"""How often an item is tried, and so long between, while its workers die under it."""

RUNNING = "running"

ANSWER, FAILED = "answer", "failed"

_BEGUN: dict[str, Callable[[object], object]] = {}
"""On a worker: the function of the newest task, by its token."""


@asynccontextmanager
async def open_cluster(
    address: str, start: Start[M, T, R], material: M, parts: Sequence[memoryview]
) -> AsyncGenerator[list[Callable[[T], Coroutine[object, object, R]]], None]:
    """Give a function per thread of the cluster at `address` that has it work on an item.

    `material` is sent with the code of the author's modules. The functions raise WorkError for an
    item that cannot be worked on. Raises WorkerError, in one line, for a cluster that cannot be
    reached or has no workers.
    """
    body = cloudpickle.dumps((start, material))
    token = blake2b(body, digest_size=8).hexdigest()
    try:
        # Asked first: a client that cannot read its address leaves coroutines behind.
        get_address_host_port(address, strict=False)
        client = await Client(  # type: ignore[no-untyped-call]  # it ships no types
            address, asynchronous=True, timeout=CONNECT_S, set_as_default=False
        )
    except (OSError, ValueError) as error:
        raise WorkerError(f"the cluster at {address} cannot be reached: {error}") from error
    try:
        threads = sum((await client.nthreads()).values())
        if not threads:
            raise WorkerError(f"the cluster at {address} has no workers")
        shared = _Shared(client, token, [body, *(bytes(part) for part in parts)])
        yield [shared.work] * threads
    finally:
        await client.close()


class _Shared:
    """Work on a cluster whose workers share some bytes, which are sent there once.

    The workers alone hold them: where all that did have died, they are sent again.
    """

    def __init__(self, client: Client, token: str, parts: Sequence[bytes]) -> None:
        self._client: Any = client  # it ships no types
        self._token = token
        self._parts = list(parts)
        self._sent: Sequence[object] = ()
        self._sending = asyncio.Lock()

    async def work(self, item: T) -> R:
        """Return what a worker makes of `item`. Raises WorkError, and WorkerError without one."""
        body = cloudpickle.dumps(item)
        fault: Exception | None = None
        for _ in range(TRIES):
            try:
                kind, answer = await self._ask(await self._send(), body)
            except (FutureCancelledError, OSError) as error:
                fault = error
                if self._client.status != RUNNING:
                    break
                await asyncio.sleep(PAUSE_S)
                continue
            if kind == FAILED:
                raise WorkError(f"on a worker: {answer}")
            value: R = answer
            return value
        raise WorkerError(f"the cluster was lost: {fault}") from fault

    async def _send(self) -> Sequence[object]:
        """Return what stands for the bytes on the cluster, which are there then."""
        async with self._sending:
            if not self._sent:
                self._sent = await self._client.scatter(
                    self._parts, broadcast=True, hash=False, timeout=WORKERS_S
                )
            return self._sent

    async def _forget(self, sent: Sequence[object]) -> None:
        async with self._sending:
            # Another call may have sent them again already.
            if self._sent is sent:
                self._sent = ()

    async def _ask(self, sent: Sequence[object], body: bytes) -> tuple[str, Any]:
        """Return the answer of a worker. Raises FutureCancelledError where `sent` is lost."""
        future = self._client.submit(_remote, self._token, *sent, item=body, pure=False)
        try:
            told: tuple[str, Any] = await future
        except asyncio.CancelledError:
            with suppress(OSError):
                await future.cancel()
            raise
        except FutureCancelledError:
            await self._forget(sent)
            raise
        except KilledWorker as error:
            raise WorkError(
                f"it killed every worker that tried it ({error.last_worker})"
            ) from error
        return told


def send_by_value(names: Sequence[str]) -> None:
    """Let modules of those names go to other machines as code, unless they are installed there."""
    for name in dict.fromkeys(names):
        module = sys.modules.get(name)
        if module is not None and name != "__main__" and _is_own(module):
            cloudpickle.register_pickle_by_value(module)


def _is_own(module: ModuleType) -> bool:
    file = module.__file__ or ""
    return module.__name__.partition(".")[0] != "daemon" and "site-packages" not in file


def _remote(token: str, body: bytes, *parts: bytes, item: bytes) -> tuple[str, object]:
    """Work on an item on another machine."""
    made = call_foreign(_made, token, body, parts, item)
    if isinstance(made, Raised):
        return FAILED, " ".join(made.told.split())
    return ANSWER, made.value


def _made(token: str, body: bytes, parts: Sequence[bytes], item: bytes) -> object:
    function = _BEGUN.get(token)
    if function is None:
        start, material = cloudpickle.loads(body)
        function = start(material, [memoryview(part) for part in parts])
        _BEGUN.clear()
        _BEGUN[token] = function
    return function(cloudpickle.loads(item))
