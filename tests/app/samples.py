"""Small configurations for tests that name only what matters to them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from daemon.app.config.load import Loaded, load_config
from daemon.app.config.problems import ConfigError, Problem

STRATEGY = """
[[strategies]]
name = "breakout"
path = "daemon.strategies.breakout:Breakout"
symbols = ["BTC/USDT"]
"""
"""The least that a configuration must hold; it takes the first six lines."""

CANARY = "canary7Qx2mPz9RtYwVb4NcKd1"
"""A secret that no output may ever hold."""

NO_ENVIRONMENT: Mapping[str, str] = {}


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "config.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def load(
    folder: Path,
    text: str | bytes = "",
    environ: Mapping[str, str] = NO_ENVIRONMENT,
    settings: Iterable[str] = (),
) -> Loaded:
    """Load a file that holds one strategy and `text`."""
    given = text if isinstance(text, bytes) else STRATEGY + text
    return load_config(write(folder, given), environ, settings)


def problems(
    folder: Path,
    text: str | bytes = "",
    environ: Mapping[str, str] = NO_ENVIRONMENT,
    settings: Iterable[str] = (),
) -> list[str]:
    """Return what is wrong with a file of one strategy and `text`, without its folder."""
    return [
        str(problem).replace(f"{folder}/", "") for problem in found(folder, text, environ, settings)
    ]


def found(
    folder: Path,
    text: str | bytes = "",
    environ: Mapping[str, str] = NO_ENVIRONMENT,
    settings: Iterable[str] = (),
) -> tuple[Problem, ...]:
    try:
        load(folder, text, environ, settings)
    except ConfigError as error:
        return error.problems
    return ()


def one_problem(
    folder: Path,
    text: str | bytes = "",
    environ: Mapping[str, str] = NO_ENVIRONMENT,
    settings: Iterable[str] = (),
) -> str:
    lines = problems(folder, text, environ, settings)
    assert len(lines) == 1, lines
    return lines[0]
