"""The author's own code: which modules a strategy is made of, and whether they have changed."""

import inspect
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from types import FunctionType, ModuleType

_LIBRARIES = tuple(
    Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib")
)


def own_modules(names: Iterable[str]) -> list[ModuleType]:
    """Return the loaded modules of those `names`, and those of the author that they use.

    Without what is installed, and what came with Python or with tickd.
    """
    found: dict[str, ModuleType] = {}
    waiting = list(names)[::-1]
    while waiting:
        name = waiting.pop()
        module = sys.modules.get(name)
        if module is None or name in found or not _is_own(module):
            continue
        found[name] = module
        waiting += _used_by(module)
    return list(found.values())


def code_digest(names: Iterable[str]) -> str:
    """Return 32 hex digits that change with the text of any of those modules."""
    digest = blake2b(digest_size=16)
    for module in sorted(own_modules(names), key=lambda each: each.__name__):
        try:
            code = inspect.getsource(module)
        except (OSError, TypeError):
            code = ""
        digest.update(code.encode("utf-8", "replace"))
    return digest.hexdigest()


def _used_by(module: ModuleType) -> Iterator[str]:
    for value in list(vars(module).values()):
        if isinstance(value, ModuleType):
            yield value.__name__
        elif isinstance(value, type | FunctionType):
            yield str(value.__module__)


def _is_own(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    if not file or module.__name__.partition(".")[0] == "daemon":
        return False
    return not any(Path(file).resolve().is_relative_to(each) for each in _LIBRARIES)
