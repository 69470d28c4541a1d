"""The token of the control API: made once, for its owner alone, and found again."""

import os
import stat
from pathlib import Path

import pytest

from daemon.app.config.address import read_token
from daemon.app.config.problems import ConfigError
from daemon.app.config.settings import Config
from daemon.app.control_token import control_token
from daemon.core.errors import FatalError

STRATEGY = {"name": "s", "path": "tests:S", "symbols": ["BTC/USDT"]}


def a_config(**http: object) -> Config:
    return Config(strategies=[STRATEGY], http=http)  # type: ignore[arg-type]  # by pydantic


def test_a_token_is_made_once_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    first = control_token(a_config(), tmp_path, {})
    again = control_token(a_config(), tmp_path, {})

    assert first == again
    assert len(first) >= 40
    assert stat.S_IMODE((tmp_path / "control.token").stat().st_mode) == 0o600


def test_a_configured_token_counts_and_none_is_made(tmp_path: Path) -> None:
    assert control_token(a_config(token="configured-token"), tmp_path, {}) == "configured-token"
    assert list(tmp_path.iterdir()) == []


def test_c5_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    control_token(a_config(), tmp_path, {})
    (tmp_path / "control.token").chmod(0o644)

    with pytest.raises(FatalError, match="can be read by others"):
        control_token(a_config(), tmp_path, {})


def test_d12_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "control.token").symlink_to(elsewhere)

    with pytest.raises(FatalError):
        control_token(a_config(), tmp_path, {})
    assert not elsewhere.exists()


def test_the_command_line_finds_what_the_daemon_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("dump/sandbox-signal")
    folder.mkdir(parents=True)
    made = control_token(a_config(), folder, {})
    named = tmp_path / "named"
    named.write_text("named-token\n")
    named.chmod(0o600)

    assert read_token(None, {}) == made
    assert read_token(None, {"TICKD__HTTP__TOKEN": "given-token"}) == "given-token"
    assert read_token(None, {"TICKD__HTTP__TOKEN_FILE": os.fspath(named)}) == "named-token"
    with pytest.raises(ConfigError, match="No such file"):
        read_token(None, {"TICKD__EXCHANGE__ID": "binance"})


def test_c6_the_line_end_of_an_editor_is_no_part_of_the_token(tmp_path: Path) -> None:
    place = tmp_path / "control.token"
    place.write_text("a-token-by-hand\r\n")
    place.chmod(0o600)

    assert control_token(a_config(), tmp_path, {}) == "a-token-by-hand"
