"""One daemon that is killed and started again, with a look into its folder after each kill."""

import asyncio
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from multiprocessing.reduction import recv_handle
from pathlib import Path
from tempfile import TemporaryDirectory

from daemon.adapters.clock import wall_ms
from daemon.adapters.storage.opening import StorageOptions, open_storage
from tests.crash.child import IDENTITY, Child, newest_ms, start
from tests.crash.invariants import Image, Told, faults_after_kill, faults_at_rest
from tests.crash.receiver import Receiver
from tests.crash.system_calls import Call, Watch

PATIENCE_S = 60.0
"""So long a daemon may take to come to rest; then it hangs."""

LOG_LINES_SHOWN = 6

SERVER = multiprocessing.get_context("forkserver")
"""Starts a child by a fork of a process that has imported everything and runs nothing."""

SERVER.set_forkserver_preload(["tests.crash.preload"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one process ended: `code` is negative for a signal, None if it hung and was ended."""

    code: int | None
    calls: tuple[Call, ...] = ()
    is_hit: bool = False

    @property
    def is_killed(self) -> bool:
        """Say whether the kill really happened: the process was not done before."""
        return self.code == -signal.SIGKILL


@dataclass(slots=True, kw_only=True)
class Trial:
    """A state folder and those who were told, over any number of starts."""

    child: Child
    receiver: Receiver
    name: str
    faults: list[str] = field(default_factory=list)
    kills: int = 0
    looks: int = 0

    @property
    def told(self) -> list[Told]:
        """Return what has arrived outside."""
        return self.receiver.told(self.name)

    def watched(
        self,
        at: int = 0,
        number: signal.Signals = signal.SIGKILL,
        on_hit: Callable[[], None] | None = None,
    ) -> Ended:
        """Run once, watched; at the call `at` (0: none) the process gets the signal."""
        here, there = SERVER.Pipe()
        process = _process(self.child, there)
        process.start()
        assert process.pid is not None
        there.close()
        listener = recv_handle(here)
        here.close()
        folder = self.child.state_path.parent
        watch = Watch(pid=process.pid, folder=folder, at=at, number=number, on_hit=on_hit)
        with _closing_handle(listener):
            watch.run(listener, process.sentinel)
        return replace(self.end(process), calls=tuple(watch.calls), is_hit=watch.is_hit)

    def run(self, kill_after_s: float | None = None) -> Ended:
        """Run once, to its rest or until it is killed after so long."""
        process = self.begin()
        if kill_after_s is not None:
            process.join(kill_after_s)
            process.kill()
        return self.end(process)

    def begin(self) -> ForkServerProcess:
        """Start the process and leave it to the caller."""
        process = _process(self.child, None)
        process.start()
        return process

    def look(self) -> None:
        """Judge the folder as it is now, on a copy: nothing is mended before the next start."""
        told = self.told
        self.looks += 1
        self.faults += faults_after_kill(self.image(), told)

    def retire(self) -> None:
        """Have the next start make no new signals."""
        self.child = replace(self.child, until_ms=newest_ms(self.image().entries))

    def rest(self) -> None:
        """Start again without harm, let everything end, and judge what it comes to."""
        ended = self.run()
        if ended.code != 0:
            self.faults.append(f"the next start ended with {ended.code}: {self.log()}")
        self.faults += faults_at_rest(self.image(), self.told)
        self.faults += [f"a person is needed: {name}" for name in self._leftovers()]

    def note_kill(self, ended: Ended) -> bool:
        """Count the kill and judge the folder; return whether there was one."""
        if ended.is_killed:
            self.kills += 1
            self.look()
        elif ended.code != 0:
            self.faults.append(f"it ended by itself with {ended.code}: {self.log()}")
        return ended.is_killed

    def end(self, process: ForkServerProcess) -> Ended:
        """Wait for the end of the process, and end it if it hangs."""
        process.join(PATIENCE_S)
        code = process.exitcode
        if code is None:
            process.kill()
            process.join()
        process.close()
        return Ended(code=code)

    def image(self) -> Image:
        """Return what a start would read now, mending nothing."""
        with TemporaryDirectory(dir=self.child.home.parent) as folder:
            copy = Path(folder) / "copy"
            if self.child.state_path.exists():
                shutil.copytree(self.child.state_path, copy)
            return asyncio.run(read_image(copy))

    def _leftovers(self) -> list[str]:
        kinds = (".corrupt-", ".blocked", ".tmp-")
        paths = self.child.state_path.rglob("*")
        return [path.name for path in paths if any(kind in path.name for kind in kinds)]

    def log(self) -> str:
        """Return the last lines of the process's log."""
        if not self.child.log_path.exists():
            return "no log"
        return "\n".join(self.child.log_path.read_text().splitlines()[-LOG_LINES_SHOWN:])


async def read_image(path: Path) -> Image:
    """Return what a start reads in the state folder `path`, mending it as a start does."""
    options = StorageOptions(identity=IDENTITY)
    storage = await asyncio.to_thread(open_storage, path, options, wall_ms)
    try:
        stored = await storage.state.load()
        entries = await storage.journal.read(0, 1_000_000)
    finally:
        await asyncio.to_thread(storage.close)
    return Image(stored=stored, entries=entries)


def _process(child: Child, watcher: Connection | None) -> ForkServerProcess:
    return SERVER.Process(target=start, args=(child, watcher), daemon=True)


@contextmanager
def _closing_handle(handle: int) -> Iterator[None]:

    try:
        yield
    finally:
        os.close(handle)
