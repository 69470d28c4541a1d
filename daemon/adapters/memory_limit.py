"""How much memory the process may have before the kernel ends it: the limit of its control groups.

A service's `MemoryMax` and a container's limit both show there; each group may have one, and the
least of them counts.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

NO_LIMIT = float("inf")
_UNLIMITED_MIN = 1 << 60
"""Older kernels write a number that no machine has in place of "max"."""


def memory_limit_bytes(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> float:
    """Return the limit in bytes, infinity where there is none or none can be read."""
    limits = (_limit(path) for path in _limit_files(proc, groups))
    return min(limits, default=NO_LIMIT)


def _limit_files(proc: Path, groups: Path) -> Iterator[Path]:
    """Yield the files that may hold a limit: of the process's own groups and all above them."""
    try:
        lines = (proc / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, name = line.split(":", 2)
        if controllers == "":
            root, file = groups, "memory.max"
        elif "memory" in controllers.split(","):
            root, file = groups / "memory", "memory.limit_in_bytes"
        else:
            continue
        own = PurePosixPath(name.lstrip("/"))
        for group in (own, *own.parents):
            yield root / group / file


def _limit(path: Path) -> float:
    try:
        limit = int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        # A group that is not shown in here, or "max".
        return NO_LIMIT
    return NO_LIMIT if limit >= _UNLIMITED_MIN else float(limit)
