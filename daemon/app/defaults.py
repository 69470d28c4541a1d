"""The rules of runs that a program starts by itself: `set_config` and its kin.

The daemon takes its rules from the configuration file; these are for use as a library.
"""

# ruff: noqa: PLC0415 - what checks a change is loaded with the first one

from dataclasses import asdict

from daemon.core.errors import TickdError
from daemon.core.rules import Rules

DEFAULT_RULES = Rules()

_current: list[Rules] = [DEFAULT_RULES]


class RulesError(TickdError, ValueError):
    """A change of the rules was refused as a whole; the text lists every fault."""


def set_config(**changes: float | bool | str) -> Rules:
    """Change rules by name, as in `set_config(schedule_await_minutes=30)`; return all of them.

    Raises RulesError with every fault at once; nothing is changed then.
    """
    from pydantic import ValidationError

    from daemon.app.config.rules_section import RulesSection

    wanted = {**asdict(_current[0]), **changes}
    try:
        rules = RulesSection(**wanted).plain()
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_input=False)
        ]
        raise RulesError("rules refused: " + "; ".join(faults)) from None
    _current[0] = rules
    return rules


def get_config() -> Rules:
    """Return the rules in force."""
    return _current[0]


def get_default_config() -> Rules:
    """Return the rules as they come."""
    return DEFAULT_RULES
