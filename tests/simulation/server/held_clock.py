"""A market clock that stands still until a test moves it."""


class HeldClock:
    """Market time as the test sets it; `speed` only shortens the pauses between pushes."""

    def __init__(self, now_ms: int, speed: float = 1.0) -> None:
        self.at_ms = now_ms
        self.speed = speed

    def now_ms(self) -> int:
        return self.at_ms
