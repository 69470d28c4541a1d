"""The watch on system calls, checked by a tracer that knows all of them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.system_calls import watched_names

PROGRAM = """
import sys
from pathlib import Path
from tests.crash.campaign import Campaign
from tests.crash.child import start
from tests.crash.receiver import Receiver

folder = Path(sys.argv[1])
with Receiver(folder / "received").running() as receiver:
    start(Campaign(folder=folder).point_trial("traced", receiver).child, None)
"""


@pytest.mark.root
def test_p1_no_kind_of_call_to_the_folder_escapes_the_watch(tmp_path: Path) -> None:
    trace = tmp_path / "trace"

    subprocess.run(
        ["strace", "-f", "-y", "-qq", "-o", trace, sys.executable, "-c", PROGRAM, tmp_path],
        check=True,
        cwd=Path(__file__).parents[2],
    )

    lines = [line for line in trace.read_text().splitlines() if f"{tmp_path}/traced/dump" in line]
    called = {found[1] for line in lines if (found := re.match(r"\d+ +(\w+)\(", line))}
    assert "fsync" in called
    # Mapping a file changes nothing in the folder: a kill before it and after it leave the same.
    assert called - {"mmap"} <= watched_names()
