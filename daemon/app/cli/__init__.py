"""The command line: thin commands over what the other modules do."""

# ruff: noqa: PLC0415 - late imports, so that Ctrl-C during them ends in silence, too

import os
import signal
from typing import NoReturn

from daemon.app.exit_codes import ExitCode


def main() -> NoReturn:
    """Run the command line of this process, and end the process."""
    # Nothing has begun that would have to be wound up; Python would show where it was.
    signal.signal(signal.SIGINT, lambda *_: os._exit(ExitCode.INTERRUPTED))
    fill_standard_files()
    from daemon.app.cli import top

    top.main()


def fill_standard_files() -> None:
    """Open whatever of the standard input and outputs is closed.

    A socket would get its number, and uvloop ends a process that closes one of those.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is this one.
            os.open(os.devnull, os.O_RDWR)


__all__ = ["main"]
