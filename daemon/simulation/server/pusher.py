"""The one task that feeds all sockets: each message is made and serialised once."""

import asyncio
from collections.abc import Iterable
from typing import assert_never

import orjson

from daemon.simulation.faults import BrokenFrame, CloseSocket, FrameEffect, SilentSocket, Target
from daemon.simulation.server.scene import Stage
from daemon.simulation.server.sockets import Message, Socket
from daemon.simulation.server.streams import AnyStream, news, symbol_of

SECOND_MS = 1000
PUSH_INTERVAL_S = 0.1


class Pusher:
    """Pushes what is new once a market second, but no more often than `interval_s` allows.

    `interval_s` is machine time: at sixty times real time one push covers several market seconds,
    and each candle that closed in them is still told of as closed.
    """

    def __init__(self, stage: Stage, interval_s: float = PUSH_INTERVAL_S) -> None:
        self.sockets: set[Socket] = set()
        self._stage = stage
        self._interval_s = interval_s
        self._pushed_ms = stage.clock.now_ms()

    async def run_forever(self) -> None:
        """Push until cancelled."""
        while True:
            await asyncio.sleep(self._pause_s())
            self.push()

    def push(self) -> None:
        """Hand out what is new since the last push."""
        moment = self._stage.moment()
        since_ms, self._pushed_ms = self._pushed_ms, moment.now_ms
        for name, (stream, sockets) in self._readers().items():
            target = Target(name, symbol_of(stream))
            scene = self._stage.scene(name, moment)
            for payload in news(scene, stream, since_ms):
                effect = self._stage.frame_effect(target, moment)
                _deliver(Message(name, orjson.dumps(payload)), sockets, effect)

    def _readers(self) -> dict[str, tuple[AnyStream, list[Socket]]]:
        """Return who reads which stream, by the stream's name."""
        readers: dict[str, tuple[AnyStream, list[Socket]]] = {}
        for socket in self.sockets:
            for name, stream in socket.subscriptions.items():
                readers.setdefault(name, (stream, []))[1].append(socket)
        return readers

    def _pause_s(self) -> float:
        """Return the machine time until just after the market's next second has begun."""
        clock = self._stage.clock
        rest_ms = SECOND_MS - clock.now_ms() % SECOND_MS + 1
        return max(self._interval_s, rest_ms / SECOND_MS / clock.speed)


def _deliver(message: Message, sockets: Iterable[Socket], effect: FrameEffect | None) -> None:
    """Hand one frame to its readers, or do to them what a fault does."""
    match effect:
        case None:
            for socket in sockets:
                socket.push(message)
        case SilentSocket():
            pass
        case BrokenFrame():
            for socket in sockets:
                socket.push(message.broken())
        case CloseSocket(code=code):
            for socket in sockets:
                socket.end(code)
        case _:
            assert_never(effect)
