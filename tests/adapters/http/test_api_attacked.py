"""The control API under attack: whatever is sent, it answers as its document says, and stands."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from threading import Thread
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation import GenerationMode

from daemon.adapters.http.openapi import openapi_document
from tests.adapters.http.api_stage import AUTHORIZED, an_api
from tests.live.scene import a_scene
from tests.live.scripted import Waiter, a_market

EXAMPLES = 10

load_all_checks()
# Whom a command is about is judged beyond its form: all that is said there is refused as told.
LEFT_OUT: list[Any] = list(CHECKS.get_by_names(["positive_data_acceptance"]))
DOCUMENT = schemathesis.openapi.from_dict(openapi_document())
FOUND: Any = DOCUMENT.get_all_operations()
OPERATIONS = [found.ok() for found in FOUND]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Serve a running daemon from a thread of its own."""
    ready: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    thread = Thread(target=lambda: asyncio.run(_serve(ready)), daemon=True)
    thread.start()
    url, loop, over = ready.result(timeout=30)
    yield url
    loop.call_soon_threadsafe(over.set)
    thread.join(timeout=30)
    assert not thread.is_alive(), "the daemon did not survive its attackers"


async def _serve(
    ready: "Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]]",
) -> None:
    over = asyncio.Event()
    scene = a_scene(Waiter)
    scene.market = a_market([100.0] * 60)
    async with an_api(scene) as api:
        ready.set_result((api.http.url, asyncio.get_running_loop(), over))
        await over.wait()
        code, told = await api.get("/api/v1/status")
        assert code == 200
        assert told["is_live"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.path)
@given(data=st.data())
@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
def test_q14_nothing_that_is_sent_breaks_it(
    operation: Any, address: str, data: st.DataObject
) -> None:
    modes = [GenerationMode.POSITIVE]
    if operation.method == "post":
        modes.append(GenerationMode.NEGATIVE)
    for mode in modes:
        case = data.draw(operation.as_strategy(mode))
        case.call_and_validate(
            base_url=address, headers=AUTHORIZED, excluded_checks=LEFT_OUT, timeout=10
        )
