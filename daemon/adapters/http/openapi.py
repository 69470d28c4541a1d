"""The control API as an OpenAPI document, made from the types that it reads and answers with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

from pydantic import ConfigDict, TypeAdapter

from daemon.core.commands import CommandName, CommandResult, ReloadResult
from daemon.ports import DaemonStatus

COMMANDS: tuple[CommandName, ...] = get_args(CommandName)

SUMMARIES: Mapping[CommandName, str] = {
    "pause": "Open nothing new. What is open is watched to its end; a signal that waits is dropped"
    " when its entry is reached.",
    "resume": "End a pause.",
    "stop": "Stop a task: what waits is cancelled, what is open is watched to its end.",
    "start": "Start a stopped task again.",
    "close": "Close an open signal now, at the current price.",
    "cancel": "Cancel a signal that waits for its entry.",
}


_STRICT = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandBody:
    """Which tasks a command is about: all that fit. With `all`, every task."""

    __pydantic_config__ = _STRICT

    symbol: str = ""
    strategy: str = ""
    signal_id: str = ""
    all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadBody:
    """What becomes of a removed task that holds a signal; left out, as configured."""

    __pydantic_config__ = _STRICT

    removal: Literal["refuse", "drain"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandReport:
    """What a command did, task by task."""

    command: CommandName
    results: tuple[CommandResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a request was not carried out: `code` for programs, `message` for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultReport:
    """Every answer that is no success."""

    error: Fault


FAULTS: Mapping[str, str] = {
    "400": "The body is no JSON, or not what is asked for.",
    "401": "The token is missing or wrong.",
    "403": "A page from elsewhere asked.",
    "404": "There is no such task, signal or path.",
    "405": "Another method is needed.",
    "408": "The body did not come in time.",
    "409": "It cannot be done as things stand.",
    "413": "The body is too large.",
    "415": "The body must be JSON.",
    "421": "That is not a name of this daemon.",
    "503": "It cannot be done now.",
}
_Input = tuple[type, Literal["validation", "serialization"], TypeAdapter[Any]]
ANSWERS = (CommandReport, ReloadResult, DaemonStatus, FaultReport)
READ_FAULTS = ("401", "403", "405", "421")
_SCHEMAS = "#/components/schemas/{model}"


@cache
def openapi_bytes() -> bytes:
    """Return the document as JSON."""
    return (json.dumps(openapi_document(), indent=2, ensure_ascii=False) + "\n").encode()


def openapi_document() -> dict[str, Any]:
    """Return the document: OpenAPI 3.1."""
    adapters: list[_Input] = [
        *((model, "validation", TypeAdapter(model)) for model in (CommandBody, ReloadBody)),
        *((model, "serialization", TypeAdapter(model)) for model in ANSWERS),
    ]
    _, shared = TypeAdapter.json_schemas(adapters, ref_template=_SCHEMAS)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tickd",
            "version": "1",
            "description": "Look at the running daemon and tell it what to do. Everything needs"
            " the token, but this document. Commands may be given twice: the second does nothing.",
        },
        "security": [{"token": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": shared["$defs"],
        },
    }


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = {
        "/api/openapi.json": {
            "get": {
                "operationId": "openapi",
                "summary": "This document.",
                "security": [],
                "responses": {
                    "200": _json({"type": "object"}, "The document."),
                    **_faults("403", "405", "421"),
                },
            }
        },
        "/api/v1/status": {
            "get": {
                "operationId": "status",
                "summary": "How the daemon stands, task by task.",
                "responses": {
                    "200": _json(_ref("DaemonStatus"), "How it stands."),
                    **_faults(*READ_FAULTS),
                },
            }
        },
    }
    for name in COMMANDS:
        paths[f"/api/v1/{name}"] = {
            "post": _post(name, SUMMARIES[name], "CommandBody", "CommandReport")
        }
    summary = "Take the configuration anew: the whole of it, or nothing where it cannot be used."
    paths["/api/v1/reload"] = {"post": _post("reload", summary, "ReloadBody", "ReloadResult")}
    return paths


def _post(name: str, summary: str, body: str, answer: str) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": summary,
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref(body)}}},
        "responses": {
            "200": _json(_ref(answer), "Done, or there was nothing to do: see each outcome."),
            "202": _json(_ref(answer), "It takes longer than an answer may, and goes on."),
            **_faults(*FAULTS),
        },
    }


def _faults(*codes: str) -> dict[str, Any]:
    return {code: _json(_ref("FaultReport"), FAULTS[code]) for code in codes}


def _json(schema: Mapping[str, Any], description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": dict(schema)}}}


def _ref(model: str) -> dict[str, str]:
    return {"$ref": _SCHEMAS.format(model=model)}
