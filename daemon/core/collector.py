"""What every statistic is gathered by: events go in one by one, a record comes out at any time."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from daemon.core.events import Announcement

NEWEST_MAX = 250
"""How many events a record lists, unless its collector was told otherwise."""

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Collector(Protocol[R_co]):
    """Gathers events in order of emission, in bounded memory.

    It keeps the newest events only; its figures cover all. Events of other kinds pass by.
    """

    def add(self, event: Announcement, /) -> None:
        """Take `event` into account."""

    def statistics(self) -> R_co:
        """Return the record of everything added so far."""


def gathered(collector: Collector[R], events: Iterable[Announcement]) -> R:
    """Return what `collector` makes of `events`, which are in order of emission."""
    for event in events:
        collector.add(event)
    return collector.statistics()
