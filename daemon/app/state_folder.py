"""Whose state a configuration keeps, and where: one folder per exchange and mode."""

from pathlib import Path

from daemon.adapters.storage.opening import folder_of
from daemon.adapters.storage.schema import Identity
from daemon.app.config.settings import Config


def identity_of(config: Config) -> Identity:
    """Return whose state a daemon of `config` keeps."""
    return Identity(exchange=config.exchange.id, mode=config.daemon.mode)


def state_folder(config: Config) -> Path:
    """Return where a daemon of `config` keeps it; nothing is made."""
    return folder_of(config.daemon.state_dir, identity_of(config))
