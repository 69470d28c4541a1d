"""Loads one exchange of ccxt without its hundred siblings.

`import ccxt.pro` runs package files that import every exchange: 100 MiB and twice the time for
code that is never used. Here the three packages are entered into `sys.modules` unexecuted, and a
name is resolved when somebody asks for it. Whatever the short cut does not know executes the
package's own file in place, so that the whole of ccxt is still there for whoever needs it.
"""

import sys
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from daemon.core.errors import FatalError, RejectedError

PACKAGES = ("ccxt", "ccxt.async_support", "ccxt.pro")
STREAMING, PLAIN = "ccxt.pro", "ccxt.async_support"


class LazyPackage(ModuleType):
    """A package of ccxt whose own file runs only if a name is asked for that is not found else."""

    def __setattr__(self, name: str, value: object) -> None:
        # The import machinery binds a submodule to its parent; the real package then binds the
        # class of the same name over it, and the exchanges' modules rely on that.
        if isinstance(value, ModuleType) and isinstance(vars(value).get(name), type):
            value = vars(value)[name]
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        if (Path(self.__path__[0]) / f"{name}.py").is_file():
            import_module(f"{self.__name__}.{name}")
        elif not self._take_from_base(name):
            self._execute()
        try:
            return vars(self)[name]
        except KeyError:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}") from None

    def _take_from_base(self, name: str) -> bool:
        """Bind a name that the package re-exports from its base modules, if it is one."""
        errors = import_module("ccxt.base.errors")
        if hasattr(errors, name):
            setattr(self, name, getattr(errors, name))
            return True
        if name == "Exchange":
            base = "ccxt" if self.__name__ == "ccxt" else "ccxt.async_support"
            setattr(self, name, import_module(f"{base}.base.exchange").Exchange)
            return True
        return False

    def _execute(self) -> None:
        """Run the package's own file, once, as a plain import would have done."""
        module: ModuleType = self
        module.__class__ = ModuleType
        vars(module)["__spec__"].loader.exec_module(module)


@cache
def exchange_ids() -> tuple[str, ...]:
    """Return the ids that ccxt knows, sorted."""
    return tuple(sorted(_files_of(PLAIN)))


def load_exchange_class(exchange_id: str) -> type[Any]:
    """Return ccxt's asynchronous class of an exchange, the streaming one where there is one.

    Raises RejectedError for an unknown id, naming those that are near, and FatalError if ccxt
    cannot be imported. Reads files: call it before the loop runs.
    """
    _enter_packages()
    if exchange_id not in exchange_ids():
        near = get_close_matches(exchange_id.lower(), exchange_ids(), n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise RejectedError(f"ccxt knows no exchange {exchange_id!r}{hint}")
    package = STREAMING if exchange_id in _files_of(STREAMING) else PLAIN
    try:
        found: type[Any] = getattr(import_module(package), exchange_id)
    except ImportError as error:
        raise FatalError(f"ccxt's {exchange_id} cannot be imported: {error}") from error
    return found


def _enter_packages() -> None:
    """Enter the packages unexecuted, unless somebody has imported ccxt already."""
    for name in PACKAGES:
        if name in sys.modules:
            continue
        parent, _, child = name.rpartition(".")
        package = module_from_spec(_spec_of(name))
        package.__class__ = LazyPackage
        sys.modules[name] = package
        if parent:
            setattr(sys.modules[parent], child, package)


def _spec_of(name: str) -> ModuleSpec:
    spec = find_spec(name)
    if spec is None:
        raise FatalError(f"{name} is not installed")
    return spec


@cache
def _files_of(package: str) -> frozenset[str]:
    places = _spec_of(package).submodule_search_locations or []
    return frozenset(
        path.stem for place in places for path in Path(place).glob("*.py") if path.stem[0] != "_"
    )
