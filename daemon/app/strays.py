"""What fails in tasks and threads that a strategy has left behind: told in a line each.

Nobody waits for them, so that what they raise costs no call, and is in no result: when they get on
is a matter of this machine, and the same run must come to the same.
"""

import sys
import threading
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from daemon.core.guard import describe
from daemon.core.plain_text import one_line
from daemon.core.wording import count_text

KINDS_TOLD_MAX = 5
"""So many different failures are told; the others are counted."""


@dataclass(slots=True)
class _Kind:
    where: str
    first: str
    count: int = 0


def say(line: str) -> None:
    """Write a line for people where no terminal of a command is at hand."""
    sys.stderr.write(f"tickd: {line}\n")


class Strays(AbstractContextManager["Strays"]):
    """Collects their failures while it is entered, and tells them at its end."""

    def __init__(self, tell: Callable[[str], None] = say) -> None:
        self._tell = tell
        self._kinds: dict[tuple[str, str, str], _Kind] = {}

    def __enter__(self) -> "Strays":
        """Hear what fails in threads and destructors: of all the process, so in its main thread."""
        self._hooks = threading.excepthook, sys.unraisablehook
        self._is_main = threading.current_thread() is threading.main_thread()
        if self._is_main:
            threading.excepthook = self._on_thread
            sys.unraisablehook = self._on_unraisable
        return self

    def __exit__(self, *_: object) -> None:
        """Tell what there was."""
        if self._is_main:
            threading.excepthook, sys.unraisablehook = self._hooks
        kinds = sorted(self._kinds.values(), key=lambda kind: -kind.count)
        for kind in kinds[:KINDS_TOLD_MAX]:
            self._tell(f"{count_text(kind.count, 'failure')} in {kind.where}: {kind.first}")
        if others := kinds[KINDS_TOLD_MAX:]:
            count = sum(kind.count for kind in others)
            self._tell(f"{count_text(count, 'failure')} of other kinds that nobody waits for")

    def listen_to(self, loop: AbstractEventLoop) -> None:
        """Hear what fails in tasks of `loop`, as long as that one lives."""
        loop.set_exception_handler(self._on_loop)

    def _on_loop(self, _: AbstractEventLoop, context: Mapping[str, Any]) -> None:
        what = context.get("task") or context.get("future") or context.get("handle")
        where = "tasks that nobody waits for" if isinstance(what, Future) else "the event loop"
        self._note(where, context.get("exception"), str(context.get("message", "")))

    def _on_thread(self, ended: threading.ExceptHookArgs) -> None:
        if not issubclass(ended.exc_type, SystemExit):
            self._note("threads that nobody waits for", ended.exc_value, ended.exc_type.__name__)

    def _on_unraisable(self, ended: "sys.UnraisableHookArgs") -> None:
        self._note("destructors", ended.exc_value, ended.err_msg or ended.exc_type.__name__)

    def _note(self, where: str, error: BaseException | None, otherwise: str) -> None:
        if error is None:
            key, told = (where, otherwise, ""), otherwise
        else:
            raised = describe(error)
            key, told = (where, raised.error, raised.place), raised.told
        self._kinds.setdefault(key, _Kind(where, one_line(told))).count += 1
