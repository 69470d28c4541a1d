"""HTTP's way in: each request is counted, weighed, answered or refused as Binance would.

What the fault plan does to an answer is done last: the request has been carried out by then.
"""

import asyncio
import math
from typing import assert_never

import orjson
from aiohttp import web

from daemon.simulation.faults import Body, LostReply, ReplyEffect, Status, Target, Timeout
from daemon.simulation.server.errors import ApiError, banned, failure, over_limit, unsupported
from daemon.simulation.server.limits import Admitted, Banned, Refused, WeightBudget
from daemon.simulation.server.questions import Question, names_of
from daemon.simulation.server.rest import ENDPOINTS, Endpoint, Json
from daemon.simulation.server.scene import Stage

OTHER_PATHS = "(other)"
HTML_PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>"


class PublicSide:
    """Answers the REST requests that need no account."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._names = names_of(stage.market)
        self._budget = WeightBudget()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        endpoint = ENDPOINTS.get(request.path) if request.method == "GET" else None
        self._stage.counters.requests[request.path if endpoint else OTHER_PATHS] += 1
        if endpoint is None:
            return refusal(unsupported(f"{request.method} {request.path}"), {})
        answer = self._weigh(request, endpoint)
        symbol = self._names.get(request.query.get("symbol", ""), "")
        effect = self._stage.reply_effect(Target(request.path, symbol))
        return answer if effect is None else await spoil(request, answer, effect)

    def _weigh(self, request: web.Request, endpoint: Endpoint) -> web.Response:
        """Charge the request's weight, then answer it or turn it away."""
        weight = endpoint.weight(request.query)
        verdict = self._budget.charge(weight, asyncio.get_running_loop().time())
        used = str(verdict.used)
        headers = {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used}
        match verdict:
            case Admitted():
                return self._answer(request, endpoint, headers)
            case Refused(_, wait_s):
                self._stage.counters.requests_refused += 1
                error = over_limit(self._budget.weight_max)
                return refusal(error, headers | {"Retry-After": str(wait_s)})
            case Banned(_, wait_s):
                self._stage.counters.requests_refused += 1
                clock = self._stage.clock
                error = banned(clock.now_ms() + math.ceil(wait_s * 1000 * clock.speed))
                return refusal(error, headers | {"Retry-After": str(wait_s)})
            case _:
                assert_never(verdict)

    def _answer(
        self, request: web.Request, endpoint: Endpoint, headers: dict[str, str]
    ) -> web.Response:
        scene = self._stage.scene(request.path, self._stage.moment())
        question = Question(scene=scene, names=self._names, parameters=request.query)
        try:
            return json_response(endpoint.answer(question), headers)
        except ApiError as error:
            return refusal(error, headers)


def json_response(body: Json, headers: dict[str, str]) -> web.Response:
    """Return `body` as JSON with status 200."""
    return web.Response(
        body=orjson.dumps(body), content_type="application/json", charset="utf-8", headers=headers
    )


def refusal(error: ApiError, headers: dict[str, str]) -> web.Response:
    """Return an error in Binance's shape."""
    response = json_response(error.body(), headers)
    response.set_status(error.status)
    return response


async def spoil(
    request: web.Request, answer: web.Response, effect: ReplyEffect
) -> web.StreamResponse:
    """Return what is left of `answer` after a fault: late, cut off, or something else."""
    match effect:
        case Timeout(delay_s=delay_s):
            await asyncio.sleep(delay_s)
            return answer
        case LostReply():
            if request.transport is not None:
                request.transport.abort()
            return answer
        case Status():
            return _with_status(answer, effect)
        case _:
            assert_never(effect)


def _with_status(answer: web.Response, effect: Status) -> web.Response:
    """Return an answer with the status and the body that a fault asks for."""
    headers = {}
    if effect.retry_after_s is not None:
        headers["Retry-After"] = str(math.ceil(effect.retry_after_s))
    right = answer.body if isinstance(answer.body, bytes) else b""
    match effect.body:
        case Body.JSON:
            return refusal(failure(effect.status), headers)
        case Body.HTML:
            page = HTML_PAGE.format(effect.status)
            return web.Response(
                status=effect.status, text=page, content_type="text/html", headers=headers
            )
        case Body.EMPTY:
            return web.Response(status=effect.status, headers=headers)
        case Body.TRUNCATED:
            return web.Response(
                status=effect.status,
                body=right[: len(right) // 2],
                content_type="application/json",
                charset="utf-8",
                headers=headers,
            )
        case _:
            assert_never(effect.body)
