"""The version that a bug report needs."""

import json
import platform

from daemon.app.version import tickd_version, version_text


def test_the_version_is_a_line_or_json() -> None:
    told = json.loads(version_text(as_json=True))

    assert told == {"tickd": tickd_version(), "python": platform.python_version()}
    line = f"tickd {tickd_version()} (Python {platform.python_version()})"
    assert version_text(as_json=False) == line
