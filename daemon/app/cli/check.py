"""`tickd check`: everything that a start needs, tried one by one, each told in one line.

It changes nothing: the exchange is asked on a state folder of its own that is thrown away.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from daemon.adapters.storage import tools
from daemon.adapters.storage.folder import open_folder
from daemon.adapters.storage.lock import lock_folder
from daemon.adapters.storage.schema import Identity
from daemon.app.cli.alerts import ask_telegram
from daemon.app.cli.options import open_config
from daemon.app.cli.probe import NoAnswerError, ask, is_probe_page
from daemon.app.cli.terminal import Terminal
from daemon.app.config.address import Address
from daemon.app.config.load import Loaded
from daemon.app.config.problems import ConfigError, one_line
from daemon.app.config.settings import Config
from daemon.app.exit_codes import ExitCode
from daemon.app.loading import Code, LoadError, load_code, make_strategy
from daemon.app.opening import open_world
from daemon.app.state_folder import identity_of, state_folder
from daemon.core.errors import RejectedError, StateLockedError, TickdError
from daemon.core.guard import Raised, Returned
from daemon.core.strategy import Strategy
from daemon.live.workers import ThreadWorkers

PROBE_TIMEOUT_S = 2.0
CANDLES_ASKED = 5


class Verdict(Enum):
    """How a check ended: the word on the screen and its colour."""

    OK = ("ok", typer.colors.GREEN)
    WARN = ("warn", typer.colors.YELLOW)
    FAIL = ("fail", typer.colors.RED)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check came to, in words that name the remedy where one is needed."""

    verdict: Verdict
    what: str
    text: str


def check_all(
    terminal: Terminal, path: Path | None, settings: list[str] | None, *, offline: bool
) -> ExitCode:
    """Run every check and tell each; return the exit code."""
    try:
        loaded = open_config(terminal, path, settings)
        code = load_code(loaded.config, loaded.sources.origin)
    except ConfigError as error:
        for problem in error.problems:
            tell(terminal, Finding(Verdict.FAIL, "configuration", str(problem)))
        return ExitCode.CONFIG
    is_good = True
    for finding in _findings(loaded, code, offline=offline):
        tell(terminal, finding)
        is_good = is_good and finding.verdict is not Verdict.FAIL
    return ExitCode.OK if is_good else ExitCode.FINDINGS


def tell(terminal: Terminal, finding: Finding) -> None:
    """Print a finding."""
    word, colour = finding.verdict.value
    terminal.say(f"{typer.style(f'{word:<4}', fg=colour)}  {finding.what:<13}  {finding.text}")


def _findings(loaded: Loaded, code: Code, *, offline: bool) -> Iterator[Finding]:
    config = loaded.config
    tasks = sum(len(section.symbols) for section in config.strategies)
    yield _ok("configuration", f"{loaded.file_name}: {tasks} tasks, hash {config.fingerprint}")
    yield from check_strategies(config, code)
    yield from check_state_folder(config)
    if config.http.enabled:
        yield check_port(config)
    if not offline:
        yield from check_telegram(config)
        yield from asyncio.run(_check_exchange(config, code))


def check_strategies(config: Config, code: Code) -> Iterator[Finding]:
    """Make each strategy once, as the daemon would for each symbol."""
    limit_s = config.rules.max_signal_generation_seconds
    for section in config.strategies:
        make = partial(make_strategy, code.strategies[section.name])
        made = asyncio.run(_made(make, limit_s))
        if isinstance(made, str):
            yield Finding(Verdict.FAIL, "strategy", f"{section.name}: {made}")
            continue
        interval = section.interval or made.interval
        asked = f"asked every {interval} on {', '.join(section.symbols)}"
        yield _ok("strategy", f"{section.name}: {asked}")
    for profile in code.profiles:
        rules = ", ".join(rule.note for rule in profile.validations)
        yield _ok("risk", f"{profile.risk_name}: {rules}")


async def _made(make: Callable[[], Strategy], limit_s: float) -> Strategy | str:
    """Return the strategy, made where and in the time in which the daemon does, or the fault."""
    made: list[Strategy] = []
    workers = ThreadWorkers(1)
    outcome = await workers.call(lambda: made.append(make()), timeout_s=limit_s)
    workers.close()
    match outcome:
        case Returned():
            return made[0]
        case Raised(cause=LoadError()):
            return outcome.message
        case _:
            return f"its __init__ took over {limit_s:g} s (rules.max_signal_generation_seconds)"


def check_state_folder(config: Config) -> Iterator[Finding]:
    """Find out whether the state folder can be used; one that is not there yet is not made."""
    path = state_folder(config).absolute()
    for other in tools.other_folders(path):
        what = other.problem or f"{len(other.keys)} open signals that nobody follows"
        yield Finding(Verdict.WARN, "state folder", f"{other.path} beside it: {what}")
    if not path.exists():
        yield _check_new_folder(path)
        return
    try:
        folder = open_folder(path, create=False)
        try:
            lock_folder(folder).release()
        finally:
            folder.release()
        yield from _check_files(path, identity_of(config))
    except StateLockedError as error:
        yield Finding(Verdict.WARN, "state folder", str(error))
    except TickdError as error:
        yield Finding(Verdict.FAIL, "state folder", str(error))


def _check_files(path: Path, identity: Identity) -> Iterator[Finding]:
    checks = tools.verify(path, identity)
    for check in checks:
        if check.is_blocking:
            text = f"{check.file}: {check.message} (tickd state repair decides)"
            yield Finding(Verdict.FAIL, "state folder", one_line(text))
        elif not check.is_sound:
            text = f"{check.file}: {check.message}"
            yield Finding(Verdict.WARN, "state folder", one_line(text))
    sound = sum(check.is_sound for check in checks)
    yield _ok("state folder", f"{path} is free; {sound} of {len(checks)} files can be trusted")


def _check_new_folder(path: Path) -> Finding:
    parent = next(folder for folder in path.parents if folder.exists())
    if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
        return _ok("state folder", f"{path} will be made")
    text = f"{path} cannot be made: {parent} may not be written; set daemon.state_dir"
    return Finding(Verdict.FAIL, "state folder", text)


def check_telegram(config: Config) -> Iterator[Finding]:
    """Ask Telegram whether it knows the token and the chat; nothing is sent."""
    is_good, text = ask_telegram(config)
    if text:
        yield Finding(Verdict.OK if is_good else Verdict.FAIL, "telegram", text)


def check_port(config: Config) -> Finding:
    """Find out whether the pages can be served."""
    host, port = config.http.host, config.http.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except OSError as error:
            return _why_taken(config, error)
    return _ok("http", f"{host}:{port} is free")


def _why_taken(config: Config, error: OSError) -> Finding:
    host, port = config.http.host, config.http.port
    try:
        answer = ask(Address(host=host, port=port, name=host), "/livez", PROBE_TIMEOUT_S)
        is_tickd = is_probe_page(answer)
    except NoAnswerError:
        is_tickd = False
    if is_tickd:
        return Finding(Verdict.WARN, "http", f"{host}:{port} is in use: the daemon seems to run")
    text = f"{host}:{port} cannot be used ({error.strerror}): free it, or set http.port"
    return Finding(Verdict.FAIL, "http", text)


async def _check_exchange(config: Config, code: Code) -> list[Finding]:
    with TemporaryDirectory(prefix="tickd-check-") as scratch:
        apart = config.model_copy(
            update={
                "daemon": config.daemon.model_copy(update={"state_dir": Path(scratch)}),
                "sandbox": config.sandbox.model_copy(update={"port": 0}),
                # One try is enough for a question that a person waits for.
                "rules": replace(config.rules, get_candles_retry_count=1),
            }
        )
        try:
            return await _ask_exchange(apart, code)
        except RejectedError as error:
            return [Finding(Verdict.FAIL, "exchange", str(error))]
        except TickdError as error:
            text = f"{error} (is the network there? --offline leaves this out)"
            return [Finding(Verdict.FAIL, "exchange", text)]


async def _ask_exchange(config: Config, code: Code) -> list[Finding]:
    findings: list[Finding] = []
    async with open_world(config, (), tuple(code.strategies.values())) as world:
        await world.connect()
        findings.append(_ok("exchange", f"{world.where} has {', '.join(config.symbols)}"))
        before_ms = world.clock.now_ms()
        told_ms = await world.data.server_time_ms()
        # Half the round trip has passed since the answer was made.
        skew_ms = told_ms - (before_ms + world.clock.now_ms()) // 2
        findings.append(
            _clock(skew_ms, round(config.exchange.clock_skew_max_ms * world.clock.speed))
        )
        for symbol in config.symbols[:1]:
            rows = await world.data.candles(symbol, "1m", None, CANDLES_ASKED)
            if not rows:
                findings.append(Finding(Verdict.FAIL, "candles", f"{symbol}: there are none"))
                continue
            findings.append(
                _ok("candles", f"{symbol}: {len(rows)} minutes, last {rows[-1].close:g}")
            )
    return findings


def _clock(skew_ms: int, skew_ms_max: int) -> Finding:
    if abs(skew_ms) <= skew_ms_max:
        return _ok("clock", f"{skew_ms:+d} ms off the exchange's")
    text = f"{skew_ms:+d} ms off the exchange's: let NTP set this machine's clock"
    return Finding(Verdict.WARN, "clock", text)


def _ok(what: str, text: str) -> Finding:
    return Finding(Verdict.OK, what, text)
