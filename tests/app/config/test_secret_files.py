"""A secret is taken from a file only if nobody else could read it there."""

import os
from pathlib import Path

import pytest

from daemon.app.config.secret_files import SecretFileError, read_secret
from tests.app.samples import CANARY, found, load


def a_file(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def refusal(path: Path, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(SecretFileError) as error:
        read_secret(path, environ or {})
    assert CANARY not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n", b"\n\n"])
def test_c6_the_line_end_is_no_part_of_the_secret(tmp_path: Path, ending: bytes) -> None:
    path = a_file(tmp_path, CANARY.encode() + ending)

    assert read_secret(path, {}).get_secret_value() == CANARY


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o666, 0o610])
def test_c5_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = a_file(tmp_path, CANARY.encode(), mode)

    told = refusal(path)

    assert told == f"can be read by others (mode {mode:04o}): chmod 600 {path}"


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_file_of_its_owner_alone_is_read(tmp_path: Path, mode: int) -> None:
    assert read_secret(a_file(tmp_path, CANARY.encode(), mode), {})


def test_a_credential_of_systemd_may_show_the_group_bit(tmp_path: Path) -> None:
    path = a_file(tmp_path, CANARY.encode(), 0o440)

    assert read_secret(path, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert "can be read by others" in refusal(path, {"CREDENTIALS_DIRECTORY": "/elsewhere"})
    path.chmod(0o444)
    assert "can be read by others" in refusal(path, {"CREDENTIALS_DIRECTORY": str(tmp_path)})


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a file away")
def test_c5_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path, CANARY.encode())
    os.chown(path, 12345, 12345)

    assert refusal(path) == f"belongs to another user (uid 12345): chown it to uid 0: {path}"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b" \n", "is empty"),
        (CANARY.encode() + b" \n", "begins or ends with a space, or holds a zero byte"),
        (CANARY.encode() + b"\0", "begins or ends with a space, or holds a zero byte"),
        (b"one\n" + CANARY.encode(), "holds more than one line"),
        (b"\xff" + CANARY.encode(), "is not UTF-8 text"),
        (b"x" * 20_000, "is larger than 16384 bytes"),
    ],
)
def test_what_can_be_no_secret_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    path = a_file(tmp_path, content)

    assert refusal(path) == f"{told}: {path}"


def test_a_private_key_may_have_many_lines(tmp_path: Path) -> None:
    text = "-----BEGIN KEY-----\nabc\n-----END KEY-----"

    assert read_secret(a_file(tmp_path, text.encode() + b"\n"), {}).get_secret_value() == text


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    assert refusal(tmp_path / "gone").startswith("cannot be read (No such file or directory)")
    assert refusal(tmp_path) == f"is not a plain file: {tmp_path}"
    assert refusal(tmp_path / "pipe").startswith("is not a plain file")


def test_a_link_to_a_secret_is_followed(tmp_path: Path) -> None:
    """Orchestrators mount secrets as links; the rights of the file itself count."""
    path = a_file(tmp_path, CANARY.encode())
    (tmp_path / "link").symlink_to(path)

    assert read_secret(tmp_path / "link", {})
    path.chmod(0o644)
    assert "can be read by others" in refusal(tmp_path / "link")


def test_what_the_service_manager_hands_over_needs_no_name(tmp_path: Path) -> None:
    handed = tmp_path / "credentials"
    handed.mkdir()
    for name in ("api_key", "api_secret"):
        path = handed / f"tickd.exchange.{name}"
        path.write_text(f"{CANARY}\n")
        path.chmod(0o440)

    loaded = load(tmp_path, environ={"CREDENTIALS_DIRECTORY": str(handed)})

    key = loaded.config.exchange.api_key
    assert key is not None
    assert key.get_secret_value() == CANARY
    assert loaded.sources.origin(("exchange", "api_key")) == (
        "the credential tickd.exchange.api_key"
    )
    assert CANARY not in repr(loaded.config)


def test_a_secret_of_the_environment_wins_over_a_credential(tmp_path: Path) -> None:
    for name in ("api_key", "api_secret"):
        (tmp_path / f"tickd.exchange.{name}").write_text(CANARY)
        (tmp_path / f"tickd.exchange.{name}").chmod(0o600)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path), "TICKD__EXCHANGE__API_KEY": "other"}

    key = load(tmp_path, environ=environ).config.exchange.api_key

    assert key is not None
    assert key.get_secret_value() == "other"


def test_a_credential_that_others_may_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tickd.alerts.webhook.secret").write_text(CANARY)
    (tmp_path / "tickd.alerts.webhook.secret").chmod(0o644)

    (problem,) = found(tmp_path, environ={"CREDENTIALS_DIRECTORY": str(tmp_path)})

    assert problem.where == "tickd.alerts.webhook.secret"
    assert problem.key == "alerts.webhook.secret"
    assert "can be read by others" in problem.message
