"""A process that holds secrets and is killed leaves a place in the log, no memory on the disk."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import os, resource, signal
from daemon.adapters.hardening import keep_memory_private, show_place_at_abort
resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))
secret = "canary7Qx2mPz9RtYwVb4NcKd1"
keep_memory_private()
show_place_at_abort()
print(os.stat("/proc/self/environ").st_uid, resource.getrlimit(resource.RLIMIT_CORE), flush=True)
def where_it_hangs():
    os.kill(os.getpid(), signal.SIGABRT)
where_it_hangs()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
def test_an_abort_tells_its_place_and_leaves_no_memory(tmp_path: Path) -> None:
    environ = {"PYTHONPATH": str(Path.cwd())}
    program = tmp_path / "program.py"
    program.write_text(CODE)

    ended = subprocess.run(
        [sys.executable, str(program)],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == -signal.SIGABRT
    assert ended.stdout == "0 (0, 0)\n", "files of a process that is not dumpable are root's"
    assert "in where_it_hangs" in ended.stderr
    assert "canary" not in ended.stderr
    assert list(tmp_path.iterdir()) == [program]
