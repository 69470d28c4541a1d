"""Where the running daemon answers, read without the rest of the settings.

A container asks every few seconds whether the daemon is healthy: that must not cost the half
second that checking a whole configuration takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.app.config.problems import ConfigError, Problem
from daemon.app.config.toml_file import read_toml

FILE_NAME = "config.toml"
CONFIG_VARIABLE = "TICKD_CONFIG"
HOST = "127.0.0.1"
PORT = 8420
STATE_DIR, EXCHANGE_ID, MODE = "dump", "sandbox", "signal"
TOKEN_FILE_NAME = "control.token"  # noqa: S105 - where it is, not what it is
ALL_ADDRESSES = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where not to connect to


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to connect, and the name to call the daemon by (its Host header).

    With a `socket` commands go by that.
    """

    host: str
    port: int
    name: str
    socket: str = ""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def choose_file(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the configuration file that counts, None for the packaged default."""
    if path is not None:
        return path
    if environ.get(CONFIG_VARIABLE):
        return Path(environ[CONFIG_VARIABLE])
    return Path(FILE_NAME) if Path(FILE_NAME).exists() else None


def read_address(path: Path | None, environ: Mapping[str, str]) -> Address:
    """Return where the daemon of this configuration listens. Raises ConfigError."""
    section = _section(path, environ, "http")
    host = environ.get("TICKD__HTTP__HOST", section.get("host", HOST))
    port = environ.get("TICKD__HTTP__PORT", section.get("port", PORT))
    names = section.get("allowed_hosts", ())
    if not str(port).isdigit():
        remedy = "Write the number of a port"
        problem = Problem(where="http.port", message="is no port", remedy=remedy)
        raise ConfigError([problem])
    if int(port) == 0:
        remedy = "Set http.port, or give --url as the daemon told it at its start"
        problem = Problem(where="http.port", message="is 0: any free port", remedy=remedy)
        raise ConfigError([problem])
    reachable = ALL_ADDRESSES.get(str(host), str(host))
    is_known = not isinstance(names, list) or not names or reachable in names
    socket = environ.get("TICKD__HTTP__CONTROL_SOCKET", section.get("control_socket", ""))
    return Address(
        host=reachable,
        port=int(port),
        name=reachable if is_known else str(names[0]),
        socket=str(Path(str(socket)).expanduser()) if socket else "",
    )


def read_token(path: Path | None, environ: Mapping[str, str]) -> str:
    """Return the token of the daemon of this configuration. Raises ConfigError.

    Nothing else of the configuration is judged: a daemon can be commanded while its file is
    being changed.
    """
    section = _section(path, environ, "http")
    if token := environ.get("TICKD__HTTP__TOKEN"):
        return token
    named = environ.get("TICKD__HTTP__TOKEN_FILE", section.get("token_file"))
    place = Path(str(named)) if named else _own_token(path, environ)
    return token_of(place, environ)


def token_of(place: Path, environ: Mapping[str, str]) -> str:
    """Return the token in a file. Raises ConfigError."""
    from daemon.app.config.secret_files import (  # noqa: PLC0415 - pydantic: no probe waits for it
        SecretFileError,
        read_secret,
    )

    try:
        return read_secret(place, environ).get_secret_value()
    except SecretFileError as error:
        remedy = "Is the daemon started, with this configuration, in this folder, by this user?"
        problem = Problem(where="the token of the daemon", message=str(error), remedy=remedy)
        raise ConfigError([problem]) from None


def _own_token(path: Path | None, environ: Mapping[str, str]) -> Path:
    """Return where the daemon keeps the token that it makes itself."""
    daemon, exchange = _section(path, environ, "daemon"), _section(path, environ, "exchange")
    state_dir = environ.get("TICKD__DAEMON__STATE_DIR", daemon.get("state_dir", STATE_DIR))
    mode = environ.get("TICKD__DAEMON__MODE", daemon.get("mode", MODE))
    exchange_id = environ.get("TICKD__EXCHANGE__ID", exchange.get("id", EXCHANGE_ID))
    return Path(str(state_dir)) / f"{exchange_id}-{mode}" / TOKEN_FILE_NAME


def _section(path: Path | None, environ: Mapping[str, str], name: str) -> Mapping[str, Any]:
    file = choose_file(path, environ)
    table = {} if file is None else read_toml(file).data.get(name, {})
    return table if isinstance(table, Mapping) else {}
