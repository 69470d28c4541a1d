"""What closed positions add up to, and how far below its highest that stands."""

from dataclasses import dataclass


@dataclass(slots=True)
class Equity:
    """A running sum of gains and losses (0.01 is 1 % of a position), and its highest so far."""

    total: float = 0.0
    peak: float = 0.0

    @property
    def drawdown(self) -> float:
        """Return how far the sum has fallen from its highest; 0 at the highest."""
        return self.peak - self.total

    def add(self, pnl_ratio: float) -> None:
        """Take one closed position into account."""
        self.total += pnl_ratio
        self.peak = max(self.peak, self.total)

    def followed_by(self, later: "Equity") -> "Equity":
        """Return what both come to, one after the other."""
        return Equity(total=self.total + later.total, peak=max(self.peak, self.total + later.peak))
