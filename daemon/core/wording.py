"""Numbers and times as people read them, on a screen and on a phone."""

from decimal import Decimal

DAY_MS = 86_400_000
_DAYS_OF_ERA = 146_097
_DAYS_TO_1970 = 719_468
"""From 0000-03-01 to 1970-01-01."""


def price_text(price: float) -> str:
    """Return a price with as many decimals as its size deserves: 64210.5, 1.0842, 0.00001234."""
    size = abs(price)
    if size >= 1:
        text = f"{price:.2f}" if size >= 1000 else f"{price:.4f}"
    else:
        text = format(Decimal(f"{price:.5g}"), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def count_text(count: int, noun: str) -> str:
    """Return how many there are of something: 1 minute, 2,500 minutes."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def span_text(minutes: float) -> str:
    """Return a span: 20 min, 2.5 h."""
    return f"{minutes:.4g} min" if minutes < 120 else f"{minutes / 60:.3g} h"


def percent_text(percent: float) -> str:
    """Return a signed percentage; a tiny loss is not printed as a gain of nothing."""
    return f"{percent:+.2f} %" if abs(percent) >= 0.005 or percent == 0 else f"{percent:+.1g} %"


def uptime_text(seconds: float) -> str:
    """Return how long something has lasted, in two units: 12 s, 5 min, 3 h 20 min, 4 d 7 h."""
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86_400)
    if minutes == 0:
        return f"{seconds:.0f} s"
    if hours == 0:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min" if days == 0 else f"{days} d {hours % 24} h"


def time_text(at_ms: int) -> str:
    """Return the time of day, in UTC: 12:03:05."""
    seconds = at_ms % DAY_MS // 1000
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def moment_text(at_ms: int) -> str:
    """Return a day and a time, in UTC: 2026-01-31 12:03."""
    year, month, day = _date_of(at_ms // DAY_MS)
    return f"{year:04}-{month:02}-{day:02} {time_text(at_ms)[:5]}"


def day_text(at_ms: int) -> str:
    """Return a day, in UTC: 2026-01-31."""
    return moment_text(at_ms)[:10]


def _date_of(days: int) -> tuple[int, int, int]:
    """Return the Gregorian date so many days after 1970-01-01.

    The core may not ask the system for dates. H. Hinnant, "chrono-Compatible Low-Level Date
    Algorithms": a year that begins in March has its leap day at the end.
    """
    era, of_era = divmod(days + _DAYS_TO_1970, _DAYS_OF_ERA)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    day = of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (month <= 2), month, day
