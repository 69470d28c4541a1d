"""Whether a Python was built with optimisation, without which all takes half again as long.

`make` asks this of what it finds on the machine before it makes an environment, so that it runs by
itself, on any Python: its exit code is 0 where that one is new enough, can make environments, and
was built with optimisation.
"""

import importlib.util
import sys
import sysconfig


def is_optimised() -> bool:
    """Say whether this Python was built with profile-guided optimisation.

    pyenv builds without unless it is told to. What a distribution brings was built with it, and
    does not say so in its options.
    """
    options = sysconfig.get_config_var("CONFIG_ARGS") or ""
    return sys.base_prefix == "/usr" or "--enable-optimizations" in options


def is_wanted() -> bool:
    """Say whether an environment should be made with this Python."""
    can_make = all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
    return can_make and sys.version_info >= (3, 11) and is_optimised()


def interpreter_note() -> str:
    """Return a line on the Python that is measured."""
    built = "with" if is_optimised() else "without"
    return f"Python {sys.version.split()[0]} of {sys.base_prefix}, built {built} optimisation"


if __name__ == "__main__":
    sys.exit(not is_wanted())
