"""Estimates how much memory hangs on the objects of a strategy: what it keeps, it keeps somewhere.

Nobody can tell whose a page of a process is. But a list that only grows hangs on an attribute, a
class or a module of its author, and can be followed from there. The estimate is bounded: of a large
container a sample is followed, and stands for the rest. No code of the author's runs.
"""

import gc
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from types import (
    BuiltinFunctionType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    MethodType,
    ModuleType,
)

OBJECTS_MAX = 20_000
"""So many objects are looked at for one strategy: some twenty milliseconds."""

SAMPLE = 255

_LEFT_OUT = (
    BuiltinFunctionType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    MethodType,
    ModuleType,
    type,
)
_NOT_THEIRS = (
    *("daemon.live", "daemon.app", "daemon.adapters"),
    *("asyncio", "concurrent", "logging", "ssl", "threading", "uvloop"),
)
"""Through these one comes to the whole process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """Bytes, estimated, and the name on which most of them hang."""

    total_bytes: int = 0
    largest: str = ""
    largest_bytes: int = 0


@dataclass(slots=True)
class _Walk:
    """What one look at a strategy has seen so far."""

    seen: set[int]
    left: int = OBJECTS_MAX


def weigh(roots: Iterable[tuple[str, object]]) -> Weight:
    """Return what hangs on `roots`, each with its name; what hangs on two counts for the first."""
    walk = _Walk(set())
    total, largest, most = 0.0, "", 0.0
    for name, root in roots:
        held = _follow(root, walk)
        total += held
        if held > most:
            largest, most = name, held
    return Weight(total_bytes=int(total), largest=largest, largest_bytes=int(most))


def _follow(root: object, walk: _Walk) -> float:
    held = 0.0
    waiting: deque[tuple[object, float]] = deque([(root, 1.0)])
    while waiting and walk.left > 0:
        one, stands_for = waiting.popleft()
        if id(one) in walk.seen or not _is_theirs(one):
            continue
        walk.seen.add(id(one))
        walk.left -= 1
        held += stands_for * _size(one)
        children, share = _sample(one)
        waiting.extend((child, stands_for * share) for child in children)
    return held


def _is_theirs(one: object) -> bool:
    kind = type(one)
    if issubclass(kind, _LEFT_OUT):
        return False
    module = type.__getattribute__(kind, "__module__")
    return not (isinstance(module, str) and module.startswith(_NOT_THEIRS))


def _size(one: object) -> int:
    size_of: object = type.__getattribute__(type(one), "__sizeof__")
    # An author's own, or one that follows what it holds, which is done here.
    if type(size_of) is FunctionType or not callable(size_of):
        return object.__sizeof__(one)
    size: object = size_of(one)
    return size if isinstance(size, int) else 0


def _sample(one: object) -> tuple[list[object], float]:
    """Return some of what `one` refers to, and how many each of them stands for."""
    children = gc.get_referents(one)
    if len(children) <= SAMPLE:
        return children, 1.0
    # Odd: a table names its values and keys by turns.
    step = (len(children) // SAMPLE) | 1
    sample = children[::step]
    return sample, len(children) / len(sample)
