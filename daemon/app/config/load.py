"""Loading the configuration: flags over environment over file over defaults, all faults at once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from daemon.app.config.address import choose_file
from daemon.app.config.environment import (
    find_unknown,
    name_of,
    read_environment,
    variable_for,
)
from daemon.app.config.explain import DEFAULT, explain
from daemon.app.config.problems import (
    ConfigError,
    KeyPath,
    Problem,
    did_you_mean,
    key_text,
)
from daemon.app.config.secret_files import SecretFileError, credential_file, read_secret
from daemon.app.config.settings import Config
from daemon.app.config.shipped import shipped_tables
from daemon.app.config.toml_file import TomlFile, read_toml
from daemon.app.config.tree import EACH, find, walk

PACKAGED_NAME = "(packaged default)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Everything that settings are taken from."""

    file: TomlFile
    environ: Mapping[str, str]
    flags: Mapping[str, str]
    """By environment name, as the environment would hold them."""

    def origin(self, path: KeyPath) -> str:
        """Return where the value of `path` comes from: a flag, a variable, a file position.

        The empty path is the file itself.
        """
        if not path:
            return self.file.name
        if variable_for(path, self.flags):
            return f"--set {key_text(path)}"
        if variable := variable_for(path, self.environ):
            return variable
        holder = _holder_of(path)
        if holder is not None and (origin := self.origin(holder)) != DEFAULT:
            return f"the file of {key_text(holder)} ({origin})"
        if _has(self.file.data, path):
            return self.file.where(path)
        given = None if holder is None else credential_file(key_text(path), self.environ)
        return DEFAULT if given is None else f"the credential {given.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A configuration that can be used, and where each value of it came from."""

    config: Config
    sources: Sources

    @property
    def file_name(self) -> str:
        """Return the name of the file that was read."""
        return self.sources.file.name

    @property
    def is_packaged(self) -> bool:
        """Say whether there was no file and the packaged default is used."""
        return self.file_name == PACKAGED_NAME


def load_config(
    path: Path | None = None,
    environ: Mapping[str, str] | None = None,
    settings: Iterable[str] = (),
) -> Loaded:
    """Return the configuration of a file, an environment and `section.key=value` flags.

    Without a path the file is the one that TICKD_CONFIG names, else `config.toml` of the working
    directory, else the packaged default. Raises ConfigError with every fault that was found.
    """
    environ = {} if environ is None else environ
    flags, problems = _parse_flags(settings)
    sources = Sources(file=_open_file(path, environ), environ=environ, flags=flags)
    unknown = list(find_unknown(environ))
    problems += unknown
    refused = {problem.where for problem in unknown}
    readable = {name: value for name, value in environ.items() if name not in refused}
    problems += _secrets_in_file(sources.file)
    merged: dict[str, Any] = {}
    layers = (sources.file.data, read_environment(readable), read_environment(flags))
    for layer in layers:
        merged = merge(merged, layer)
    problems += _take_secrets(merged, sources)
    problems += _take_credentials(merged, sources)
    config = _validate(merged, sources, problems)
    if config is None:
        raise ConfigError(sorted(problems, key=_line))
    return Loaded(config=config, sources=sources)


def _validate(
    merged: Mapping[str, Any], sources: Sources, problems: list[Problem]
) -> Config | None:
    """Return the configuration, or None and in `problems` what nobody has told yet."""
    told = {problem.key for problem in problems}
    try:
        config = Config(**merged)
    except ValidationError as error:
        found = explain(error, merged, sources.origin)
        problems += [problem for problem in found if problem.key not in told]
        return None
    return None if problems else config


def _line(problem: Problem) -> int:
    """Return the line of the file, so that faults are told from the top down."""
    parts = problem.where.rsplit(":", maxsplit=2)
    return int(parts[1]) if len(parts) == 3 and parts[1].isdigit() else 0


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return `below` with the values of `above` over it, table by table."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            merged[key] = merge(old, value)
        else:
            merged[key] = value
    return merged


def packaged_default() -> TomlFile:
    """Return the configuration that the package brings along: what is no default in it."""
    return TomlFile(name=PACKAGED_NAME, data=shipped_tables(), positions={})


def _open_file(path: Path | None, environ: Mapping[str, str]) -> TomlFile:
    file = choose_file(path, environ)
    return packaged_default() if file is None else read_toml(file)


def _parse_flags(settings: Iterable[str]) -> tuple[dict[str, str], list[Problem]]:
    """Return `section.key=value` flags as environment variables, and what is wrong with them."""
    known = [key_text(item.path) for item in walk() if EACH not in item.path]
    flags: dict[str, str] = {}
    problems: list[Problem] = []
    for text in settings:
        key, equals, value = text.partition("=")
        path = tuple(key.strip().split("."))
        setting = find(path) or find(path[:-1])
        if not equals or not value:
            message = f"--set {key} has no value"
            problems.append(
                Problem(where="--set", message=message, remedy="Write section.key=value")
            )
        elif setting is None or (setting.path != path and not setting.is_open_table):
            remedy = did_you_mean(key, known) or "See tickd config schema"
            problems.append(
                Problem(where="--set", key=key, message="there is no such setting", remedy=remedy)
            )
        elif setting.is_secret:
            remedy = f"Name a file in {key}_file, or set {name_of(path)}"
            message = "a secret does not belong on the command line, where every user can read it"
            problems.append(Problem(where="--set", key=key, message=message, remedy=remedy))
        else:
            flags[name_of(path)] = value
    return flags, problems


def _secrets_in_file(file: TomlFile) -> Iterator[Problem]:
    for setting in walk():
        if setting.is_secret and _has(file.data, setting.path):
            key = key_text(setting.path)
            yield Problem(
                where=file.where(setting.path),
                key=key,
                message="a secret does not belong in this file",
                remedy=f"Put it in a file of mode 0600 named by {_file_key(setting.path)}, or in"
                f" {name_of(setting.path)}; change it if this file was shared",
            )


def _take_secrets(merged: dict[str, Any], sources: Sources) -> Iterator[Problem]:
    """Read the files that hold secrets into `merged`; yield what is wrong with them."""
    for setting in walk():
        if not setting.holds or not _has(merged, setting.path):
            continue
        table = _table(merged, setting.path[:-1])
        place = table[setting.path[-1]]
        where, key = sources.origin(setting.path), key_text(setting.path)
        if setting.holds in table:
            remedy = "Keep one of the two"
            message = f"{setting.holds} is given as well"
            yield Problem(where=where, key=key, message=message, remedy=remedy)
        elif isinstance(place, str | Path):
            try:
                secret = read_secret(Path(place), sources.environ)
            except SecretFileError as error:
                # One fault is told once: the key stands for itself in the checks that follow.
                secret = SecretStr("")
                yield Problem(where=where, key=key, message=str(error))
            table[setting.holds] = secret


def _take_credentials(merged: dict[str, Any], sources: Sources) -> Iterator[Problem]:
    """Read what the service manager hands over into `merged`, where nothing else says a secret."""
    for setting in walk():
        key = key_text(setting.path)
        place = credential_file(key, sources.environ) if setting.is_secret else None
        if place is None or _has(merged, setting.path):
            continue
        try:
            secret = read_secret(place, sources.environ)
        except SecretFileError as error:
            secret = SecretStr("")
            yield Problem(where=place.name, key=key, message=str(error))
        layer: dict[str, Any] = {setting.path[-1]: secret}
        for part in reversed(setting.path[:-1]):
            layer = {part: layer}
        # A copy: the file's own tables must go on saying what the file says.
        merged |= merge(merged, layer)


def _holder_of(path: KeyPath) -> KeyPath | None:
    """Return the path of the key that names the file of the secret at `path`."""
    for setting in walk():
        if setting.holds and (*setting.path[:-1], setting.holds) == path:
            return setting.path
    return None


def _file_key(path: tuple[str, ...]) -> str:
    holder = _holder_of(path)
    return key_text(holder) if holder else ""


def _has(data: Mapping[str, Any], path: KeyPath) -> bool:
    found: Any = data
    for part in path:
        if isinstance(found, Mapping) and part in found:
            found = found[str(part)]
        elif isinstance(found, list | tuple) and isinstance(part, int) and part < len(found):
            found = found[part]
        else:
            return False
    return True


def _table(data: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for part in path:
        data = data[part]
    return data
