"""A child: the sandbox exchange over a market that steps on command, with a tape of what it sent.

It is told lines of JSON on its standard input: {"steps": [[symbol, at_ms, percent], ...]},
{"slots": n}, {"tape": path}; it answers each with a line.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import uvloop

from benchmarks.step_market import StepMarket
from daemon.adapters.clock import WallClock
from daemon.core.candles import DAY_MS, MINUTE_MS
from daemon.simulation.server import payloads
from daemon.simulation.server.app import SandboxServer
from daemon.simulation.server.sockets import Message, Socket

Sent = tuple[float, str, bytes]
"""When a frame was handed to a socket (monotonic seconds), on which stream, and what."""


def main() -> None:
    """Serve `sys.argv[1]` pairs until SIGTERM."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(int(sys.argv[1])))


async def _serve(count: int) -> None:
    tape: list[Sent] = []
    _tap(tape)
    clock = WallClock()
    market = StepMarket(count, clock.now_ms() - DAY_MS)
    server = SandboxServer(market, clock)
    address = await server.start()
    _say({"rest": address.rest_url, "ws": address.ws_url, "root": address.root_url})
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    reader = asyncio.StreamReader(limit=1 << 22)
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(0, "rb")
    )
    obeying = loop.create_task(_obey(reader, market, server, tape))
    await ended.wait()
    obeying.cancel()
    transport.close()
    await server.stop()


async def _obey(
    reader: asyncio.StreamReader, market: StepMarket, server: SandboxServer, tape: list[Sent]
) -> None:
    async for line in reader:
        order: dict[str, Any] = orjson.loads(line)
        for symbol, at_ms, percent in order.get("steps", []):
            market.step(symbol, at_ms, percent)
        if "slots" in order:
            server.push_slots = order["slots"]
        if "tape" in order:
            rows = [[at_s, name, orjson.Fragment(data)] for at_s, name, data in tape]
            tape[:] = _past(market)
            await asyncio.to_thread(Path(order["tape"]).write_bytes, orjson.dumps(rows))
        _say({"done": True})


def _past(market: StepMarket) -> Iterator[Sent]:
    """Yield the newest minutes as frames, so that a tape tells prices from its beginning on."""
    now_ms, now_s = WallClock().now_ms(), time.monotonic()
    for symbol in market.specs:
        name = symbol.replace("/", "")
        for row in market.minutes(symbol, now_ms - 5 * MINUTE_MS, now_ms, now_ms):
            frame = payloads.kline_event(name, row, "1m", now_ms=now_ms, is_closed=False)
            yield now_s, f"{name.lower()}@kline_1m", orjson.dumps(frame)


def _tap(tape: list[Sent]) -> None:
    """Note each frame at the moment at which it is handed to a socket."""
    push = Socket.push

    def push_and_note(self: Socket, message: Message) -> None:
        tape.append((time.monotonic(), message.stream_name, message.plain))
        push(self, message)

    Socket.push = push_and_note  # type: ignore[method-assign]  # a tap


def _say(told: dict[str, object]) -> None:
    sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
