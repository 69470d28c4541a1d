"""A digest: however many alerts, one short message, in memory that does not grow."""

from dataclasses import replace

from daemon.core.alert_digest import NEWEST_SHOWN, Digest
from daemon.core.alerts import alerts_of
from daemon.core.records import Journaled
from tests.core.some_events import a_closed, a_profit_level, an_opened
from tests.live.alert_stage import a_transition


def a_digest(count: int) -> Digest:
    digest = Digest()
    for number in range(1, count + 1):
        event = a_closed() if number % 2 else an_opened()
        for alert in alerts_of(Journaled(number=number, entry=a_transition(event))):
            digest.add(alert)
    return digest


def test_a_digest_counts_and_shows_the_newest() -> None:
    words = a_digest(1000).words()

    assert words.title == "📋 1,000 alerts that you have not seen"
    assert words.lines[:4] == (
        "2023-11-14 22:21 to 2023-11-14 22:21 UTC",
        "positions opened: 500",
        "positions closed: 500, 500 won, +250.00 % added up",
        "The newest that matter:",
    )
    assert len(words.lines) == 4 + NEWEST_SHOWN


def test_the_same_alert_counts_once() -> None:
    digest = a_digest(3)
    (alert,) = alerts_of(Journaled(number=3, entry=a_transition()))
    digest.add(alert)
    digest.add(replace(alert, place=(2, 1)))

    assert digest.total == 3


def test_memory_is_flat() -> None:
    digest = a_digest(5000)

    assert len(digest.newest) + len(digest.notable) <= 2 * NEWEST_SHOWN


def test_levels_do_not_push_out_what_was_opened() -> None:
    digest = Digest()
    for number in range(1, 40):
        event = an_opened() if number == 1 else a_profit_level()
        for alert in alerts_of(Journaled(number=number, entry=a_transition(event))):
            digest.add(alert)

    lines = digest.words().lines
    assert "opened at" in lines[-NEWEST_SHOWN]
    assert sum("profit level" in line for line in lines[-NEWEST_SHOWN:]) == NEWEST_SHOWN - 1
