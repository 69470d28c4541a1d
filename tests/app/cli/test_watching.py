"""Long work from the command line ends by Ctrl-C, whatever else happens."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Iterator

import pytest

from daemon.app.cli.watching import run_watched

LOOKS = 2_000
"""More looks at a call that hangs than the socket of an event loop has room for."""


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGVTALRM)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


async def hanging() -> AsyncGenerator[int, None]:
    signal.signal(signal.SIGVTALRM, lambda *_: None)
    for _ in range(LOOKS):
        signal.raise_signal(signal.SIGVTALRM)
    signal.raise_signal(signal.SIGINT)
    for number in range(10):
        await asyncio.sleep(0)
        yield number


def test_ctrl_c_is_not_lost_among_looks_at_a_strategy_that_hangs(
    capfd: pytest.CaptureFixture[str],
) -> None:
    is_interrupted = asyncio.run(run_watched(hanging(), lambda: ("work", 0.5)))

    assert is_interrupted
    assert capfd.readouterr().err == ""
    # A second one ends the process at once.
    assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL


def test_work_that_ends_leaves_signals_as_they_were() -> None:
    before = signal.getsignal(signal.SIGTERM)

    async def short() -> AsyncGenerator[int, None]:
        yield 1

    assert not asyncio.run(run_watched(short(), lambda: ("work", 0.5)))
    assert signal.getsignal(signal.SIGTERM) is before
