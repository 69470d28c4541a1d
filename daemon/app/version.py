"""The versions that a bug report needs."""

import json
import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGE = "tickd"


def tickd_version() -> str:
    """Return the version of the installed package, "0+unknown" in a bare checkout."""
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return "0+unknown"


def version_text(*, as_json: bool) -> str:
    """Return the line that `tickd version` prints."""
    if as_json:
        return json.dumps({"tickd": tickd_version(), "python": platform.python_version()})
    return f"tickd {tickd_version()} (Python {platform.python_version()})"
