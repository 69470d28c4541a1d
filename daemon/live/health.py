"""What is wrong with the daemon's own ground right now: the state folder and the journal."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Health:
    """Which writers fail, and since when they have not got through.

    While any fails no strategy is asked: nothing new begins that could not be kept. What is open
    goes on being watched.
    """

    failing: dict[str, str] = field(default_factory=dict)

    @property
    def is_storage_failing(self) -> bool:
        return bool(self.failing)

    def failed(self, writer: str, message: str) -> bool:
        """Note a failure; return True when it is news."""
        is_news = writer not in self.failing
        self.failing[writer] = message
        return is_news

    def recovered(self, writer: str) -> bool:
        """Note a success; return True when it ends a failure."""
        return self.failing.pop(writer, None) is not None


BACKOFF_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


def backoff_s(attempt: int) -> float:
    """Return how long to wait after failure number `attempt` (from 0): at most 5 s."""
    return BACKOFF_S[min(attempt, len(BACKOFF_S) - 1)]
