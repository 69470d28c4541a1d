"""Settings from the environment: `TICKD__SECTION__KEY`, and what is wrong with such names."""

import re
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from daemon.app.config.address import CONFIG_VARIABLE
from daemon.app.config.problems import KeyPath, Problem, did_you_mean
from daemon.app.config.settings import ENV_DELIMITER, ENV_PREFIX
from daemon.app.config.tree import EACH, walk

_NEAR_PREFIX = re.compile(r"^_*TICKD_+", re.IGNORECASE)


def read_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that the environment names, nested as in a file."""
    ours = {name: value for name, value in environ.items() if _is_ours(name)}
    if not ours:
        return {}
    # Only here: pydantic-settings takes a tenth of a second of a start, and most have no such name.
    from daemon.app.config.environment_source import EnvironmentSource  # noqa: PLC0415

    return EnvironmentSource(ours)()


def take_environment(environ: MutableMapping[str, str]) -> dict[str, str]:
    """Return the whole environment, and leave no secret of ours in it for others to find."""
    whole = dict(environ)
    secrets = {
        name_of(setting.path[:length])
        for setting in walk()
        if setting.is_secret
        for length in range(1, len(setting.path) + 1)
    }
    for name in whole:
        if name.upper() in secrets:
            del environ[name]
    return whole


def name_of(path: KeyPath) -> str:
    """Return the environment variable of a setting."""
    return ENV_PREFIX + ENV_DELIMITER.join(str(part) for part in path).upper()


def variable_for(path: KeyPath, environ: Mapping[str, str]) -> str:
    """Return the variable that set `path`: its own, or the one of a table that holds it."""
    by_upper = {name.upper(): name for name in environ}
    for length in range(len(path), 0, -1):
        found = by_upper.get(name_of(path[:length]))
        if found is not None:
            return found
    return ""


def find_unknown(environ: Mapping[str, str]) -> Iterator[Problem]:
    """Yield a problem for each variable that is meant for tickd and that nothing reads."""
    known = [
        name_of(setting.path)
        for setting in walk()
        if EACH not in setting.path and not setting.is_open_table
    ]
    tables = tuple(
        name_of(setting.path) + ENV_DELIMITER
        for setting in walk()
        if EACH not in setting.path and setting.is_open_table
    )
    known += [table.removesuffix(ENV_DELIMITER) for table in tables]
    for name, value in environ.items():
        upper = name.upper()
        if upper in known or upper.startswith(tables):
            if not value:
                remedy = "Give it a value, or unset it"
                yield Problem(where=name, message="is set and empty", remedy=remedy)
        elif problem := _unknown(name, known):
            yield problem


def _unknown(name: str, known: list[str]) -> Problem | None:
    """Return the problem of a name that is no setting, None if it is somebody else's."""
    if _is_ours(name):
        remedy = did_you_mean(name, known) or "See tickd config schema for the names"
        return Problem(where=name, message="there is no such setting", remedy=remedy)
    if not _NEAR_PREFIX.match(name) or name.upper() == CONFIG_VARIABLE:
        return None
    # One underscore instead of two. Others may own such names too (a service called tickd is
    # given TICKD_PORT by its cluster), so only what squeezes to a setting's name counts.
    squeezed = {re.sub("_+", "", item): item for item in known}
    meant = squeezed.get(re.sub("_+", "", name.upper()))
    if meant is None:
        return None
    return Problem(where=name, message="is not read", remedy=f"Did you mean {meant}?")


def _is_ours(name: str) -> bool:
    return name.upper().startswith(ENV_PREFIX)
