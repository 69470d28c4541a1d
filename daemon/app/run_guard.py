"""What becomes of a copy of a run over history that a strategy makes by `os.fork`.

It would go on as if it were the run: answer for it, write its reports, end its workers. It may do
what it was made for, and ends as soon as it comes back to our code.
"""

import os
from functools import cache

from daemon.research.containment import leave_after_call


@cache
def end_copies() -> None:
    """See to it, for as long as this process lives: that cannot be undone."""
    os.register_at_fork(after_in_child=_mark)


def _mark() -> None:
    leave_after_call(_leave)


def _leave() -> None:
    os._exit(0)
