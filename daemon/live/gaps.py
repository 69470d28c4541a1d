"""What the market did to signals while nobody watched: told once, never replayed."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence

from daemon.core.candles import DAY_MS, MINUTE_MS
from daemon.core.errors import RejectedError
from daemon.core.missed import Touch, touches
from daemon.core.rules import Rules
from daemon.core.signal import Key
from daemon.core.states import Active, Scheduled, State
from daemon.live.crew import Crew
from daemon.live.feed import MarketFeed
from daemon.live.keeper import Keeper
from daemon.live.recovery import Recovered

LOOK_EVERY_S = 1.0
GAP_MS_MAX = 7 * DAY_MS
"""How far back a gap is looked at; a longer one is looked at from its end."""


async def watch_gaps(
    recovered: Recovered, keepers: Mapping[Key, Keeper], feed: MarketFeed, rules: Rules, crew: Crew
) -> None:
    """Look at the gap before this start, and at each in which the process stood still.

    A machine that was suspended or a process that was stopped finds more market time gone between
    two looks than the price looks back. Runs until cancelled.
    """
    seen_ms = crew.clock.now_ms()
    usual_ms = LOOK_EVERY_S * crew.clock.speed * 1000 + rules.avg_price_candles_count * MINUTE_MS
    kept = {key: item.held.state for key, item in recovered.keys.items()}
    held = _states_of(keepers)
    async with asyncio.TaskGroup() as group:
        group.create_task(_look_at(_gap_of(recovered.until_ms, seen_ms), kept, feed, rules, crew))
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now_ms = crew.clock.now_ms()
            if now_ms - seen_ms > usual_ms:
                group.create_task(_look_at(_gap_of(seen_ms, now_ms), held, feed, rules, crew))
            # As it was before a gap: the first price after one may decide before we look.
            seen_ms, held = now_ms, _states_of(keepers)


def _states_of(keepers: Mapping[Key, Keeper]) -> dict[Key, State]:
    return {key: keeper.held.state for key, keeper in keepers.items()}


async def _look_at(
    gap: range, states: Mapping[Key, State], feed: MarketFeed, rules: Rules, crew: Crew
) -> None:
    """Report each signal of which a level was touched in the minutes of `gap`."""
    signals = defaultdict[str, dict[Key, Active | Scheduled]](dict)
    for key, state in states.items():
        if isinstance(state, Active | Scheduled):
            signals[key.symbol][key] = state
    for symbol, of_symbol in signals.items() if gap else ():
        try:
            minutes = await feed.of(symbol).past_minutes(gap.start, gap.stop)
        except (KeyError, RejectedError):
            continue  # a symbol that the exchange does not know any more is reported by its feed
        for key, state in of_symbol.items():
            found = touches(state, minutes, rules)
            if found:
                crew.troubles.report("gap", key, _words(found, gap))


def _gap_of(until_ms: int, now_ms: int) -> range:
    """Return the open times (ms) of the whole minutes that nobody saw."""
    if not until_ms:
        return range(0)
    first_ms = -(-max(until_ms, now_ms - GAP_MS_MAX) // MINUTE_MS) * MINUTE_MS
    return range(first_ms, now_ms // MINUTE_MS * MINUTE_MS, MINUTE_MS)


def _words(found: Sequence[Touch], gap: range) -> str:
    named = ", ".join(
        f"{touch.name} at {touch.price:.10g} ({(gap.stop - touch.at_ms) // MINUTE_MS} min ago)"
        for touch in found
    )
    return (
        f"in the {len(gap)} min in which nobody watched, the market touched: {named};"
        " the first price of now decides, as missed minutes are not replayed"
    )
