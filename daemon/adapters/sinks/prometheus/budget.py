"""A bound on label values: whatever strategies and symbols there are, the series stay countable."""

from typing import Generic, TypeVar

T = TypeVar("T")

SERIES_MAX = 1000
"""Of one metric. More would make a scrape slow for the scraper and for us."""

OTHER = "other"


class LabelBudget(Generic[T]):
    """Admits the first `size` values; every later one counts as `other`."""

    __slots__ = ("_admitted", "_other", "_size")

    def __init__(self, size: int, other: T) -> None:
        self._size = size
        self._other = other
        self._admitted: set[T] = set()

    def label(self, value: T) -> T:
        """Return `value`, or `other` where the budget is spent."""
        if value in self._admitted:
            return value
        if len(self._admitted) >= self._size:
            return self._other
        self._admitted.add(value)
        return value
