"""How fast one may write to a chat: one message a second, twenty a minute to a group."""

from collections import deque

MESSAGE_S = 1.0
GROUP_SPAN_S = 60.0
GROUP_MESSAGES_MAX = 20
URGENT_S = 5.0
"""For so long a place is kept for an urgent message that has to wait for its turn."""


class Pace:
    """Says how long the next message must wait. Times are the event loop's, in seconds."""

    def __init__(self, *, is_group: bool) -> None:
        self._is_group = is_group
        self._sent_s: deque[float] = deque(maxlen=GROUP_MESSAGES_MAX)
        self._blocked_until_s = 0.0
        self._urgent_until_s = 0.0

    def wait_s(self, now_s: float, *, is_urgent: bool) -> float:
        """Return how many seconds a message has to wait, 0 when it may go."""
        wait_s = max(self._blocked_until_s - now_s, self._own_wait_s(now_s), 0.0)
        if is_urgent:
            if wait_s > 0:
                self._urgent_until_s = now_s + wait_s + URGENT_S
            return wait_s
        if now_s < self._urgent_until_s:
            return max(wait_s, MESSAGE_S)
        return wait_s

    def note(self, now_s: float, *, is_urgent: bool) -> None:
        """Remember that a message was sent, whatever came of it."""
        self._sent_s.append(now_s)
        if is_urgent:
            self._urgent_until_s = 0.0

    def block(self, until_s: float) -> None:
        """Send nothing before `until_s`: the server asked for it."""
        self._blocked_until_s = max(self._blocked_until_s, until_s)

    def _own_wait_s(self, now_s: float) -> float:
        if not self._sent_s:
            return 0.0
        wait_s = self._sent_s[-1] + MESSAGE_S - now_s
        if self._is_group and len(self._sent_s) == GROUP_MESSAGES_MAX:
            wait_s = max(wait_s, self._sent_s[0] + GROUP_SPAN_S - now_s)
        return wait_s
