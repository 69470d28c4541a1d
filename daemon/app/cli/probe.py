"""Asking the running daemon over HTTP, with the standard library alone: it must start fast."""

import http.client
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import typer

from daemon.app.config.address import Address, read_address
from daemon.app.config.problems import one_line
from daemon.core.errors import RejectedError

API = "/api/"
BODY_BYTES_MAX = 64 << 20


class NoAnswerError(RejectedError):
    """No daemon answers at the address."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the daemon answered."""

    status: int
    body: str


def is_probe_page(answer: Answer) -> bool:
    """Say whether this is what a daemon of ours answers on /livez or /readyz."""
    told = _parse(answer)
    return isinstance(told.get("live", told.get("ready")), bool)


def summary(answer: Answer) -> str:
    """Return what a probe page said, in one line: the states of all tasks are too much."""
    reasons = _parse(answer).get("reasons")
    if isinstance(reasons, list) and reasons:
        return one_line("; ".join(map(str, reasons)))
    return "ok" if answer.status == HTTPStatus.OK else f"HTTP {answer.status}"


def _parse(answer: Answer) -> dict[str, Any]:
    try:
        told = json.loads(answer.body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def find_daemon(path: Path | None, url: str | None) -> Address:
    """Return where the daemon answers: at `url`, else as configured. Raises ConfigError."""
    if url is None:
        return read_address(path, os.environ)
    parts = urlsplit(url if "//" in url else f"//{url}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port or parts.scheme not in {"", "http"}:
        raise typer.BadParameter(f"{url!r} is no address: write http://127.0.0.1:8420")
    return Address(host=host, port=port, name=host)


def ask(address: Address, path: str, timeout_s: float) -> Answer:
    """Return the answer to a GET. Raises NoAnswerError."""
    return send(address, "GET", path, timeout_s)


def send(  # noqa: PLR0913 - what an HTTP request is made of
    address: Address,
    method: str,
    path: str,
    timeout_s: float,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Answer:
    """Return the answer to a request. Raises NoAnswerError."""
    connection = http.client.HTTPConnection(address.host, address.port, timeout=timeout_s)
    by_socket = bool(address.socket) and path.startswith(API)
    place = address.socket if by_socket else str(address)
    called = {"Host": f"{address.name}:{address.port}", **headers}
    try:
        if by_socket:
            connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.sock.settimeout(timeout_s)
            connection.sock.connect(address.socket)
        connection.request(method, path, body, called)
        response = connection.getresponse()
        return Answer(response.status, response.read(BODY_BYTES_MAX).decode("utf-8", "replace"))
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise NoAnswerError(f"no daemon answers at {place} ({reason})") from None
    finally:
        connection.close()


def ask_probe_page(address: Address, path: str, timeout_s: float) -> Answer:
    """Return what /livez or /readyz says. Raises NoAnswerError, also if nobody of ours answers."""
    answer = ask(address, path, timeout_s)
    if not is_probe_page(answer):
        raise NoAnswerError(f"what answers at {address} is no tickd (HTTP {answer.status})")
    return answer
