"""A copy of a run that a strategy makes answers for nothing: it ends with its call."""

import os
import subprocess
import sys
from typing import ClassVar

from daemon import Signal, View
from tests.app.walk_stage import Swing


class Forking(Swing):
    """Once in each process of a walk, it copies that."""

    strategy_name = "forking"
    copied: ClassVar[set[int]] = set()

    def get_signal(self, view: View) -> Signal:
        """Return as `Swing` does, in the copy too."""
        if os.getpid() not in self.copied:
            self.copied.add(os.getpid())
            self.copied.add(os.fork() or os.getpid())
        return super().get_signal(view)


SCRIPT = """
import asyncio
from daemon.app.walker_run import walker_json
from tests.app.test_run_guard import Forking
from tests.app.walk_stage import SYMBOL, a_registry
from daemon import Walker, WalkerSchema, add_strategy, add_walker, variants

async def walk(cores):
    return [e async for e in Walker.run(SYMBOL, walker_name="forks", cores=cores)]

with a_registry():
    add_strategy(Forking)
    grid = variants("forking", target=[8, 12, 20], side=["long", "short"])
    add_walker(WalkerSchema(walker_name="forks", frame_name="all", strategies=grid))
    texts = []
    for cores in (1, 2):
        Forking.copied.clear()
        asyncio.run(walk(cores))
        texts.append(walker_json(Walker.get_result(SYMBOL, "forks")))
    print(texts[0].count('"lanes"'), texts[0] == texts[1])
"""


def test_p16_a_copy_of_a_run_ends_with_the_call_that_made_it() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=30, check=True
    )

    assert ended.stdout.split() == ["6", "True"]
    assert ended.stderr == ""
