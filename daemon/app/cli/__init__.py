"""The command line: thin commands over what the other modules do."""

from daemon.app.cli.top import main

__all__ = ["main"]
