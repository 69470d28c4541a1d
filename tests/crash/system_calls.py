"""Stops a process at each of its system calls that touch a folder, and kills it at the chosen one.

The kernel's seccomp user notification hands every call of the kinds below to the watching process
before it is carried out, from all threads in one line. Unlike a debugger's counting, which counts
per thread, that numbers all points of a run where a kill can leave a different folder behind; and
unlike tracing it costs the process 20 us a call.
"""

import ctypes
import errno
import fcntl
import os
import platform
import select
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

_CALLS = {
    # name: (number on x86_64, number on aarch64 or None, which arguments are fd or fd and path)
    "read": (0, 63, "f"),
    "write": (1, 64, "f"),
    "close": (3, 57, "f"),
    "stat": (4, None, "p"),
    "fstat": (5, 80, "f"),
    "lstat": (6, None, "p"),
    "lseek": (8, 62, "f"),
    "pread64": (17, 67, "f"),
    "pwrite64": (18, 68, "f"),
    "writev": (20, 66, "f"),
    "access": (21, None, "p"),
    "fcntl": (72, 25, "f"),
    "flock": (73, 32, "f"),
    "fsync": (74, 82, "f"),
    "fdatasync": (75, 83, "f"),
    "truncate": (76, 45, "p"),
    "ftruncate": (77, 46, "f"),
    "rename": (82, None, "pp"),
    "mkdir": (83, None, "p"),
    "unlink": (87, None, "p"),
    "getdents64": (217, 61, "f"),
    "openat": (257, 56, "a"),
    "mkdirat": (258, 34, "a"),
    "newfstatat": (262, 79, "a"),
    "unlinkat": (263, 35, "a"),
    "renameat": (264, 38, "aa"),
    "linkat": (265, 37, "aa"),
    "faccessat": (269, 48, "a"),
    "pwritev": (296, 70, "f"),
    "renameat2": (316, 276, "aa"),
    "statx": (332, 291, "a"),
}

_SECCOMP = {"x86_64": 317, "aarch64": 277}

_TRIAL = """
import os
from tests.crash.system_calls import install_filter

install_filter()
os._exit(0)
"""

_PR_SET_NO_NEW_PRIVS = 38
_SET_MODE_FILTER = 1
_NEW_LISTENER = 8
_LOAD_NUMBER, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000
_RECEIVE, _ANSWER, _GO_ON = 0xC0502100, 0xC0182101, 1
_AT_FDCWD = -100
_PATH_BYTES_MAX = 4096


@cache
def missing_to_watch() -> str | None:
    """Say why system calls cannot be watched here, or None."""
    if sys.platform != "linux":
        return "watching system calls needs Linux"
    if platform.machine() not in _SECCOMP:
        return f"no table of system calls for {platform.machine()}"
    tried = subprocess.run(
        [sys.executable, "-c", _TRIAL],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode != 0:
        return f"no seccomp notification here: {tried.stderr.strip().splitlines()[-1]}"
    return None


def install_filter() -> int:
    """Have every call of the table stopped from now on; return where they are to be answered.

    It holds for this process and its later threads, for good. Raises OSError.
    """
    numbers = list(_NUMBERS.values())
    program = [struct.pack("=HBBI", _LOAD_NUMBER, 0, 0, 0)]
    for place, number in enumerate(numbers):
        program.append(struct.pack("=HBBI", _JUMP_IF_EQUAL, len(numbers) - place, 0, number))
    program += [struct.pack("=HBBI", _RETURN, 0, 0, what) for what in (_ALLOW, _NOTIFY)]
    code = ctypes.create_string_buffer(b"".join(program))
    described = ctypes.create_string_buffer(
        struct.pack("@HP", len(program), ctypes.addressof(code))
    )
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    listener = int(
        libc.syscall(_SECCOMP[platform.machine()], _SET_MODE_FILTER, _NEW_LISTENER, described)
    )
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return listener


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that touched the folder: its name and the path (relative to the folder)."""

    name: str
    path: str

    def __str__(self) -> str:
        return f"{self.name}({self.path})"


@dataclass(slots=True, kw_only=True)
class Watch:
    """Answers the calls of the process `pid` that touch `folder`, and sends it `number` at one.

    `at` counts from 1 over all threads; 0 only watches. A SIGKILL lands before the call is
    carried out; `on_hit` is called before that. `calls` is what was seen, the one that was hit
    last if `is_hit`.
    """

    pid: int
    folder: Path
    at: int = 0
    number: signal.Signals = signal.SIGKILL
    on_hit: Callable[[], None] | None = None
    calls: list[Call] = field(default_factory=list)
    is_hit: bool = False

    def run(self, listener: int, sentinel: int) -> None:
        """Answer until the process has ended, which makes `sentinel` readable."""
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        poll.register(sentinel, select.POLLIN)
        while True:
            ready = dict(poll.poll())
            if ready.get(listener, 0) & select.POLLIN:
                self._answer(listener)
            elif listener in ready:
                poll.unregister(listener)
            elif sentinel in ready:
                return

    def _answer(self, listener: int) -> None:
        asked = bytearray(80)
        if not _control(listener, _RECEIVE, asked):
            return
        identity, thread = struct.unpack_from("=QI", asked)
        number = struct.unpack_from("=i", asked, 16)[0]
        arguments = struct.unpack_from("=6Q", asked, 32)
        call = self._touching(thread, number, arguments)
        if call is not None:
            self.calls.append(call)
            if len(self.calls) == self.at:
                self.is_hit = True
                if self.on_hit is not None:
                    self.on_hit()
                os.kill(self.pid, self.number)
                if self.number == signal.SIGKILL:
                    # Not answered, it is never carried out.
                    return
        _control(listener, _ANSWER, bytearray(struct.pack("=QqiI", identity, 0, 0, _GO_ON)))

    def _touching(self, thread: int, number: int, arguments: tuple[int, ...]) -> Call | None:
        name, shape = _NAMES[number]
        try:
            for path in _paths(thread, shape, arguments):
                if path.is_relative_to(self.folder):
                    return Call(name=name, path=str(path.relative_to(self.folder)))
        except OSError:
            # The process has been killed meanwhile, or the descriptor is none.
            return None
        return None


def _paths(thread: int, shape: str, arguments: tuple[int, ...]) -> Iterator[Path]:
    left = iter(arguments)
    for kind in shape:
        start = Path("/")
        if kind in "fa":
            handle = ctypes.c_int(next(left)).value
            place = "cwd" if handle == _AT_FDCWD else f"fd/{handle}"
            target = Path(f"/proc/{thread}/{place}").readlink()
            start = Path(str(target).removesuffix(" (deleted)"))
        if kind in "ap":
            start /= _text(thread, next(left))
        yield start


def _text(thread: int, address: int) -> str:
    with open(f"/proc/{thread}/mem", "rb", buffering=0) as memory:  # noqa: PTH123 (unbuffered)
        memory.seek(address)
        # Never over the edge of a page: the next one may not be there.
        held = memory.read(min(_PATH_BYTES_MAX, 4096 - address % 4096)) or b""
        if b"\0" not in held:
            held += memory.read(_PATH_BYTES_MAX) or b""
    return os.fsdecode(held.partition(b"\0")[0])


def _control(listener: int, request: int, data: bytearray) -> bool:
    """Ask the kernel; return False where the process is gone by now."""
    try:
        fcntl.ioctl(listener, request, data, True)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EINTR):
            return False
        raise
    return True


def watched_names() -> frozenset[str]:
    """Return the names of all calls that are stopped."""
    return frozenset(_NUMBERS)


def _numbers() -> dict[str, int]:
    """Return the number of each call on this machine."""
    is_arm = platform.machine() == "aarch64"
    found = {name: arm if is_arm else intel for name, (intel, arm, _) in _CALLS.items()}
    return {name: number for name, number in found.items() if number is not None}


_NUMBERS = _numbers()
_NAMES = {number: (name, _CALLS[name][2]) for name, number in _NUMBERS.items()}
