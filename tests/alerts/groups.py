"""A control group with a memory limit, as systemd and containers make one. Needs root."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")


def limit_memory(name: str, pid: int, limit_bytes: int) -> Callable[[], None]:
    """Put a process into a group that may have `limit_bytes`; return what removes the group.

    Raises OSError where this machine gives no such group.
    """
    is_old = (GROUPS / "memory").is_dir()
    group = GROUPS / "memory" / name if is_old else GROUPS / name
    group.mkdir(exist_ok=True)
    (group / ("memory.limit_in_bytes" if is_old else "memory.max")).write_text(str(limit_bytes))
    (group / "cgroup.procs").write_text(str(pid))

    def remove() -> None:
        # A process that was killed leaves its group a moment later.
        for _ in range(50):
            with suppress(OSError):
                group.rmdir()
                return
            time.sleep(0.1)

    return remove
