"""Quiet hours, by the clock on a person's wall."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from daemon.app.quiet_hours import QuietHours

BERLIN = ZoneInfo("Europe/Berlin")


class HeldClock:
    speed = 1.0

    def __init__(self, text: str) -> None:
        self._at = datetime.fromisoformat(text).replace(tzinfo=BERLIN)

    def now_ms(self) -> int:
        return int(self._at.timestamp() * 1000)


@pytest.mark.parametrize(
    ("span", "now", "hours"),
    [
        ("22:00-07:00", "2026-05-01T21:59", 0),
        ("22:00-07:00", "2026-05-01T22:00", 9),
        ("22:00-07:00", "2026-05-01T03:00", 4),
        ("22:00-07:00", "2026-05-01T07:00", 0),
        ("12:00-14:00", "2026-05-01T13:00", 1),
        ("12:00-14:00", "2026-05-01T14:00", 0),
        # The nights in which clocks change are an hour shorter and an hour longer.
        ("22:00-07:00", "2026-03-28T22:00", 8),
        ("22:00-07:00", "2026-10-24T22:00", 10),
    ],
)
def test_it_is_quiet_until_the_end(span: str, now: str, hours: float) -> None:
    assert QuietHours(span, BERLIN, HeldClock(now)).wait_s() == hours * 3600
