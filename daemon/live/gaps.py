"""What the market did to kept signals since the last run: told once, never replayed."""

from collections import defaultdict
from collections.abc import Sequence

from daemon.core.candles import DAY_MS, MINUTE_MS
from daemon.core.errors import RejectedError
from daemon.core.missed import Touch, touches
from daemon.core.rules import Rules
from daemon.core.signal import Key
from daemon.core.states import Active, Scheduled
from daemon.live.crew import Crew
from daemon.live.feed import MarketFeed
from daemon.live.recovery import Recovered

GAP_MS_MAX = 7 * DAY_MS
"""How far back a gap is looked at; a longer one is looked at from its end."""


async def look_at_gap(recovered: Recovered, feed: MarketFeed, rules: Rules, crew: Crew) -> None:
    """Report each kept signal of which a level was touched while nobody watched."""
    now_ms = crew.clock.now_ms()
    gap = _gap_of(recovered.until_ms, now_ms)
    kept = defaultdict[str, dict[Key, Active | Scheduled]](dict)
    for key, item in recovered.keys.items():
        if isinstance(state := item.held.state, Active | Scheduled):
            kept[key.symbol][key] = state
    for symbol, states in kept.items() if gap else ():
        try:
            minutes = await feed.of(symbol).past_minutes(gap.start, gap.stop)
        except RejectedError:
            continue  # a symbol that the exchange does not know any more is reported by its feed
        for key, state in states.items():
            found = touches(state, minutes, rules)
            if found:
                crew.troubles.report("gap", key, _words(found, gap, now_ms))


def _gap_of(until_ms: int, now_ms: int) -> range:
    """Return the open times (ms) of the whole minutes that nobody saw."""
    if not until_ms:
        return range(0)
    first_ms = -(-max(until_ms, now_ms - GAP_MS_MAX) // MINUTE_MS) * MINUTE_MS
    return range(first_ms, now_ms // MINUTE_MS * MINUTE_MS, MINUTE_MS)


def _words(found: Sequence[Touch], gap: range, now_ms: int) -> str:
    named = ", ".join(
        f"{touch.name} at {touch.price:.10g} ({(now_ms - touch.at_ms) // MINUTE_MS} min ago)"
        for touch in found
    )
    return (
        f"in the {len(gap)} min in which nobody watched, the market touched: {named};"
        " the first price of now decides, as missed minutes are not replayed"
    )
