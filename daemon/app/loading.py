"""Loading an author's code: strategies and risk validations named in the configuration.

Loaded code runs with all the rights of the daemon. A file that others may write is therefore
refused, and modules are taken from where packages are installed, not from the working directory.
Whatever goes wrong in foreign code is told as one line, with its file and line.
"""

import importlib
import importlib.util
import inspect
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePath
from types import FunctionType, MappingProxyType, ModuleType

from daemon.app.config.explain import Origin
from daemon.app.config.problems import (
    ConfigError,
    KeyPath,
    Problem,
    did_you_mean,
    key_text,
    one_line,
)
from daemon.app.config.sections import RiskSection
from daemon.app.config.settings import Config
from daemon.core import risk_limits
from daemon.core.guard import Raised, Returned, call_foreign, is_async, places_of
from daemon.core.risk import RiskPayload, RiskProfile, RiskValidation, Verdict
from daemon.core.strategy import Strategy, instance_faults, strategy_faults, takes

SAFE = (
    "safe mode: no strategy runs and nothing is opened; what is open is watched to its end"
    " (daemon.safe_mode)"
)
FILE_MODULE_PREFIX = "tickd_file_"

_IMPORTING: dict[str, str] = {}
"""Whose imports are under way, by the name of the module, with what stood in its file."""

_DIGESTS: dict[str, str] = {}
"""What stood in each file when its code was loaded."""


class LoadError(ValueError):
    """A named piece of code cannot be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The author's code that a configuration names."""

    strategies: Mapping[str, type[Strategy]]
    """By the name of the strategy in the configuration."""
    profiles: tuple[RiskProfile, ...]
    unloaded: Mapping[str, str] = field(default_factory=dict)
    """Why a strategy of the configuration is not loaded, by its name."""


def load_code(config: Config, origin: Origin = key_text, *, spares_others: bool = False) -> Code:
    """Import all strategies and risk validations. Raises ConfigError with every fault.

    `origin` tells where a setting stands, for the errors. With `spares_others` a strategy that
    cannot be loaded stands in `unloaded` instead, for as long as there is one that can.
    """
    problems: list[Problem] = []
    strategies: dict[str, type[Strategy]] = {}
    unloaded: dict[str, str] = {}
    names = {profile.name for profile in config.risk}

    def tell(path: KeyPath, error: LoadError) -> None:
        where, key = origin(path), key_text(path)
        problems.append(Problem(where=where, key="" if key == where else key, message=str(error)))

    for index, section in enumerate(config.strategies):
        try:
            strategy = load_strategy(section.path)
            check_profiles(strategy, names)
        except LoadError as error:
            tell(("strategies", index, "path"), error)
            told = f"its strategy cannot be loaded: {error}; mend it, then: tickd reload"
            unloaded[section.name] = one_line(told)
        else:
            strategies[section.name] = strategy
    if spares_others and strategies:
        problems.clear()
        used = {strategy.__module__ for strategy in strategies.values()}
        _forget_all_but(used, (item.path for item in config.strategies if item.name in unloaded))
    profiles: list[RiskProfile] = []
    for index, profile in enumerate(config.risk):
        try:
            profiles.append(load_profile(profile))
        except LoadError as error:
            tell(("risk", index, "python"), error)
    if problems:
        raise ConfigError(problems)
    return Code(
        strategies=MappingProxyType(strategies),
        profiles=tuple(profiles),
        unloaded=MappingProxyType(unloaded),
    )


def load_code_to_run(config: Config, origin: Origin = key_text) -> Code:
    """Import what a daemon of `config` runs: all that can be loaded. Raises ConfigError."""
    if config.daemon.safe_mode:
        return safe_code(config)
    return load_code(config, origin, spares_others=True)


def safe_code(config: Config) -> Code:
    """Return what runs in safe mode: no code of an author, and the limits of the profiles."""
    return Code(
        strategies=MappingProxyType({}),
        profiles=tuple(
            RiskProfile(risk_name=profile.name, validations=tuple(_limits(profile)))
            for profile in config.risk
        ),
        unloaded=MappingProxyType(dict.fromkeys((item.name for item in config.strategies), SAFE)),
    )


def load_strategy(reference: str) -> type[Strategy]:
    """Return the class at "module:Class" or "file.py:Class". Raises LoadError."""
    module = load_module(reference)
    found = _attribute(module, reference, _strategies_of(module))
    name = reference.rpartition(":")[2]
    if not isinstance(found, type) or not issubclass(found, Strategy):
        raise LoadError(f"{name} is no strategy: write class {name}(Strategy)")
    faults = list(strategy_faults(found))
    if faults:
        raise LoadError(f"{name}: {'; '.join(faults)}")
    return found


def check_profiles(strategy: type[Strategy], names: set[str]) -> None:
    """Raise LoadError if the class itself names a risk profile that is not configured."""
    for name in (*filter(None, [strategy.risk_name]), *strategy.risk_list):
        if name not in names:
            remedy = did_you_mean(name, sorted(names)) or "Add a [[risk]] table of this name"
            raise LoadError(
                f"{strategy.__name__} names the risk profile {name!r}, which is not configured."
                f" {remedy}"
            )


def make_strategy(strategy: type[Strategy]) -> Strategy:
    """Return an instance. Raises LoadError if it cannot be made without arguments."""
    match call_foreign(strategy):
        case Returned(value=made):
            if faults := list(instance_faults(made)):
                raise LoadError(f"{strategy.__name__} cannot be made: {'; '.join(faults)}")
            return made
        case Raised() as raised:
            raise LoadError(f"{strategy.__name__} cannot be made: {_told(raised)}")


def load_profile(section: RiskSection) -> RiskProfile:
    """Return a risk profile: its limits in the order of the table, then the author's own."""
    own = (load_validation(reference) for reference in section.python)
    return RiskProfile(risk_name=section.name, validations=(*_limits(section), *own))


def load_validation(reference: str) -> RiskValidation:
    """Return the validation at "module:function" or "file.py:function". Raises LoadError."""
    module = load_module(reference)
    name = reference.rpartition(":")[2]
    found = _attribute(module, reference, _functions_of(module))
    if isinstance(found, RiskValidation):
        return found
    if not callable(found) or isinstance(found, type):
        raise LoadError(f"{name} is no function")
    if is_async(found):
        raise LoadError(
            f"{name} is async: a risk validation is a plain function, because nothing may come"
            " between the check and the taking of the slot"
        )
    validate: Callable[[RiskPayload], Verdict] = found
    if not takes(validate, 1):
        raise LoadError(f"{name} must take one argument, the RiskPayload")
    return RiskValidation(validate=validate, note=_first_line(found) or name)


def load_module(reference: str) -> ModuleType:
    """Import the module or the file of a reference. Raises LoadError."""
    place = reference.rpartition(":")[0]
    return _load_file(Path(place)) if place.endswith(".py") else _load_installed(place)


def stale_files() -> tuple[str, ...]:
    """Return the files whose code has changed on disk since it was loaded. Blocks."""
    stale = []
    for place, digest in _DIGESTS.items():
        try:
            is_same = sha256(Path(place).read_bytes()).hexdigest() == digest
        except OSError:
            is_same = False
        if not is_same:
            stale.append(place)
    return tuple(stale)


def _limits(section: RiskSection) -> Iterator[RiskValidation]:
    if section.max_positions is not None:
        yield risk_limits.max_positions(section.max_positions)
    if section.max_positions_per_symbol is not None:
        yield risk_limits.max_positions_per_symbol(section.max_positions_per_symbol)
    if section.max_positions_per_side is not None:
        yield risk_limits.max_positions_per_side(section.max_positions_per_side)
    if section.min_reward_risk is not None:
        yield risk_limits.min_reward_risk(section.min_reward_risk)
    if section.max_loss_per_day_percent is not None:
        yield risk_limits.max_loss_per_day(section.max_loss_per_day_percent)
    if section.cooldown_after_loss_minutes is not None:
        yield risk_limits.cooldown_after_loss(section.cooldown_after_loss_minutes)
    if section.allowed_hours is not None:
        yield risk_limits.allowed_hours(section.allowed_hours)


def _load_file(path: Path) -> ModuleType:
    absolute = path.expanduser().absolute()
    try:
        status = absolute.stat()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "bad name"
        raise LoadError(f"cannot be read ({reason}): {absolute}") from None
    if not stat.S_ISREG(status.st_mode):
        raise LoadError(f"is not a file: {absolute}")
    _check_rights(absolute)
    resolved = absolute.resolve()
    name = _module_name(resolved)
    digest = sha256(resolved.read_bytes()).hexdigest()
    if _IMPORTING.get(name) == digest:
        raise LoadError(f"its import has not ended since it was last tried: {absolute}")
    if name in sys.modules and name not in _IMPORTING:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, resolved)
    if spec is None or spec.loader is None:
        raise LoadError(f"is no Python file: {absolute}")
    module = importlib.util.module_from_spec(spec)
    _IMPORTING[name] = digest
    # Registered first: dataclasses and pickle look a class's module up by name.
    sys.modules[name] = module
    outcome = call_foreign(spec.loader.exec_module, module)
    if _IMPORTING.get(name) == digest:
        del _IMPORTING[name]
    if isinstance(outcome, Raised):
        del sys.modules[name]
        raise LoadError(f"cannot be imported: {_told(outcome)}")
    _DIGESTS[str(resolved)] = digest
    return module


def _module_name(resolved: Path) -> str:
    return FILE_MODULE_PREFIX + sha256(str(resolved).encode()).hexdigest()[:16]


def _forget_all_but(used: set[str], references: Iterable[str]) -> None:
    """Forget the files of strategies that are no good: mended, they can be loaded by a reload."""
    for reference in references:
        resolved = Path(reference.rpartition(":")[0]).expanduser().absolute().resolve()
        if (name := _module_name(resolved)) not in used:
            sys.modules.pop(name, None)
            _DIGESTS.pop(str(resolved), None)


def _load_installed(name: str) -> ModuleType:
    found = call_foreign(importlib.util.find_spec, name)
    if isinstance(found, Raised) and not isinstance(found.cause, ModuleNotFoundError):
        raise LoadError(f"module {name} cannot be imported: {_told(found)}")
    spec = found.value if isinstance(found, Returned) else None
    if spec is None:
        file = f"./{name.replace('.', '/')}.py"
        hint = f'; a file of your own is written "{file}:..."' if Path(file).exists() else ""
        raise LoadError(f"there is no module {name} among the installed packages{hint}")
    if spec.has_location and spec.origin is not None:
        _check_rights(Path(spec.origin))
    outcome = call_foreign(importlib.import_module, name)
    if isinstance(outcome, Raised):
        raise LoadError(f"module {name} cannot be imported: {_told(outcome)}")
    return outcome.value


def _check_rights(path: Path) -> None:
    """Raise LoadError if somebody else could change the code that is about to run."""
    resolved = path.resolve()
    for place in (resolved, resolved.parent):
        status = place.stat()
        # In a sticky folder (/tmp) others cannot replace what is not theirs.
        is_sticky = place.is_dir() and bool(status.st_mode & stat.S_ISVTX)
        if status.st_mode & stat.S_IWOTH and not is_sticky:
            raise LoadError(f"may be written by everybody, and would run: chmod o-w {place}")
    owner = resolved.stat().st_uid
    if owner not in {0, os.geteuid()}:
        raise LoadError(
            f"belongs to another user (uid {owner}), and would run: chown it to root,"
            f" or to uid {os.geteuid()}: {resolved}"
        )


def _attribute(module: ModuleType, reference: str, known: list[str]) -> object:
    name = reference.rpartition(":")[2]
    try:
        found: object = getattr(module, name)
    except AttributeError:
        place = PurePath(module.__file__ or module.__name__).name
        there = f"It has {', '.join(known)}" if known else "It has none of its own"
        hint = did_you_mean(name, known) or there
        raise LoadError(f"there is no {name} in {place}. {hint}") from None
    return found


def _strategies_of(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        # Its type and not isinstance, which would ask the value: a foreign __class__ may raise.
        if issubclass(type(value), type) and issubclass(value, Strategy) and value is not Strategy
    ]


def _functions_of(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        if type(value) is FunctionType and value.__module__ == module.__name__
    ]


def _first_line(function: object) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0][:100]


def _told(raised: Raised) -> str:
    """Return what foreign code raised and where, in one line and without its variables."""
    cause = raised.cause
    if isinstance(cause, SyntaxError) and cause.filename:
        return one_line(f"{raised.error} at {cause.filename}:{cause.lineno}: {cause.msg}")
    places = places_of(cause)
    place = f" at {places[-1][0]}:{places[-1][1]}" if places else ""
    return one_line(f"{raised.error}{place}: {raised.message}".removesuffix(": "))
