"""Commands by a Unix socket: for the owner of its file alone, and by the port no more."""

import asyncio
import socket
import stat
from pathlib import Path

import pytest

from daemon.adapters.http.errors import BindError
from daemon.adapters.http.unix_socket import bind_unix, remove_unix


def test_q6_its_file_is_for_its_owner_alone_and_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    bound = bind_unix(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    bound.close()
    remove_unix(path)
    assert not path.exists()


def test_one_that_was_left_behind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    bind_unix(path).close()

    bind_unix(path).close()


def test_one_that_is_in_use_and_what_is_no_socket_stay(tmp_path: Path) -> None:
    used, other = tmp_path / "used.sock", tmp_path / "notes.txt"
    other.write_text("mine")

    with bind_unix(used):
        with pytest.raises(BindError, match="perhaps another tickd"):
            bind_unix(used)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(used))
    with pytest.raises(BindError, match="no socket"):
        bind_unix(other)
    remove_unix(other)
    assert other.read_text() == "mine"


@pytest.mark.parametrize("name", ["x" * 200, "nowhere/control.sock"])
def test_where_none_can_be_made_it_is_told_with_its_setting(tmp_path: Path, name: str) -> None:
    with pytest.raises(BindError, match="`control_socket` under"):
        bind_unix(tmp_path / name)


def test_the_loop_may_take_it(tmp_path: Path) -> None:
    async def play() -> bytes:
        server = await asyncio.start_unix_server(
            lambda _, writer: writer.close(), sock=bind_unix(tmp_path / "s")
        )
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))
        answer = await reader.read()
        writer.close()
        server.close()
        return answer

    assert asyncio.run(play()) == b""
