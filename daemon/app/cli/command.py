"""`tickd pause`, `close`, `reload` and the like: what is asked of the running daemon, and told."""

import getpass
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import typer

from daemon.app.cli.probe import Answer, NoAnswerError, find_daemon, send
from daemon.app.cli.terminal import Terminal
from daemon.app.config.address import Address, read_token, token_of
from daemon.app.config.problems import ConfigError, Problem, one_line
from daemon.app.exit_codes import ExitCode

COLOURS = {
    "done": typer.colors.GREEN,
    "refused": typer.colors.RED,
    "pending": typer.colors.YELLOW,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How to reach the daemon."""

    config: Path | None
    url: str | None
    token_file: Path | None
    timeout_s: float

    def address(self) -> Address:
        """Return where it answers. Raises ConfigError."""
        return find_daemon(self.config, self.url)

    def token(self) -> str:
        """Return what it lets in. Raises ConfigError."""
        if self.token_file is not None:
            return token_of(self.token_file, os.environ)
        return read_token(self.config, os.environ)


def target_of(names: Sequence[str], signal_id: str, *, everything: bool) -> dict[str, object]:
    """Return the body that says whom a command is about. Raises typer.BadParameter."""
    if len(names) > 2:
        raise typer.BadParameter("name a symbol, a strategy, or both: tickd pause BTC/USDT mine")
    symbol, strategy = (*names, "")[:2] if names else ("", "")
    if len(names) == 1 and "/" not in symbol:
        symbol, strategy = "", symbol
    if not (symbol or strategy or signal_id) and not everything:
        raise typer.BadParameter("name a symbol, a strategy or both, or say --all")
    if everything and (symbol or strategy or signal_id):
        raise typer.BadParameter("--all means every task: name none beside it")
    return {"symbol": symbol, "strategy": strategy, "signal_id": signal_id, "all": everything}


def command(
    terminal: Terminal, line: Line, name: str, body: Mapping[str, object], *, as_json: bool
) -> int:
    """Give a command, print what came of it, and return the exit code.

    Raises NoAnswerError, ConfigError.
    """
    address = line.address()
    try:
        token = line.token()
    except ConfigError:
        # Where no daemon runs, that is the news.
        send(address, "GET", "/livez", line.timeout_s)
        raise
    terminal.hide([token])
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "X-Tickd-Caller": f"cli {_user()}",
    }
    path = f"/api/v1/{name}"
    answer = send(
        address, "POST", path, line.timeout_s, body=json.dumps(body).encode(), headers=headers
    )
    told = _parse(answer, address)
    if answer.status == HTTPStatus.UNAUTHORIZED:
        raise _wrong_token(line)
    if as_json:
        terminal.say(json.dumps(told, indent=2))
    else:
        _print(terminal, told)
    return _exit_code(answer, told)


def _print(terminal: Terminal, told: Mapping[str, Any]) -> None:
    error = told.get("error")
    if isinstance(error, Mapping):
        terminal.fail(f"tickd: {one_line(str(error.get('message', 'refused')))}")
        return
    results = told.get("results")
    for result in results if isinstance(results, list) else []:
        task = f"{result.get('symbol', '')} {result.get('strategy_name', '')}"
        _say(terminal, str(result.get("outcome")), f"{task}: {result.get('message', '')}")
    if "needs_restart" not in told:
        return
    _say(terminal, str(told.get("outcome")), str(told.get("message", "")))
    for what in ("added", "removed", "changed"):
        for name in told.get(what) or ():
            terminal.say(one_line(f"  {what} {name}"))
    for name in told.get("needs_restart") or ():
        terminal.say(one_line(f"  needs a restart: {name}"))


def _say(terminal: Terminal, outcome: str, text: str) -> None:
    if outcome in COLOURS:
        text = typer.style(one_line(text), fg=COLOURS[outcome])
    terminal.say(text)


def _exit_code(answer: Answer, told: Mapping[str, Any]) -> int:
    results = told.get("results") or [told]
    outcomes = {result.get("outcome") for result in results if isinstance(result, Mapping)}
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE or "pending" in outcomes:
        return ExitCode.TEMPORARY
    if answer.status >= HTTPStatus.BAD_REQUEST or "refused" in outcomes:
        return ExitCode.FINDINGS
    return ExitCode.OK


def _parse(answer: Answer, address: Address) -> Mapping[str, Any]:
    try:
        told = json.loads(answer.body)
    except ValueError:
        told = None
    if isinstance(told, dict) and ("error" in told or "outcome" in told or "results" in told):
        return told
    if answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
        raise NoAnswerError(
            f"the daemon at {address} takes no commands: `control` under [http] is off, or it is"
            " older than this command line"
        )
    raise NoAnswerError(f"what answers at {address} is no tickd (HTTP {answer.status})")


def _wrong_token(line: Line) -> ConfigError:
    return ConfigError(
        [
            Problem(
                where="the token of the daemon",
                message="it does not take this one",
                remedy="Give the configuration that it runs with (--config), or its --token-file;"
                f" at {line.address()} may be another daemon",
            )
        ]
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
