"""What a process that holds secrets asks of the kernel for itself."""

import ctypes
import faulthandler
import resource
import sys

_PR_SET_DUMPABLE = 4


def keep_memory_private() -> None:
    """Let no core file be written and no other process of the same user read our memory.

    An abort (the watchdog's, say) would else put every secret on the disk. What the kernel does
    not offer is left out: then the service manager's own limits stand alone.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def show_place_at_abort() -> None:
    """Write where each thread was, by file and line alone, when the process is aborted.

    A watchdog that kills a hung daemon leaves its reason in the log that way.
    """
    if sys.__stderr__ is not None:
        faulthandler.enable(file=sys.__stderr__, all_threads=True)
