"""`tickd install-service`: what it writes, what it leaves alone, and what it says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.app.cli import install
from tests.app.cli.tickd import Shell
from tests.app.samples import STRATEGY, write

PROGRAM = Path(sys.executable).with_name("tickd")


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder for units, on a machine where nothing of ours lies in a home."""
    monkeypatch.setattr(install, "HOMES", (Path("/nowhere"),))
    return tmp_path / "units"


def test_it_writes_a_unit_and_says_what_it_did(shell: Shell, out: Path) -> None:
    write(shell.folder, STRATEGY)

    ended = shell("install-service", "--into", str(out))

    text = (out / "tickd.service").read_text()
    assert ended.code == 0
    assert f"ExecStart={PROGRAM} run\n" in text
    assert f"TICKD_CONFIG={shell.folder}/config.toml\n" in text
    assert "DynamicUser=yes\n" in text
    assert (
        f"ExecStart={PROGRAM} report-failure tickd.service\n"
        in (out / "tickd-failed.service").read_text()
    )
    assert f"wrote {out}/tickd.service" in ended.err
    assert "next: systemctl daemon-reload && systemctl enable --now tickd" in ended.err


def test_it_makes_a_command_that_is_the_services_user(shell: Shell, out: Path) -> None:
    """The state of a made-up user is closed to root too; what root writes is closed to it."""
    write(shell.folder, STRATEGY)

    ended = shell("install-service", "--into", str(out), "--name", "bot")

    command = out / "bot"
    text = command.read_text()
    assert command.stat().st_mode & 0o777 == 0o755
    assert "--property=DynamicUser=yes " in text
    assert "--property=User=bot " in text
    assert "--property=StateDirectory=bot " in text
    assert "--property=Environment=TICKD__DAEMON__STATE_DIR=/var/lib/bot " in text
    assert f"--property=Environment=TICKD_CONFIG={shell.folder}/config.toml " in text
    assert "alerts.telegram.token:bot.alerts.telegram.token " in text
    assert "%" not in text
    assert text.endswith(f'    {PROGRAM} "$@"\n')
    assert subprocess.run(["sh", "-n", str(command)], check=False).returncode == 0
    assert f"then: {command} status" in ended.err


def test_the_configuration_is_judged_with_the_secrets_that_the_service_gets(
    shell: Shell, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(shell.folder, f"{STRATEGY}[alerts.telegram]\nchat_id = 42\n")
    monkeypatch.setattr(install, "CREDENTIALS", shell.folder)
    without = shell("install-service", "--into", str(out), "--name", "bot")
    token = shell.folder / "bot.alerts.telegram.token"
    token.write_text("123456:" + "AAtestTokenOfNobody_x9Zq7Lm")
    token.chmod(0o600)

    assert without.code == 78
    assert shell("install-service", "--into", str(out), "--name", "bot").code == 0


@pytest.mark.parametrize("name", ["2nd", "a" * 32])
def test_a_name_that_no_user_can_have_gets_no_command(shell: Shell, out: Path, name: str) -> None:
    write(shell.folder, STRATEGY)

    assert shell("install-service", "--into", str(out), "--name", name).code == 0
    assert not (out / name).exists()


def test_a_second_time_changes_nothing(shell: Shell, out: Path) -> None:
    write(shell.folder, STRATEGY)
    shell("install-service", "--into", str(out))
    before = (out / "tickd.service").stat()

    ended = shell("install-service", "--into", str(out))

    assert ended.code == 0
    assert "is as it should be already" in ended.err
    assert (out / "tickd.service").stat().st_mtime_ns == before.st_mtime_ns


def test_what_a_person_changed_is_not_overwritten_unasked(shell: Shell, out: Path) -> None:
    write(shell.folder, STRATEGY)
    out.mkdir()
    (out / "tickd.service").write_text("mine")

    refused = shell("install-service", "--into", str(out))

    assert refused.code == 1
    assert "would be overwritten, and nothing was written" in refused.err
    assert [path.name for path in out.iterdir()] == ["tickd.service"]
    assert (out / "tickd.service").read_text() == "mine"
    assert shell("install-service", "--into", str(out), "--force").code == 0
    assert "ExecStart" in (out / "tickd.service").read_text()


def test_a_link_in_the_way_is_replaced_and_not_followed(shell: Shell, out: Path) -> None:
    write(shell.folder, STRATEGY)
    out.mkdir()
    target = shell.folder / "precious"
    target.write_text("precious")
    (out / "tickd.service").symlink_to(target)

    assert shell("install-service", "--into", str(out)).code == 1
    assert shell("install-service", "--into", str(out), "--force").code == 0
    assert target.read_text() == "precious"
    assert not (out / "tickd.service").is_symlink()


def test_a_dry_run_prints_and_writes_nothing(shell: Shell, out: Path) -> None:
    write(shell.folder, STRATEGY)

    ended = shell("install-service", "--into", str(out), "--dry-run")

    assert f"# {out}/tickd.service\n[Unit]" in ended.out
    assert not out.exists()


def test_a_dry_run_tells_how_the_units_differ_from_those_that_are_there(
    shell: Shell, out: Path
) -> None:
    write(shell.folder, STRATEGY)
    shell("install-service", "--into", str(out))
    unit = out / "tickd.service"
    unit.write_text(unit.read_text().replace("WatchdogSec=30", "WatchdogSec=60"))

    ended = shell("install-service", "--into", str(out), "--dry-run")

    assert "-WatchdogSec=60\n+WatchdogSec=30\n" in ended.out
    assert f"# {out}/tickd-failed.service is as it should be already\n" in ended.out
    assert "WatchdogSec=60" in unit.read_text()


def test_a_service_of_ones_own_needs_no_root(
    shell: Shell, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(shell.folder, STRATEGY)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(out))

    ended = shell("install-service", "--user", "--name", "bot")

    text = (out / "systemd/user/bot.service").read_text()
    assert f"TICKD__DAEMON__STATE_DIR={shell.folder}/dump\n" in text
    assert "OnFailure=bot-failed.service\n" in text
    assert "DynamicUser" not in text
    assert not (out / "systemd/user/bot").exists()
    assert "systemctl --user enable --now bot" in ended.err
    assert "loginctl enable-linger" in ended.err


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give files away")
def test_what_lies_in_a_home_runs_as_its_owner_and_sees_nothing_else_there(
    shell: Shell, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write(shell.folder, STRATEGY)
    monkeypatch.setattr(install, "HOMES", (shell.folder,))
    os.chown(config, 65534, 65534)

    ended = shell("install-service", "--into", str(out))

    text = (out / "tickd.service").read_text()
    assert "User=nobody\n" in text
    assert "ProtectHome=tmpfs\n" in text
    assert f"BindReadOnlyPaths={shell.folder}\n" in text
    assert f"BindPaths={shell.folder}/dump\n" in text
    assert (shell.folder / "dump").stat().st_uid == 65534
    assert (shell.folder / "dump").stat().st_mode & 0o777 == 0o700
    assert "as nobody" in ended.err


@pytest.mark.skipif(os.geteuid() != 0, reason="files of this test are root's only for root")
def test_no_service_runs_as_root(shell: Shell, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(shell.folder, STRATEGY)
    monkeypatch.setattr(install, "HOMES", (shell.folder,))

    ended = shell("install-service", "--into", str(out))

    assert ended.code == 1
    assert "is in a home, so the service must run as the owner" in ended.err
    assert not out.exists()


def test_without_a_configuration_there_is_nothing_to_run(shell: Shell, out: Path) -> None:
    ended = shell("install-service", "--into", str(out))

    assert ended.code == 1
    assert "tickd config default > config.toml" in ended.err


def test_a_path_that_no_unit_can_name_is_refused(shell: Shell, out: Path) -> None:
    folder = shell.folder / "my bot"
    folder.mkdir()
    config = write(folder, STRATEGY)

    ended = shell("install-service", "--into", str(out), "--config", str(config))

    assert ended.code == 1
    assert "cannot stand in a unit" in ended.err


@pytest.mark.parametrize("name", ["../x", "", "a b", "x.service", "%i"])
def test_a_name_that_is_none_is_refused(shell: Shell, out: Path, name: str) -> None:
    write(shell.folder, STRATEGY)

    assert shell("install-service", "--into", str(out), "--name", name).code == 2
    assert not out.exists()
