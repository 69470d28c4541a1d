"""Quantiles of a stream of sizes in bounded memory: exact while few, within a bound when many."""

import math
from array import array
from collections import Counter

VALUES_MAX = 10_000
"""How many values are kept as they are."""

_STEP = 1.01
"""Each bucket is one percent wider than the one before it."""

ERROR_PERCENT_MAX = 0.5
"""How far a quantile may be off once values are counted in buckets: half a bucket."""

_ZERO_BUCKET = -(10**6)
_ZERO_MAX = 1e-9


class Quantiles:
    """Sizes (not negative), and which of them a given percent does not exceed.

    Past `values_max` values they are counted in buckets, whose number depends on how far the
    sizes are apart and not on how many there are.
    """

    def __init__(self, *, values_max: int = VALUES_MAX) -> None:
        self._values = array("d")
        self._values_max = values_max
        self._buckets: Counter[int] = Counter()
        self._count = 0

    @property
    def error_percent(self) -> float:
        """Return how far a quantile may be off, in percent of it: 0 while all values are kept."""
        return ERROR_PERCENT_MAX if self._buckets else 0.0

    def add(self, value: float) -> None:
        """Take one more size into account."""
        self._count += 1
        if self._buckets:
            self._buckets[_bucket_of(value)] += 1
            return
        self._values.append(value)
        if len(self._values) > self._values_max:
            self._buckets.update(map(_bucket_of, self._values))
            self._values = array("d")

    def at(self, *percents: float) -> list[float | None]:
        """Return, for each percent, the smallest size that so many do not exceed (nearest rank).

        None where there are no sizes.
        """
        if not self._count:
            return [None] * len(percents)
        ranks = [max(1, math.ceil(self._count * percent / 100)) for percent in percents]
        if self._buckets:
            return [self._bucket_at(rank) for rank in ranks]
        ordered = sorted(self._values)
        return [ordered[rank - 1] for rank in ranks]

    def _bucket_at(self, rank: int) -> float:
        seen = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                return 0.0 if bucket == _ZERO_BUCKET else math.pow(_STEP, bucket + 0.5)
        raise AssertionError("a rank is never beyond the count")


def _bucket_of(value: float) -> int:
    return math.floor(math.log(value, _STEP)) if value > _ZERO_MAX else _ZERO_BUCKET
