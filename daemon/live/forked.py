"""Whether this process is the daemon or a copy of it that foreign code made by `os.fork`.

A copy shares the daemon's sockets and files and would go on as if it were the daemon. It may do
what it was made for; as soon as it comes back to our code it ends.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Forked:
    """`leave` ends the process at once; `is_child` is set in the copy before it runs."""

    def __init__(self) -> None:
        self.is_child = False
        self.leave: Callable[[], object] = _stay

    def leave_if_child(self) -> None:
        """End this process if it is a copy."""
        if self.is_child:
            self.leave()


def _stay() -> None:
    """Nobody has said how to end a process."""


FORKED = Forked()
"""That of this process."""
