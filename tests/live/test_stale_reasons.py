"""What is said of a price that has grown stale is true of stream and REST."""

import asyncio

import pytest

from daemon.simulation.faults import Fault, Frozen, LostReply, SilentSocket
from tests.live.feed_stage import REST, STREAM, Stage, a_fault, play

FROZEN = a_fault(Frozen(), 100, 400)
SILENT = a_fault(SilentSocket(), 100, 400, path=STREAM)
LOST = a_fault(LostReply(), 100, 400, path=REST)


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ([FROZEN], "stream and REST repeat old candles"),
        ([SILENT, FROZEN], "stream silent, REST repeats old candles"),
        ([FROZEN, LOST], "the line was cut before the answer"),
    ],
)
def test_l9_a_stale_price_says_who_told_nothing_new(faults: list[Fault], words: str) -> None:
    async def scenario(stage: Stage) -> None:
        await asyncio.sleep(250)
        assert stage.one.reason.startswith("no update for ")
        assert words in stage.one.reason

    play(scenario, *faults)
