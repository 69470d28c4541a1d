"""`tickd sandbox`: the sandbox exchange alone, for people who test bots of their own on it."""

import asyncio
import signal
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from daemon.adapters.storage.folder import Folder, open_folder
from daemon.adapters.storage.lock import lock_folder
from daemon.app.cli.terminal import Terminal
from daemon.app.config.explain import explain
from daemon.app.config.problems import ConfigError, KeyPath, Problem
from daemon.app.config.sandbox import PairSection, SandboxSection
from daemon.app.config.toml_file import read_toml
from daemon.app.embedded import prepare
from daemon.app.exit_codes import ExitCode
from daemon.core.errors import FatalError
from daemon.simulation.fault_file import FaultPlanError, parse_fault_plan
from daemon.simulation.server.client import SandboxAddress
from daemon.simulation.server.errors import PortInUseError

FOLDER = "sandbox-server"
HOST = "127.0.0.1"
PRICE_START = 100.0
_FLAGS = {"pairs": "--symbols", "replay_symbol": "--symbols", "faults": "--fault-plan"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxFlags:
    """What the command line says over the [sandbox] table; None leaves the table's value."""

    port: int | None = None
    speed: float | None = None
    seed: int | None = None
    replay: Path | None = None
    symbols: str | None = None
    fault_plan: Path | None = None


def with_flags(section: SandboxSection, flags: SandboxFlags) -> SandboxSection:
    """Return the table with the flags over it. Raises ConfigError."""
    values = {**section.model_dump(), **_given(section, flags)}
    try:
        return SandboxSection.model_validate(values)
    except ValidationError as error:
        found = explain(error, values, _flag_of)
        raise ConfigError([replace(problem, key="") for problem in found]) from None


def serve(
    terminal: Terminal, section: SandboxSection, state_dir: Path, stop_after_s: float | None
) -> int:
    """Run the sandbox until Ctrl-C, SIGTERM or `stop_after_s`; return the exit code.

    It goes on from the time at which it last ended. Raises FatalError for a port in use,
    RejectedError for a candle file that cannot be used, StateLockedError if another one runs on
    the same folder.
    """
    folder = open_folder(state_dir / FOLDER)
    lock = lock_folder(folder)
    try:
        return asyncio.run(_serve(terminal, section, folder, stop_after_s))
    finally:
        lock.release()
        folder.release()


async def _serve(
    terminal: Terminal, section: SandboxSection, folder: Folder, stop_after_s: float | None
) -> int:
    loop = asyncio.get_running_loop()
    embedded = prepare(section, folder, journal_ms=0, history_ms=0, machine_s=loop.time)
    try:
        address = await embedded.server.start(HOST, section.port)
    except PortInUseError as error:
        raise FatalError(str(error)) from error
    _greet(terminal, address, list(embedded.market.specs), section.speed)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    serving = loop.create_task(embedded.keep_going())
    waiting = loop.create_task(stopped.wait())
    try:
        await asyncio.wait(
            {serving, waiting}, timeout=stop_after_s, return_when=asyncio.FIRST_COMPLETED
        )
        if serving.done():
            serving.result()
    finally:
        for task in (serving, waiting):
            task.cancel()
        await embedded.server.stop()
        await asyncio.to_thread(embedded.save)
    return ExitCode.OK


def _greet(terminal: Terminal, address: SandboxAddress, symbols: list[str], speed: float) -> None:
    terminal.say(f"REST       {address.rest_url}")
    terminal.say(f"WebSocket  {address.ws_url}")
    terminal.say(f"Time       {address.root_url}/sandbox/time (x{speed:g})")
    terminal.say(f"Markets    {', '.join(symbols)}")
    terminal.say("\nFor a tickd of another process, in its config.toml:\n")
    terminal.say(f'[exchange]\nid = "sandbox"\n\n[sandbox]\nurl = "{address.root_url}"\n')
    terminal.note("Ctrl-C stops it; the next run goes on from there")


def _given(section: SandboxSection, flags: SandboxFlags) -> dict[str, Any]:
    names = ("port", "speed", "seed", "replay")
    given = {name: getattr(flags, name) for name in names if getattr(flags, name) is not None}
    if flags.symbols:
        symbols = [symbol.strip() for symbol in flags.symbols.split(",")]
        if section.replay is None and flags.replay is None:
            given["pairs"] = tuple(_pairs(section.pairs, symbols))
        else:
            given["replay_symbol"] = symbols[0]
    if flags.fault_plan is not None:
        given["faults"] = _fault_plan(flags.fault_plan)
    return given


def _pairs(known: Iterable[PairSection], symbols: Iterable[str]) -> Iterable[dict[str, Any]]:
    """Yield the table of each symbol, one of our own making where there is none."""
    by_symbol = {pair.symbol: pair.model_dump() for pair in known}
    for symbol in symbols:
        yield by_symbol.get(symbol, {"symbol": symbol, "price_start": PRICE_START})


def _fault_plan(path: Path) -> dict[str, Any]:
    data = read_toml(path).data
    plan = data.get("faults", data)
    try:
        parse_fault_plan(plan)
    except FaultPlanError as error:
        raise ConfigError([Problem(where=str(path), message=str(error))]) from None
    return dict(plan)


def _flag_of(path: KeyPath) -> str:
    name = str(path[0]) if path else "sandbox"
    return _FLAGS.get(name, f"--{name}")
