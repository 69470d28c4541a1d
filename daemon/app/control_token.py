"""The token of the control API: as configured, or one that the daemon makes for this machine.

The one that it makes lies in the state folder, readable by its owner alone. Whoever may read the
folder may command the daemon; nobody has to set anything up for that.
"""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from daemon.app.config.address import TOKEN_FILE_NAME
from daemon.app.config.secret_files import SecretFileError, read_secret
from daemon.app.config.settings import Config
from daemon.core.errors import FatalError

TOKEN_BYTES = 32


def control_token(config: Config, folder: Path, environ: Mapping[str, str]) -> str:
    """Return the token. Blocks. Raises FatalError where it can be neither read nor made."""
    if config.http.token is not None:
        return config.http.token.get_secret_value()
    place = folder / TOKEN_FILE_NAME
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with suppress(FileExistsError):
            descriptor = os.open(place, flags, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(TOKEN_BYTES) + "\n")
        return read_secret(place, environ).get_secret_value()
    except SecretFileError as error:
        remedy = f"Remove it and start again, or name another in token_file under [http]: {place}"
        raise FatalError(f"the token of the control API {error}. {remedy}") from None
    except OSError as error:
        raise FatalError(
            f"the token of the control API cannot be kept ({error.strerror}): {place}"
        ) from error
