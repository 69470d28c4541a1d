"""Whether this process is the daemon or a copy of it that foreign code made by `os.fork`.

A copy shares the daemon's sockets and files and would go on as if it were the daemon. It may do
what it was made for; as soon as it comes back to our code it ends.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Descent:
    """`leave` ends the process at once; `is_copy` is set in the copy before it runs."""

    def __init__(self) -> None:
        self.is_copy = False
        self.leave: Callable[[], object] = _stay

    def leave_if_copy(self) -> None:
        """End this process if it is a copy."""
        if self.is_copy:
            self.leave()


def _stay() -> None:
    """Nobody has said how to end a process."""


DESCENT = Descent()
"""That of this process."""
