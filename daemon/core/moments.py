"""Mean, deviation, skewness and kurtosis of a stream of numbers, in constant memory.

The update is that of P. Pébay, "Formulas for robust, one-pass parallel computation of covariances
and arbitrary-order statistical moments" (Sandia report SAND2008-6212, 2008): each number is seen
once, and nothing is subtracted that is nearly equal.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

NOISE = 1e-9
"""A deviation below this share of the largest number is rounding, not spread."""


def finite_or_none(value: float) -> float | None:
    """Return `value`, or None when it is NaN or infinite."""
    return value if math.isfinite(value) else None


@dataclass(slots=True)
class Moments:
    """What is known of the numbers added so far. All moments are the population's.

    `m2` to `m4` are the sums of the powers of the distances from the mean.
    """

    count: int = 0
    mean: float = 0.0
    m2: float = 0.0
    m3: float = 0.0
    m4: float = 0.0
    size_max: float = 0.0

    def add(self, value: float) -> None:
        """Take one more number into account."""
        before = self.count
        count = before + 1
        distance = value - self.mean
        share = distance / count
        square = share * share
        growth = distance * share * before
        self.count = count
        self.mean += share
        self.m4 += (
            growth * square * (count * count - 3 * count + 3)
            + 6 * square * self.m2
            - 4 * share * self.m3
        )
        self.m3 += growth * share * (count - 2) - 3 * share * self.m2
        self.m2 += growth
        self.size_max = max(self.size_max, abs(value))

    @property
    def average(self) -> float | None:
        """Return the mean; None without numbers, or when it is beyond what a float holds."""
        return finite_or_none(self.mean) if self.count else None

    @property
    def deviation(self) -> float | None:
        """Return the population deviation; None for fewer than two numbers.

        It is exactly 0 where the numbers differ by rounding alone.
        """
        if self.count < 2 or not math.isfinite(self.m2):
            return None
        deviation = math.sqrt(max(0.0, self.m2) / self.count)
        return 0.0 if deviation <= NOISE * self.size_max else deviation

    @property
    def skewness(self) -> float | None:
        """Return the third standardised moment; None where there is no spread."""
        deviation = self.deviation
        if not deviation:
            return None
        return finite_or_none(self.m3 / self.count / deviation / deviation / deviation)

    @property
    def kurtosis(self) -> float | None:
        """Return the fourth standardised moment (3 for the normal); None without spread."""
        deviation = self.deviation
        if not deviation:
            return None
        variance = deviation * deviation
        return finite_or_none(self.m4 / self.count / variance / variance) if variance else None


def moments_of(values: Iterable[float]) -> Moments:
    """Return the moments of `values`."""
    moments = Moments()
    for value in values:
        moments.add(value)
    return moments
