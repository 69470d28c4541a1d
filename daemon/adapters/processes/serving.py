"""A worker process's own side: items come in by its line, what they came to goes out by it.

It ends when the other end of the line is gone.
"""

import gc
import os
import pickle
import signal
import socket
import sys
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from typing import TypeVar

from daemon.adapters.processes.packing import packed
from daemon.adapters.processes.shared_bytes import SharedBytes
from daemon.core.guard import Raised, call_foreign
from daemon.core.plain_text import one_line

T = TypeVar("T")

ANSWER, FAILED = "answer", "failed"

BEGUN = 0
"""The number of the first answer of a process that was started afresh; those of items follow."""


def serve(line: socket.socket, shared: SharedBytes, body: bytes) -> None:
    """Work in a process of its own until the other end of `line` is gone."""
    # Ctrl-C goes to all processes of a terminal: the first one decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The standard output is the first one's, too: what an author's code prints goes beside it.
    sys.stdout = sys.stderr
    begun = call_foreign(_begin, body, shared)
    # Who started this one may be gone by now, and nobody wants to hear of it.
    with suppress(OSError):
        if isinstance(begun, Raised):
            line.sendall(packed((BEGUN, FAILED, one_line(begun.told))))
        else:
            line.sendall(packed((BEGUN, ANSWER, None)))
            _work_on(line, begun.value)


def serve_as_copy(
    line: socket.socket,
    function: Callable[[T], object],
    mask: Collection[signal.Signals],
    others: Iterable[socket.socket],
) -> None:
    """As `serve`, in a copy of the process at the other end of `line`.

    The copy lets go of `others`, which are that one's; it has the signals of `mask` blocked.
    """
    # What is there already is nobody's garbage: not to look at it keeps it shared.
    gc.freeze()
    # What the copy is told must not reach the original, with which it shares these.
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.stdout = sys.stderr
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    for other in others:
        # Whatever else of the original's holds it here: nobody here will ever let go of it.
        if (descriptor := other.detach()) >= 0:
            os.close(descriptor)
    _work_on(line, function)


def _work_on(line: socket.socket, function: Callable[[T], object]) -> None:
    with suppress(EOFError, OSError, pickle.UnpicklingError), line.makefile("rb") as items:
        while True:
            number, item = pickle.load(items)  # noqa: S301 - from the process that started this one
            made = call_foreign(_packed_answer, function, number, item)
            if isinstance(made, Raised):
                line.sendall(packed((number, FAILED, one_line(made.told))))
            else:
                line.sendall(made.value)


def _packed_answer(function: Callable[[T], object], number: int, item: T) -> memoryview:
    # What cannot be packed has failed, too, and costs no process.
    return packed((number, ANSWER, function(item)))


def _begin(body: bytes, shared: SharedBytes) -> Callable[[object], object]:
    start, material = pickle.loads(body)  # noqa: S301 - from the process that started this one
    function: Callable[[object], object] = start(material, shared.views())
    return function
