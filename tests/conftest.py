"""What every test shares: both event loops, a watch on blocking calls, search profiles, markers."""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import uvloop
from blockbuster import blockbuster_ctx
from hypothesis import settings
from pytest_asyncio import is_async_test

# A deadline would make a busy machine look like a bug. The blob replays a failure from one line.
settings.register_profile("tests", deadline=None, print_blob=True)
settings.register_profile("laws", deadline=None, print_blob=True, max_examples=2_000)
settings.load_profile("tests")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run each async test on both loops that a user may choose, but where one will do."""
    if item.get_closest_marker("one_loop"):
        return {"asyncio": asyncio.new_event_loop}
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with a counted reason, what this machine cannot do."""
    missing = missing_for_root_tests()
    if missing is None:
        return
    for item in items:
        if item.get_closest_marker("root"):
            item.add_marker(pytest.mark.skip(reason=missing))


def missing_for_root_tests() -> str | None:
    """Say why tests marked `root` cannot run here, or None."""
    if sys.platform != "linux":
        return "needs Linux"
    if os.geteuid() != 0:
        return "needs root"
    if shutil.which("strace") is None:
        return "needs strace"
    return None


@pytest.fixture(autouse=True)
def _never_block_the_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail an async test in which daemon code does file I/O, sleeps or locks on the loop."""
    if not is_async_test(request.node) or request.node.get_closest_marker("may_block"):
        yield
        return
    with blockbuster_ctx("daemon"):
        yield


@pytest.fixture(scope="session")
def recorded_candles() -> Path:
    """Return the folder of recorded candle files that TICKD_DATA names."""
    folder = os.environ.get("TICKD_DATA")
    if not folder:
        pytest.skip("TICKD_DATA names no folder of recorded candles")
    return Path(folder)
