"""Secrets from files: one a file, readable by its owner alone."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

BYTES_MAX = 16_384
CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"
CREDENTIAL_PREFIX = "tickd."
"""What the service manager calls a secret: this and the setting's key."""


class SecretFileError(ValueError):
    """A secret cannot be taken from its file. The text never holds any of its content."""


def read_secret(path: Path, environ: Mapping[str, str]) -> SecretStr:
    """Return the secret that a file holds, without the line end that an editor put there.

    Raises SecretFileError for a file that others may read, that belongs to another user, or
    whose content can be no secret.
    """
    try:
        descriptor = os.open(path.expanduser(), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no such path"
        raise SecretFileError(f"cannot be read ({reason}): {path}") from None
    try:
        _check_file(path, os.fstat(descriptor), environ)
        raw = os.read(descriptor, BYTES_MAX + 1)
    finally:
        os.close(descriptor)
    return SecretStr(_text(path, raw))


def credential_file(key: str, environ: Mapping[str, str]) -> Path | None:
    """Return the file of the secret `key` among the service manager's, None if it has none."""
    folder = environ.get(CREDENTIALS_VARIABLE)
    if not folder:
        return None
    path = Path(folder) / f"{CREDENTIAL_PREFIX}{key}"
    return path if path.is_file() else None


def _check_file(path: Path, status: os.stat_result, environ: Mapping[str, str]) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise SecretFileError(f"is not a plain file: {path}")
    allowed = stat.S_IRWXU
    if _is_credential(path, environ):
        # systemd grants its credentials by an access list, which shows as the group's bits.
        allowed |= stat.S_IRGRP
    mode = stat.S_IMODE(status.st_mode)
    if mode & ~allowed:
        raise SecretFileError(f"can be read by others (mode {mode:04o}): chmod 600 {path}")
    if status.st_uid not in {0, os.geteuid()}:
        raise SecretFileError(
            f"belongs to another user (uid {status.st_uid}): chown it to uid {os.geteuid()}: {path}"
        )


def _is_credential(path: Path, environ: Mapping[str, str]) -> bool:
    folder = environ.get(CREDENTIALS_VARIABLE)
    return bool(folder) and path.parent == Path(str(folder))


def _text(path: Path, raw: bytes) -> str:
    if len(raw) > BYTES_MAX:
        raise SecretFileError(f"is larger than {BYTES_MAX} bytes: {path}")
    try:
        text = raw.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise SecretFileError(f"is not UTF-8 text: {path}") from None
    if not text.strip():
        raise SecretFileError(f"is empty: {path}")
    if text != text.strip() or "\0" in text:
        raise SecretFileError(f"begins or ends with a space, or holds a zero byte: {path}")
    if "\n" in text and not text.startswith("-----BEGIN"):
        raise SecretFileError(f"holds more than one line: {path}")
    return text
