"""Any collector is fed in order and asked at the end."""

from daemon.core.collector import NEWEST_MAX, gathered
from daemon.core.events import Announcement
from tests.core.some_events import a_closed, an_idle


class Names:
    """Gathers the names of the classes of events."""

    def __init__(self) -> None:
        self._names: list[str] = []

    def add(self, event: Announcement) -> None:
        self._names.append(type(event).__name__)

    def statistics(self) -> tuple[str, ...]:
        return tuple(self._names)


def test_events_are_added_in_their_order() -> None:
    assert gathered(Names(), [an_idle(), a_closed()]) == ("SignalIdle", "SignalClosed")


def test_records_list_what_the_seeds_list() -> None:
    assert NEWEST_MAX == 250
