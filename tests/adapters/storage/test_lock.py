"""One daemon per state folder."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from daemon.adapters.storage.folder import open_folder
from daemon.adapters.storage.lock import LOCK_NAME, lock_folder
from daemon.core.errors import FatalError, StateLockedError


def test_d13_the_second_one_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    first = lock_folder(open_folder(tmp_path / "state"))

    with pytest.raises(StateLockedError, match=f"pid {os.getpid()} on host {socket.gethostname()}"):
        lock_folder(open_folder(tmp_path / "state"))

    first.release()
    lock_folder(open_folder(tmp_path / "state")).release()


def test_d13_deleting_the_file_lets_nobody_in(tmp_path: Path) -> None:
    lock_folder(open_folder(tmp_path / "state"))
    (tmp_path / "state" / LOCK_NAME).unlink()

    with pytest.raises(StateLockedError):
        lock_folder(open_folder(tmp_path / "state"))


@pytest.mark.parametrize("content", [b'{"pid": 1, "host": "gone"}', b"\xff\x00", b"", b"[]"])
def test_d13_a_stale_file_is_harmless(tmp_path: Path, content: bytes) -> None:
    folder = open_folder(tmp_path / "state")
    (folder.path / LOCK_NAME).write_bytes(content)

    lock_folder(folder).release()


def test_d13_a_lock_dies_with_its_process(tmp_path: Path) -> None:
    program = f"""
        import sys, time
        from pathlib import Path
        from daemon.adapters.storage.folder import open_folder
        from daemon.adapters.storage.lock import lock_folder
        lock_folder(open_folder(Path({str(tmp_path / "state")!r})))
        print("locked", flush=True)
        time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(StateLockedError, match=f"pid {other.pid}"):
            lock_folder(open_folder(tmp_path / "state"))
        other.send_signal(signal.SIGKILL)
        other.wait()

        lock_folder(open_folder(tmp_path / "state")).release()


def test_d12_a_lock_file_that_is_somebody_elses_is_not_written_to(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    linked, hard = open_folder(tmp_path / "linked"), open_folder(tmp_path / "hard")
    (linked.path / LOCK_NAME).symlink_to(victim)
    os.link(victim, hard.path / LOCK_NAME)

    for folder in (linked, hard):
        with pytest.raises(FatalError):
            lock_folder(folder)

    assert victim.read_bytes() == b"precious"
