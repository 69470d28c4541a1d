"""A strategy that tries, from inside the daemon, what the unit forbids; it hangs or dies if asked.

It is copied beside the configuration of a machine that runs tickd as a service. What it found is
in `attempts.json` of the state folder; a file `hang` or `die` there makes it do so.
"""

# ruff: noqa: ASYNC251, BLE001, PTH208, SIM105 - it behaves as badly as foreign code can

import ctypes
import json
import mmap
import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from daemon import Signal, Strategy, View

STATE = Path(os.environ["TICKD__DAEMON__STATE_DIR"])
LIBC = ctypes.CDLL(None, use_errno=True)


def write(path: str) -> Callable[[], object]:
    return lambda: Path(path).write_text("x")


def read(path: str) -> Callable[[], object]:
    return lambda: Path(path).read_bytes()[:1]


def call(name: str, *arguments: object) -> Callable[[], object]:
    def try_it() -> None:
        if getattr(LIBC, name)(*arguments) == -1:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    return try_it


def open_socket(family: int, kind: int) -> Callable[[], object]:
    return lambda: socket.socket(family, kind).close()


def make_setuid() -> None:
    path = STATE / "setuid"
    path.write_text("x")
    path.chmod(0o4755)


def see_others() -> None:
    if Path("/proc/1/status").exists():
        return
    raise PermissionError("no process of others is seen")


def run_as_child() -> str:
    """What a child of the daemon is given."""
    code = "import os; print(sorted(n for n in os.environ if 'NOTIFY' in n or 'WATCHDOG' in n))"
    return subprocess.check_output(["python3", "-c", code], text=True).strip()


FORBIDDEN: dict[str, Callable[[], object]] = {
    "write to /etc (ProtectSystem)": write("/etc/tickd/planted"),
    "write to /usr (ProtectSystem)": write("/usr/planted"),
    "write to its own program (ProtectSystem)": write("/opt/tickd/planted"),
    "write to /var/lib (ProtectSystem)": write("/var/lib/planted"),
    "read /home (ProtectHome)": lambda: os.listdir("/home"),
    "write to /root (ProtectHome)": lambda: Path("/root", "planted").write_text("x"),
    "read a credential's source (LoadCredential)": read("/etc/credstore/tickd.exchange.api_key"),
    "set a sysctl (ProtectKernelTunables)": write("/proc/sys/kernel/printk"),
    "read the kernel's log (ProtectKernelLogs)": read("/dev/kmsg"),
    "open a device (PrivateDevices)": read("/dev/loop-control"),
    "see other processes (ProtectProc)": see_others,
    "write to a control group (ProtectControlGroups)": lambda: Path(
        "/sys/fs/cgroup/planted"
    ).mkdir(),
    "set the clock (ProtectClock)": lambda: time.clock_settime(
        time.CLOCK_REALTIME, time.clock_gettime(time.CLOCK_REALTIME)
    ),
    "set the host's name (ProtectHostname)": lambda: socket.sethostname("planted"),
    "a packet socket (RestrictAddressFamilies)": open_socket(socket.AF_PACKET, socket.SOCK_RAW),
    "a netlink socket (RestrictAddressFamilies)": open_socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "a new namespace (RestrictNamespaces)": call("unshare", 0x10000000),
    "real-time priority (RestrictRealtime)": lambda: os.sched_setscheduler(
        0, os.SCHED_FIFO, os.sched_param(1)
    ),
    "a set-uid file (RestrictSUIDSGID)": make_setuid,
    "memory to write and run (MemoryDenyWriteExecute)": lambda: mmap.mmap(
        -1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    ),
    "another personality (LockPersonality)": call("personality", 0x0008),
    "a mount (SystemCallFilter)": call("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "a new root (SystemCallFilter)": lambda: os.chroot("/tmp"),
    "a better priority (SystemCallFilter)": lambda: os.setpriority(os.PRIO_PROCESS, 0, -5),
    "a tracer (SystemCallFilter)": call("ptrace", 0, 0, 0, 0),
    "root's rights (CapabilityBoundingSet)": lambda: os.setuid(0),
    "core files (LimitCORE)": lambda: __import__("resource").setrlimit(
        __import__("resource").RLIMIT_CORE, (1 << 20, 1 << 20)
    ),
}
ALLOWED: dict[str, Callable[[], object]] = {
    "write to its own state": lambda: (STATE / "written").write_text("x"),
    "write to its own /tmp": write("/tmp/written"),
    "an internet socket": open_socket(socket.AF_INET, socket.SOCK_STREAM),
}


def attempt(try_it: Callable[[], object]) -> str:
    """Return "" if it was allowed, else why not."""
    try:
        try_it()
    except (OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def attempt_all() -> None:
    STATE.mkdir(exist_ok=True)
    told = {
        "forbidden": {name: attempt(try_it) for name, try_it in FORBIDDEN.items()},
        "allowed": {name: attempt(try_it) for name, try_it in ALLOWED.items()},
        "children are given": run_as_child(),
    }
    (STATE / "attempts.json").write_text(json.dumps(told))


if (STATE / "die").exists():
    os._exit(3)
if not (STATE / "attempts.json").exists():
    attempt_all()


class Probe(Strategy):
    """Opens one position that lasts, and then waits for a file that says to hang."""

    interval = "1m"

    async def on_active(self, *_: object) -> None:
        while (STATE / "hang").exists():
            try:
                time.sleep(1)
            except BaseException:  # the worst that foreign code can do
                pass
        if (STATE / "eat").exists():
            self.eaten = bytearray(4 << 30)
            self.eaten[::4096] = b"x" * (1 << 20)

    async def get_signal(self, view: View) -> Signal | None:
        return Signal(
            position="long",
            price_take_profit=view.price * 1.15,
            price_stop_loss=view.price * 0.85,
            minute_estimated_time=1440,
        )
