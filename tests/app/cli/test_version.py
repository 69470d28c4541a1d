"""The version that a bug report needs."""

import json
import platform

from tests.app.cli.tickd import Shell


def test_the_version_is_a_line_or_json(shell: Shell) -> None:
    line, told = shell("version").out, json.loads(shell("version", "--json").out)

    assert line == f"tickd {told['tickd']} (Python {platform.python_version()})\n"
