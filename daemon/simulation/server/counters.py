"""What the sandbox has served, for tests and benchmarks."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Counters:
    """Counts since the start: requests by path, and what went over sockets."""

    requests: Counter[str] = field(default_factory=Counter)
    requests_refused: int = 0
    sockets_opened: int = 0
    sockets_open: int = 0
    sockets_cut: int = 0
    messages_received: int = 0
    messages_pushed: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, Any]:
        """Return all counts as plain data."""
        return {
            "requests": dict(self.requests),
            "requests_refused": self.requests_refused,
            "sockets_opened": self.sockets_opened,
            "sockets_open": self.sockets_open,
            "sockets_cut": self.sockets_cut,
            "messages_received": self.messages_received,
            "messages_pushed": self.messages_pushed,
            "faults": dict(self.faults),
        }
