"""The Makefile finds the Python to make an environment with."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

SHOW = "show-python: ; @echo $(PYTHON)"


@pytest.mark.parametrize(
    ("optimised", "chosen"), [("first second", "first"), ("second", "second"), ("", "python3")]
)
def test_the_first_python_that_was_built_with_optimisation_is_taken(
    tmp_path: Path, optimised: str, chosen: str
) -> None:
    for name in ("first", "second"):
        python = tmp_path / name
        python.write_text(f"#!/bin/sh\nexit {0 if name in optimised.split() else 1}\n")
        python.chmod(0o755)

    assert _python_of(tmp_path, "PYTHONS=missing first second") == chosen


def test_a_python_that_is_named_is_taken(tmp_path: Path) -> None:
    assert _python_of(tmp_path, "PYTHON=mine") == "mine"


def _python_of(folder: Path, setting: str) -> str:
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    # What a make around these tests was told is not for this one.
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHON"):
        environment.pop(name, None)
    command = ["make", "--no-print-directory", "--eval", SHOW, setting, "show-python"]
    told = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return told.stdout.strip()
