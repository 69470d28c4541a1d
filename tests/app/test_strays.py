"""What a strategy leaves behind fails without a traceback, and is told."""

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from daemon.app.strays import KINDS_TOLD_MAX
from daemon.app.whole_run import run_whole
from tests.app.cli.tickd import tickd


async def fail(message: str = "a stray") -> None:
    raise ValueError(message)


def fail_at_once(message: str) -> None:
    raise ValueError(message)


class Untidy:
    def __del__(self) -> None:
        fail_at_once("not\ntidied up")


async def leave_tasks() -> None:
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(fail(f"stray {number}")) for number in range(1200)]
    await asyncio.sleep(0)
    while tasks:
        del tasks[0]


async def leave_threads() -> None:
    for _ in range(2):
        thread = threading.Thread(target=fail_at_once, args=("a stray",))
        thread.start()
        await asyncio.to_thread(thread.join)


async def leave_untidy() -> None:
    Untidy()


async def leave_a_call() -> None:
    asyncio.get_running_loop().call_soon(fail_at_once, "a stray")
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("leave", "start"),
    [
        (leave_tasks, "1,200 failures in tasks that nobody waits for: ValueError: stray 0 ("),
        (leave_threads, "2 failures in threads that nobody waits for: ValueError: a stray ("),
        (leave_untidy, "1 failure in destructors: ValueError: not tidied up ("),
        (leave_a_call, "1 failure in the event loop: ValueError: a stray ("),
    ],
)
def test_what_nobody_waits_for_is_counted_and_told_once(
    leave: Callable[[], Coroutine[object, object, None]],
    start: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    told: list[str] = []
    hooks = threading.excepthook, sys.unraisablehook

    run_whole(leave(), told.append)

    (line,) = told
    assert line.startswith(f"{start}at test_strays.py:")
    assert capfd.readouterr().err == ""
    assert (threading.excepthook, sys.unraisablehook) == hooks


def test_of_many_kinds_the_most_frequent_are_told_and_the_others_counted() -> None:
    told: list[str] = []

    async def leave() -> None:
        loop = asyncio.get_running_loop()
        for number in range(KINDS_TOLD_MAX + 2):
            kind = type(f"Kind{number}", (Exception,), {})
            for _ in range(number + 1):
                loop.create_future().set_exception(kind("mine"))
        await asyncio.sleep(0)

    run_whole(leave(), told.append)

    assert [line.partition(":")[2].strip().partition(":")[0] for line in told] == [
        *(f"Kind{number}" for number in range(KINDS_TOLD_MAX + 1, 1, -1)),
        "",
    ]
    assert told[-1] == "3 failures of other kinds that nobody waits for"


STRAY = """
import asyncio
from daemon import Signal, Strategy, View

class Stray(Strategy):
    strategy_name = "stray"
    interval = "1h"

    async def get_signal(self, view: View) -> Signal | None:
        async def fail() -> None:
            raise ValueError("a stray")

        asyncio.get_running_loop().create_task(fail())
        return None
"""


@pytest.mark.parametrize("command", ["backtest", "walk"])
def test_a_strategy_whose_tasks_fail_shows_no_traceback(tmp_path: Path, command: str) -> None:
    (tmp_path / "stray.py").write_text(STRAY)

    ended = tickd(tmp_path, command, "stray.py:Stray", "--sandbox", "--json")

    assert ended.code == 0, ended.err
    assert "failures in tasks that nobody waits for: ValueError: a stray (at stray.py:11)" in (
        ended.err
    )
    assert "Traceback" not in ended.err
    assert "never retrieved" not in ended.err
