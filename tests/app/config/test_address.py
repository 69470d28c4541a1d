"""Where the running daemon is looked for."""

from pathlib import Path

import pytest

from daemon.app.config.address import HOST, PORT, Address, choose_file, read_address
from daemon.app.config.problems import ConfigError
from daemon.app.config.sections import HttpSection
from tests.app.samples import write


def test_the_defaults_are_those_of_the_settings() -> None:
    assert (HttpSection().host, HttpSection().port) == (HOST, PORT)


def test_the_environment_beats_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, '[http]\nhost = "127.0.0.2"\nport = 81\n')

    assert read_address(path, {}) == Address(host="127.0.0.2", port=81, name="127.0.0.2")
    assert read_address(path, {"TICKD__HTTP__PORT": "82"}).port == 82


@pytest.mark.parametrize(("host", "reached"), [("0.0.0.0", "127.0.0.1"), ("::", "::1")])
def test_a_daemon_on_all_addresses_is_reached_on_loopback(
    tmp_path: Path, host: str, reached: str
) -> None:
    path = write(tmp_path, f'[http]\nhost = "{host}"\n')

    assert read_address(path, {}).host == reached


def test_a_daemon_with_names_of_its_own_is_called_by_one_of_them(tmp_path: Path) -> None:
    path = write(tmp_path, '[http]\nallowed_hosts = ["tickd.example.com"]\n')

    assert read_address(path, {}).name == "tickd.example.com"


@pytest.mark.parametrize("port", ["eighty", "0", "-1", "8420x"])
def test_a_port_that_is_none_is_told(tmp_path: Path, port: str) -> None:
    with pytest.raises(ConfigError, match=r"http\.port"):
        read_address(write(tmp_path, ""), {"TICKD__HTTP__PORT": port})


def test_a_broken_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not valid TOML"):
        read_address(write(tmp_path, "[http"), {})


def test_the_named_file_counts_before_the_one_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert choose_file(None, {}) is None

    write(tmp_path, "")

    assert choose_file(None, {}) == Path("config.toml")
    assert choose_file(None, {"TICKD_CONFIG": "/a"}) == Path("/a")
    assert choose_file(Path("/b"), {"TICKD_CONFIG": "/a"}) == Path("/b")


def test_an_address_is_written_as_in_a_url() -> None:
    assert str(Address(host="::1", port=1, name="x")) == "[::1]:1"
