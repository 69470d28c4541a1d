"""The one place where errors become exit codes and lines for people."""

# ruff: noqa: PLC0415 - late imports, so that `tickd --help` starts in a moment

import errno
import gc
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import MappingProxyType
from typing import NoReturn

from daemon.app.cli.terminal import Terminal
from daemon.app.config.problems import ConfigError, one_line
from daemon.app.exit_codes import ExitCode
from daemon.core.errors import (
    FatalError,
    RejectedError,
    StateLockedError,
    TickdError,
    TransientError,
)

DEBUG_FLAG = "--debug"
PROBLEMS_SHOWN_MAX = 50
GARBAGE_THRESHOLDS = 100_000, 20, 20
"""So many new objects before circles are looked for: imports make many, and none in circles.

Looking as often as usual takes a tenth of the time of a start.
"""

SPARED = MappingProxyType({"OPENBLAS_NUM_THREADS": "1", "PYDANTIC_DISABLE_PLUGINS": "__all__"})
"""What libraries do at each start for those who need it, and we do not: a thread per core that
spins for matrices to multiply (cores are shared out as processes here), and a search of all that
is installed for plugins of pydantic. What the environment says already stays.
"""


def main() -> NoReturn:
    """Run the command line of this process, and end the process."""
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    for name, value in SPARED.items():
        os.environ.setdefault(name, value)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    exit_code = run(sys.argv[1:])
    # The rest is the interpreter's own end, which would show where it was interrupted.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What is left is thrown away as it stands: nobody needs it searched for circles.
    gc.freeze()
    sys.exit(exit_code)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. No error of it passes through."""
    terminal = Terminal(is_debug=DEBUG_FLAG in arguments)
    arguments = [argument for argument in arguments if argument != DEBUG_FLAG]
    try:
        return _invoke(terminal, arguments)
    except TickdError as error:
        return _tell(terminal, error)
    except BrokenPipeError:
        return _go_quietly()
    except OSError as error:
        return _tell(terminal, error)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the top: whatever comes here is a bug to report
        return _confess(terminal, error)


def _invoke(terminal: Terminal, arguments: Sequence[str]) -> int:
    from daemon.app.cli.commands import app_for

    try:
        app_for(arguments)(args=list(arguments), prog_name="tickd", obj=terminal)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            # What writes lines and tables has met it first, and calls it a failure.
            return _go_quietly()
        return end.code if isinstance(end.code, int) else ExitCode.OK
    return ExitCode.OK


def exit_code_of(error: TickdError | OSError) -> ExitCode:
    """Return the exit code of an error that a person can do something about."""
    match error:
        case OSError():
            # A port in use does not become free by trying again; a full disk may.
            causes = (error, error.__cause__)
            is_taken = any(getattr(cause, "errno", None) == errno.EADDRINUSE for cause in causes)
            return ExitCode.CONFIG if is_taken else ExitCode.TEMPORARY
        case ConfigError():
            return ExitCode.CONFIG
        case RejectedError() if isinstance(error, ValueError):
            # What was given cannot be used: candles, a frame, a sizing rule.
            return ExitCode.FINDINGS
        case StateLockedError() | TransientError():
            return ExitCode.TEMPORARY
        case RejectedError():
            return ExitCode.UNAVAILABLE
        case FatalError():
            return ExitCode.CONFIG
        case _:
            return ExitCode.FINDINGS


def _tell(terminal: Terminal, error: TickdError | OSError) -> int:
    if terminal.is_debug:
        _trace(terminal, error)
    lines = str(error).splitlines() or [type(error).__name__]
    for line in lines[:PROBLEMS_SHOWN_MAX]:
        terminal.fail(f"tickd: {one_line(line)}")
    if len(lines) > PROBLEMS_SHOWN_MAX:
        terminal.fail(f"tickd: and {len(lines) - PROBLEMS_SHOWN_MAX} more")
    return exit_code_of(error)


def _go_quietly() -> int:
    """Whoever read our output has gone (`tickd ... | head`): that is no error."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - until the end
    return ExitCode.OK


def _confess(terminal: Terminal, error: Exception) -> int:
    if terminal.is_debug:
        _trace(terminal, error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    text = " ".join(f"{type(error).__name__}: {error}".split())[:500]
    terminal.fail(f"tickd: internal error{place}: {text}")
    if not terminal.is_debug:
        terminal.fail("tickd: this is a bug. Run it again with --debug and report what it prints")
    return ExitCode.INTERNAL


def _trace(terminal: Terminal, error: BaseException) -> None:
    # Frames without their variables, which may hold secrets.
    terminal.fail("".join(traceback.format_exception(error)).rstrip())
