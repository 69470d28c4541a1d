"""The line to a worker process, whoever reads it and for how long."""

import asyncio
import socket

from daemon.adapters.processes.line import Line
from daemon.adapters.processes.packing import SIZE_BYTES, packed


async def test_who_goes_in_the_middle_of_an_answer_leaves_the_next_one_whole() -> None:
    first, second = bytes(packed((1, "answer", "x"))), bytes(packed((2, "answer", "y")))
    for cut in range(len(first)):
        ours, theirs = socket.socketpair()
        line = await Line.over(ours)
        reading = asyncio.get_running_loop().create_task(line.answer(1))

        theirs.sendall(first[:cut])
        for _ in range(4):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
        theirs.sendall(first[cut:] + second)
        async with asyncio.timeout(5):
            answer = await line.answer(2)

        assert reading.cancelled()
        assert answer == ("answer", "y"), f"after {cut} bytes, {SIZE_BYTES} of them its size"
        line.close()
        theirs.close()
