"""A copy of the daemon holds no lock, hears no signal of ours and answers nobody."""

import fcntl
import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

SCRIPT = """
import fcntl, os, socket, sys, time
from pathlib import Path
from daemon.app.fork_guard import no_copies_of
from daemon.core.guard import Returned
from daemon.live.containment import Containment, Limits
from daemon.live.workers import InlineWorkers

folder = Path(sys.argv[1])
lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR)
fcntl.flock(lock, fcntl.LOCK_EX)
server = socket.create_server(("127.0.0.1", 0))
port = server.getsockname()[1]

def copy():
    child = os.fork()
    if child == 0:
        time.sleep(60)
    return child

with no_copies_of(folder):
    print(copy(), port, flush=True)
    containment = Containment(InlineWorkers(), Limits())
    containment.install()
    made = containment.call("task", os.fork)
    assert made.value != 0, "a copy came back"
    os.waitpid(made.value, 0)
    print("once", flush=True)
os._exit(0)
"""


def test_p16_a_copy_keeps_nothing_of_the_daemon(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    child, port = (int(word) for word in process.stdout.readline().split())
    try:
        assert process.stdout.readline() == "once\n"
        assert process.wait(30) == 0

        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind(("127.0.0.1", port))
            again.listen()
        lock = os.open(tmp_path / "lock", os.O_RDWR)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(lock)
        os.kill(child, 0)
    finally:
        os.kill(child, 9)
        process.stdout.close()
