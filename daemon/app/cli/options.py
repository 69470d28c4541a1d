"""Options that several commands have, and how their values are read."""

# ruff: noqa: PLC0415 - late imports, so that `tickd --help` starts in a moment

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.app.cli.terminal import Terminal

if TYPE_CHECKING:
    from daemon.app.config.load import Loaded

SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
PLUGINS_OFF = "PYDANTIC_DISABLE_PLUGINS"
DURATION_S_MAX = 10 * 365 * 86_400.0
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")


def parse_duration(text: str) -> float:
    """Return a duration in seconds: "90", "60s", "5m", "2h", "1d"."""
    match = _DURATION.fullmatch(text.strip().lower())
    seconds = float(match[1]) * SECONDS[match[2]] if match else 0.0
    if not 0 < seconds <= DURATION_S_MAX:
        raise typer.BadParameter(f"{text!r} is no duration: write 60s, 5m or 2h")
    return seconds


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The configuration file. [default: $TICKD_CONFIG, else ./config.toml]",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a setting: sandbox.speed=600."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
UrlOption = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Where the daemon answers, if not as configured."),
]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", min=0.1, max=600, help="Seconds to wait for an answer.")
]


@contextmanager
def _without_plugins() -> Iterator[None]:
    """Let pydantic look for no plugins within this: none is meant for our settings.

    Looking reads a file of every package that is installed.
    """
    before = os.environ.get(PLUGINS_OFF)
    os.environ[PLUGINS_OFF] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[PLUGINS_OFF]
        else:
            os.environ[PLUGINS_OFF] = before


def open_config(terminal: Terminal, path: Path | None, settings: list[str] | None) -> "Loaded":
    """Load the configuration and say where it came from if nobody named a file.

    Raises ConfigError.
    """
    with _without_plugins():
        from daemon.app.config.load import load_config
    loaded = load_config(path, os.environ, settings or ())
    terminal.hide(loaded.config.secret_values)
    if loaded.is_packaged:
        terminal.note(
            f"no config.toml in {Path.cwd()}: using the packaged default"
            " (tickd config default > config.toml writes it down)"
        )
    return loaded
