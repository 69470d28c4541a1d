"""The one task that feeds all sockets: each message is made and serialised once."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import NamedTuple, assert_never

import orjson

from daemon.simulation.faults import BrokenFrame, CloseSocket, FrameEffect, SilentSocket, Target
from daemon.simulation.server.scene import Stage
from daemon.simulation.server.sockets import Message, Socket
from daemon.simulation.server.streams import AnyStream, news, symbol_of

SECOND_MS = 1000
PUSH_INTERVAL_S = 0.1
PUSH_SLOTS = 10
SLOT_S_MIN = 0.01


class Feed(NamedTuple):
    """A stream that somebody reads, and who does."""

    name: str
    stream: AnyStream
    sockets: list[Socket]


class Pusher:
    """Tells each pair's news once a market second, but no more often than `interval_s` allows.

    `interval_s` is machine time: at sixty times real time one push covers several market seconds,
    and each candle that closed in them is still told of as closed. A round begins just after a
    market second has, and is spread over up to `slots` moments: a real exchange's pairs do not
    trade in step, and ccxt's loop over many pairs sees only the first of those that come at once.
    Pairs that share a moment therefore take turns at being first. More moments cost more: a wake
    of both sides each.
    """

    def __init__(self, stage: Stage, interval_s: float = PUSH_INTERVAL_S) -> None:
        self.sockets: set[Socket] = set()
        self.slots = PUSH_SLOTS
        self._stage = stage
        self._interval_s = interval_s
        self._round_ms = stage.clock.now_ms()
        self._rounds = 0
        self._pushed_ms: dict[str, int] = {}

    async def run_forever(self) -> None:
        """Push until cancelled."""
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        while True:
            await asyncio.sleep(max(self._rest_s(), begun_s + self._interval_s - loop.time()))
            begun_s = loop.time()
            parts = self.begin_round()
            for number, symbols in enumerate(parts):
                await asyncio.sleep(begun_s + self._period_s() * number / len(parts) - loop.time())
                for symbol, feeds in symbols.items():
                    self.push(symbol, feeds)

    def begin_round(self) -> Sequence[dict[str, list[Feed]]]:
        """Return what is read now, by symbol, cut into the parts that are pushed one by one."""
        feeds = self._feeds()
        self._pushed_ms = {symbol: self._pushed_ms.get(symbol, self._round_ms) for symbol in feeds}
        self._round_ms = self._stage.clock.now_ms()
        symbols = list(feeds)
        count = min(self.slots, len(symbols), max(1, int(self._period_s() / SLOT_S_MIN)))
        self._rounds += 1
        parts = (_turned(symbols[number::count], self._rounds) for number in range(count))
        return [{symbol: feeds[symbol] for symbol in part} for part in parts]

    def push(self, symbol: str, feeds: Iterable[Feed]) -> None:
        """Hand out what is new about one symbol since its last push."""
        moment = self._stage.moment()
        since_ms, self._pushed_ms[symbol] = self._pushed_ms[symbol], moment.now_ms
        for feed in feeds:
            scene = self._stage.scene(feed.name, moment)
            target = Target(feed.name, symbol)
            for payload in news(scene, feed.stream, since_ms):
                effect = self._stage.frame_effect(target, moment)
                _deliver(Message(feed.name, orjson.dumps(payload)), feed.sockets, effect)

    def _feeds(self) -> dict[str, list[Feed]]:
        """Return all streams that are read, by their symbol ("" for those of all pairs)."""
        feeds: dict[str, Feed] = {}
        for socket in self.sockets:
            for name, stream in socket.subscriptions.items():
                feeds.setdefault(name, Feed(name, stream, [])).sockets.append(socket)
        by_symbol: dict[str, list[Feed]] = {}
        for feed in feeds.values():
            by_symbol.setdefault(symbol_of(feed.stream), []).append(feed)
        return by_symbol

    def _period_s(self) -> float:
        """Return how long a round is in machine time."""
        return max(self._interval_s, 1.0 / self._stage.clock.speed)

    def _rest_s(self) -> float:
        """Return the machine time until just after the market's next second has begun."""
        clock = self._stage.clock
        return (SECOND_MS - clock.now_ms() % SECOND_MS + 1) / SECOND_MS / clock.speed


def _turned(symbols: list[str], turn: int) -> list[str]:
    """Return `symbols` with another one first at each turn."""
    first = turn % len(symbols)
    return symbols[first:] + symbols[:first]


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
