"""A folder and an environment in which no setting stands yet."""

import os
from pathlib import Path

import pytest

from tests.app.cli.tickd import Shell


@pytest.fixture
def shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shell:
    """Run commands in an empty folder and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.upper().startswith("TICKD"):
            monkeypatch.delenv(name)
    return Shell(tmp_path, capsys)
