"""A daemon among saboteurs, in a process of its own: it lives, and it ends when it is asked to."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.app.exit_codes import ExitCode
from daemon.app.service_loop import ServiceLoop
from daemon.core.errors import TransientError

ROOT = Path(__file__).parents[2]

SABOTEURS = """
import asyncio, os, resource, signal, sys, threading, time
from daemon import Strategy

class Saboteur(Strategy):
    interval = "1m"

class Cancels(Saboteur):
    async def get_signal(self, view):
        for task in asyncio.all_tasks(): task.cancel()

class Stops(Saboteur):
    async def get_signal(self, view):
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.stop)

class Forks(Saboteur):
    async def get_signal(self, view): os.fork()

class ForksInThread(Saboteur):
    def get_signal(self, view): os.fork()

class Deafens(Saboteur):
    async def get_signal(self, view):
        for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)

class Muffles(Saboteur):
    async def get_signal(self, view):
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        os.umask(0o777)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (5, hard))

class Gags(Saboteur):
    async def get_signal(self, view): os.close(1)

class Forgets(Saboteur):
    async def get_signal(self, view): asyncio.sleep(1)

class Exits(Saboteur):
    async def get_signal(self, view):
        async def leave(): sys.exit(3)
        asyncio.create_task(leave())

class Lingers(Saboteur):
    async def get_signal(self, view):
        threading.Thread(target=time.sleep, args=(600,)).start()
        async def stubborn():
            while True:
                try: await asyncio.sleep(600)
                except asyncio.CancelledError: pass
        self.task = asyncio.create_task(stubborn())
"""
NAMES = (
    "Cancels",
    "Stops",
    "Forks",
    "ForksInThread",
    "Deafens",
    "Muffles",
    "Gags",
    "Forgets",
    "Exits",
    "Lingers",
)


def write_saboteurs(folder: Path) -> None:
    (folder / "saboteurs.py").write_text(SABOTEURS)
    tables = [
        f'[[strategies]]\nname = "{name}"\npath = "./saboteurs.py:{name}"\nsymbols = ["BTC/USDT"]\n'
        for name in NAMES
    ]
    (folder / "config.toml").write_text("[http]\nenabled = false\n" + "".join(tables))


def test_p16_a_daemon_among_saboteurs_lives_and_ends_at_a_word(tmp_path: Path) -> None:
    write_saboteurs(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "daemon", "run"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    seen: list[dict[str, object]] = []
    told = {
        "tried to cancel",
        "SIGTERM, SIGINT, SIGALRM",
        "stopped the event loop",
        "Exits started",
        "BTC/USDT/Muffles has changed the signals that it hears, the mask of new files, the limit",
    }
    try:
        for line in process.stdout:
            seen.append(json.loads(line))
            if told.issubset({word for word in told for event in seen if word in str(event)}):
                break
        process.send_signal(signal.SIGTERM)
        rest, wrong = process.communicate(timeout=60)
    finally:
        process.kill()

    assert process.returncode == 0, wrong
    assert wrong == ""
    events = [*seen, *(json.loads(line) for line in rest.splitlines())]
    assert [event["event"] for event in events][-1] == "stopped"
    assert "write await in front of its call" in str(events)
    assert sum(event["event"] == "started" for event in events) == 1, "a copy went on as a daemon"


def a_service_loop() -> ServiceLoop:
    return ServiceLoop(asyncio.new_event_loop)


def test_what_is_cancelled_from_inside_ends_with_a_line() -> None:
    async def serve() -> int:
        raise asyncio.CancelledError

    with pytest.raises(TransientError, match="cancelled from inside"):
        a_service_loop().run(serve())


def test_a_loop_that_was_stopped_goes_on() -> None:
    async def serve() -> int:
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.stop)
        await asyncio.sleep(0.01)
        return 7

    assert a_service_loop().run(serve()) == 7


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, ExitCode.OK)]
)
def test_a_signal_before_there_is_a_daemon_ends_at_once(number: int, code: ExitCode) -> None:
    async def serve() -> int:
        os.kill(os.getpid(), number)
        await asyncio.Event().wait()
        return 0

    assert a_service_loop().run(serve()) == code
