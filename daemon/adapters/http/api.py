"""The control API: what may be commanded over HTTP, by whom, and how it is answered.

Whoever has the token may do everything here. No GET changes anything; a command is a POST of JSON,
which no foreign page can send. Every answer that is no success has one shape: {"error": {...}}.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from hmac import compare_digest
from math import inf
from typing import TypeVar

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from daemon.adapters.http.answers import JSON, Page, json_text
from daemon.adapters.http.openapi import (
    COMMANDS,
    CommandBody,
    CommandReport,
    ReloadBody,
    openapi_bytes,
)
from daemon.core.commands import Caller, CommandName, ReloadResult, Target
from daemon.core.errors import RejectedError, TickdError, UnknownTargetError
from daemon.core.redaction import Redactor
from daemon.ports import Control, Status

PREFIX = "/api/"
BODY_BYTES_MAX = 4096
BODY_S_MAX = 5.0
DENIAL_S = 60.0
CALLER_HEADER = "X-Tickd-Caller"

Body = TypeVar("Body", CommandBody, ReloadBody)


class _RefusedError(Exception):
    """The request gets no further; `code` names the reason for programs."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}


Handler = Callable[[web.BaseRequest], Awaitable[Page]]


class Api:
    """Answers everything below /api/. `token` may be exchanged while it serves."""

    def __init__(self, control: Control, status: Status, token: str, redactor: Redactor) -> None:
        self._control = control
        self._status = status
        self._token = b""
        self._quiet_until_s = -inf
        self._redactor = redactor
        self.change_token(token)
        self._routes: Mapping[str, Mapping[str, Handler]] = {
            "/api/openapi.json": {"GET": self._openapi},
            "/api/v1/status": {"GET": self._tell_status},
            "/api/v1/reload": {"POST": self._reload},
            **{f"/api/v1/{name}": {"POST": partial(self._command, name)} for name in COMMANDS},
        }

    def change_token(self, token: str) -> None:
        """Let in whoever has this token, and nobody else."""
        self._token = token.encode("utf-8", "surrogatepass")

    async def answer(self, request: web.BaseRequest) -> Page:
        """Return the answer to a request that the server has let in by its Host and Origin."""
        try:
            return await self._handler(request)(request)
        except _RefusedError as refusal:
            return self._error(refusal.status, refusal.code, str(refusal), refusal.headers)
        except UnknownTargetError as error:
            return self._error(404, "unknown_task", str(error))
        except RejectedError as error:
            return self._error(409, "refused", str(error))
        except TickdError as error:
            return self._error(503, "unavailable", str(error))

    def _handler(self, request: web.BaseRequest) -> Handler:
        methods = self._routes.get(request.path)
        is_open = request.path == "/api/openapi.json"
        if not is_open and not self._may(request):
            self._tell_denial(request)
            raise _RefusedError(
                401,
                "unauthorized",
                "this needs the token: Authorization: Bearer ... (see `token_file` under [http])",
                {"WWW-Authenticate": 'Bearer realm="tickd"'},
            )
        if methods is None:
            raise _RefusedError(
                404, "not_found", "there is no such path: see /api/openapi.json", {}
            )
        method = "GET" if request.method == "HEAD" else request.method
        if method not in methods:
            allowed = ", ".join(("GET", "HEAD") if "GET" in methods else methods)
            raise _RefusedError(
                405, "method_not_allowed", f"only {allowed} here", {"Allow": allowed}
            )
        return methods[method]

    def _tell_denial(self, request: web.BaseRequest) -> None:
        """Leave a line of who came without the token; of many, one a minute."""
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._quiet_until_s:
            self._quiet_until_s = now_s + DENIAL_S
            logging.getLogger(__name__).warning(
                "api_denied: %s without the token, from %s", request.path, request.remote
            )

    def _may(self, request: web.BaseRequest) -> bool:
        headers = request.headers.getall("Authorization", [])
        scheme, _, given = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
        told = given.strip().encode("utf-8", "surrogateescape")
        # Compared in the same time whatever was given, and never equal to no token at all.
        is_same = compare_digest(told, self._token)
        return is_same and scheme.lower() == "bearer" and bool(self._token)

    # -- Answers -----------------------------------------------------------------------------------

    async def _openapi(self, request: web.BaseRequest) -> Page:
        del request
        return Page(200, JSON, openapi_bytes())

    async def _tell_status(self, request: web.BaseRequest) -> Page:
        del request
        return self._page(200, self._status.snapshot())

    async def _command(self, name: CommandName, request: web.BaseRequest) -> Page:
        body = await _read(request, _COMMAND_BODY)
        target = Target(symbol=body.symbol, strategy_name=body.strategy, signal_id=body.signal_id)
        if (target == Target()) != body.all:
            message = "name a symbol, a strategy or a signal_id, or say all: true, and not both"
            raise _RefusedError(400, "bad_request", message)
        results = await self._control.command(name, target, _caller_of(request))
        refused = [result.message for result in results if result.outcome == "refused"]
        report = CommandReport(command=name, results=results)
        if refused and len(refused) == len(results):
            return self._error(409, "refused", "; ".join(refused[:5]))
        is_pending = any(result.outcome == "pending" for result in results)
        return self._page(202 if is_pending else 200, report)

    async def _reload(self, request: web.BaseRequest) -> Page:
        body = await _read(request, _RELOAD_BODY)
        drains = None if body.removal is None else body.removal == "drain"
        result = await self._control.reload(_caller_of(request), drains=drains)
        return self._page(_RELOAD_STATUS.get(result.outcome, 200), self._reloaded(result))

    def _reloaded(self, result: ReloadResult) -> object:
        if result.outcome != "refused":
            return result
        return {"error": {"code": "refused", "message": result.message}}

    def _error(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> Page:
        page = self._page(status, {"error": {"code": code, "message": message}})
        return Page(page.status, page.content_type, page.body, headers or {})

    def _page(self, status: int, value: object) -> Page:
        return Page(status, JSON, self._redactor.redact(json_text(value)).encode())


_RELOAD_STATUS = {"refused": 409, "pending": 202}
_COMMAND_BODY: TypeAdapter[CommandBody] = TypeAdapter(CommandBody)
_RELOAD_BODY: TypeAdapter[ReloadBody] = TypeAdapter(ReloadBody)


def _caller_of(request: web.BaseRequest) -> Caller:
    """Return who says to ask, and from where; the token is what was proven."""
    told = request.headers.get(CALLER_HEADER, "").strip()
    where = request.remote or "local socket"
    if told.startswith("cli "):
        return Caller(origin="cli", identity=f"{told[4:]} from {where}")
    return Caller(origin="api", identity=f"{told} from {where}" if told else where)


async def _read(request: web.BaseRequest, adapter: TypeAdapter[Body]) -> Body:
    """Return the body of a command. Raises _RefusedError."""
    if request.content_type != JSON:
        raise _RefusedError(
            415, "unsupported_media_type", "send JSON, with Content-Type: application/json"
        )
    raw = await _bytes_of(request)
    try:
        return adapter.validate_json(raw or b"{}")
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, fault["loc"]))
        message = f"{where}: {fault['msg']}" if where else str(fault["msg"])
        raise _RefusedError(400, "bad_request", message) from None


async def _bytes_of(request: web.BaseRequest) -> bytes:
    too_large = _RefusedError(413, "too_large", f"at most {BODY_BYTES_MAX} bytes")
    if (request.content_length or 0) > BODY_BYTES_MAX:
        raise too_large
    raw = b""
    try:
        async with asyncio.timeout(BODY_S_MAX):
            while chunk := await request.content.readany():
                raw += chunk
                if len(raw) > BODY_BYTES_MAX:
                    raise too_large
    except TimeoutError:
        raise _RefusedError(408, "timeout", "the body did not come") from None
    return raw
