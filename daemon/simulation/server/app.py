"""The sandbox exchange as a server: Binance spot's public side on a loopback port.

`SandboxServer` wires the pure parts (endpoints, streams, limits) to aiohttp and to one pusher.
"""

import asyncio
import errno

from aiohttp import web

from daemon.ports import Clock
from daemon.simulation.faults import FaultPlan, Target, Timeout
from daemon.simulation.market import Market
from daemon.simulation.server.client import SandboxAddress, address_of
from daemon.simulation.server.counters import Counters
from daemon.simulation.server.errors import PortInUseError
from daemon.simulation.server.handlers import PublicSide, json_response, spoil
from daemon.simulation.server.pusher import PUSH_INTERVAL_S, Pusher
from daemon.simulation.server.questions import names_of
from daemon.simulation.server.scene import Stage
from daemon.simulation.server.sockets import (
    CLOSE_GOING_AWAY,
    CLOSE_TIMEOUT_S,
    PING_INTERVAL_S,
    REQUEST_BYTES_MAX,
    STREAMS_PER_SOCKET_MAX,
    Socket,
)
from daemon.simulation.server.streams import find_stream

SHUTDOWN_TIMEOUT_S = 1.0
COMBINED_PATH = "/stream"
SOCKET_PATHS = (COMBINED_PATH, "/stream/ws", "/stream/ws/{place:.*}", "/ws", "/ws/{place:.*}")
SOCKET_COUNTER = "/stream"


class SandboxServer:
    """An exchange to practise on: it serves `market` at the time that `clock` tells.

    `seed` is only told to clients. `push_interval_s` is the least machine time between two pushes
    on a stream. `faults` and `push_slots` may be changed while the server runs.
    """

    def __init__(
        self,
        market: Market,
        clock: Clock,
        *,
        faults: FaultPlan = FaultPlan(),  # noqa: B008  # frozen, so one for all is safe
        seed: int | None = None,
        push_interval_s: float = PUSH_INTERVAL_S,
    ) -> None:
        self.counters = Counters()
        self._seed = seed
        self._stage = Stage(market, clock, faults, self.counters)
        self._names = names_of(market)
        self._public = PublicSide(self._stage)
        self._pusher = Pusher(self._stage, push_interval_s)
        self._runner: web.AppRunner | None = None
        self._pushing: asyncio.Task[None] | None = None

    @property
    def faults(self) -> FaultPlan:
        """The faults in force; their windows count from the server's start."""
        return self._stage.plan

    @faults.setter
    def faults(self, plan: FaultPlan) -> None:
        self._stage.plan = plan

    @property
    def push_slots(self) -> int:
        """Over how many moments a round of pushes is spread; 1 tells of all pairs at once."""
        return self._pusher.slots

    @push_slots.setter
    def push_slots(self, slots: int) -> None:
        self._pusher.slots = max(1, slots)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> SandboxAddress:
        """Listen, and return where; port 0 takes a free one. Raises PortInUseError, OSError."""
        runner = web.AppRunner(
            self._application(),
            access_log=None,
            handle_signals=False,
            handler_cancellation=True,
            shutdown_timeout=SHUTDOWN_TIMEOUT_S,
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            if error.errno == errno.EADDRINUSE:
                raise PortInUseError(host, port) from error
            raise
        self._runner = runner
        self._stage.started_ms = self._stage.clock.now_ms()
        self._pushing = asyncio.create_task(self._pusher.run_forever(), name="sandbox-pusher")
        return address_of(host, runner.addresses[0][1])

    async def serve_forever(self) -> None:
        """Wait until `stop` is called. Raises what broke the pusher, should it ever break."""
        if self._pushing is not None:
            await asyncio.wait({self._pushing})
            if not self._pushing.cancelled():
                self._pushing.result()

    async def stop(self) -> None:
        """Close all sockets and stop listening. A second call does nothing."""
        if self._pushing is not None:
            self._pushing.cancel()
            await asyncio.wait({self._pushing})
        async with asyncio.TaskGroup() as group:
            for socket in self._pusher.sockets:
                group.create_task(socket.close(CLOSE_GOING_AWAY, b"the sandbox stops"))
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = self._pushing = None

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=REQUEST_BYTES_MAX)
        application.router.add_get("/sandbox/time", self._tell_time)
        application.router.add_get("/sandbox/requests", self._tell_requests)
        for path in SOCKET_PATHS:
            application.router.add_get(path, self._serve_socket)
        application.router.add_route("*", "/{path:.*}", self._public.serve)
        return application

    async def _tell_time(self, _: web.Request) -> web.Response:
        """Tell the true market time and how fast it runs, whatever the faults are."""
        moment = self._stage.moment()
        body = {
            "market_time_ms": moment.now_ms,
            "speed": moment.speed,
            "seed": self._seed,
            "started_ms": moment.started_ms,
        }
        return json_response(body, {})

    async def _tell_requests(self, _: web.Request) -> web.Response:
        return json_response(self.counters.as_dict(), {})

    async def _serve_socket(self, request: web.Request) -> web.StreamResponse:
        """Shake hands, then feed and listen to one client until it leaves."""
        self.counters.requests[SOCKET_COUNTER] += 1
        match self._stage.reply_effect(Target(request.path)):
            case None:
                pass
            case Timeout(delay_s=delay_s):
                await asyncio.sleep(delay_s)
            case effect:
                return await spoil(request, web.Response(), effect)
        response = web.WebSocketResponse(
            heartbeat=PING_INTERVAL_S,
            timeout=CLOSE_TIMEOUT_S,
            compress=False,
            max_msg_size=REQUEST_BYTES_MAX,
        )
        if not response.can_prepare(request):
            return web.Response(status=426, headers={"Upgrade": "websocket"})
        await response.prepare(request)
        socket = Socket(
            response, request.transport, self.counters, is_combined=request.path == COMBINED_PATH
        )
        self._subscribe_by_path(socket, request)
        self._pusher.sockets.add(socket)
        self.counters.sockets_opened += 1
        self.counters.sockets_open += 1
        try:
            async with asyncio.TaskGroup() as group:
                writer = group.create_task(socket.write_forever())
                await socket.read_forever(self._names)
                writer.cancel()
        finally:
            self._pusher.sockets.discard(socket)
            self.counters.sockets_open -= 1
        return response

    def _subscribe_by_path(self, socket: Socket, request: web.Request) -> None:
        """Subscribe to the streams that the URL names; a client's own marks are passed over."""
        texts = request.query.get("streams", "") or request.match_info.get("place", "")
        known = [text for text in texts.split("/") if find_stream(text, self._names)]
        socket.subscribe(known[:STREAMS_PER_SOCKET_MAX], self._names)
