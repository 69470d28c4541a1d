"""What the service manager hears, on real sockets, and what children of the daemon do not."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.adapters.systemd import Manager, reloading_message, take_manager

ABSTRACT = f"@tickd-test-{os.getpid()}"


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "notify") if request.param == "path" else ABSTRACT


@pytest.fixture
def heard(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(address.replace("@", "\0", 1))
        listening.settimeout(5)
        yield listening


@pytest.fixture
def manager(address: str) -> Iterator[Manager]:
    with closing(Manager(address)) as made:
        yield made


def test_each_message_is_one_datagram(manager: Manager, heard: socket.socket) -> None:
    assert manager.tell("READY=1", "STATUS=all is well")
    assert manager.tell("WATCHDOG=1")

    assert [heard.recv(200), heard.recv(200)] == [b"READY=1\nSTATUS=all is well", b"WATCHDOG=1"]
    manager.close()
    assert not manager.tell("WATCHDOG=1")


def test_a_reason_cannot_bring_an_assignment_of_its_own(
    manager: Manager, heard: socket.socket
) -> None:
    manager.tell("STATUS=bad\nMAINPID=1\r\nREADY=1\ud800")

    assert heard.recv(200) == b"STATUS=bad MAINPID=1 READY=1?"


def test_a_manager_that_is_gone_costs_the_message_alone(address: str, manager: Manager) -> None:
    assert not manager.tell("WATCHDOG=1")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(address.replace("@", "\0", 1))
        assert manager.tell("WATCHDOG=1")


@pytest.mark.usefixtures("heard")
def test_a_manager_that_does_not_read_never_blocks(manager: Manager) -> None:
    taken = [manager.tell("STATUS=" + "x" * 10_000) for _ in range(1_000)]

    assert taken[0]
    assert not taken[-1]


def test_nobody_is_told_where_nobody_asked() -> None:
    manager = take_manager({"PATH": "/bin"})

    assert not manager.is_there
    assert not manager.tell("READY=1")


def test_nothing_of_the_manager_is_left_for_children(address: str) -> None:
    environ = {
        "NOTIFY_SOCKET": address,
        "WATCHDOG_USEC": "30000000",
        "WATCHDOG_PID": str(os.getpid()),
        "PATH": "/bin",
    }

    with closing(take_manager(environ)) as manager:
        assert manager.is_there
        assert manager.watchdog_s == 30.0

    assert environ == {"PATH": "/bin"}


@pytest.mark.parametrize(
    ("usec", "pid", "watchdog_s"),
    [("", "", 0.0), ("5000000", "", 5.0), ("5000000", "1", 0.0), ("soon", "", 0.0)],
)
def test_a_watchdog_for_another_process_is_not_ours(usec: str, pid: str, watchdog_s: float) -> None:
    environ = {"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": usec, "WATCHDOG_PID": pid}

    with closing(take_manager(environ)) as manager:
        assert manager.watchdog_s == watchdog_s


@pytest.mark.parametrize("address", ["", "@", "relative", "vsock:2:1"])
def test_an_address_of_another_kind_is_left_alone(address: str) -> None:
    assert not take_manager({"NOTIFY_SOCKET": address}).is_there


def test_a_reload_tells_when_it_began() -> None:
    begins, at = reloading_message()

    assert begins == "RELOADING=1"
    assert int(at.removeprefix("MONOTONIC_USEC=")) > 0
