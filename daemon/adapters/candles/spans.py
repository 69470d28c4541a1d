"""Stretches of minutes as sets: what is there, what was asked for, what is left to ask."""

from collections.abc import Iterable

import numpy as np

from daemon.core.candles import MINUTE_MS
from daemon.core.columns import Span, Stamps


def united(spans: Iterable[Span]) -> list[Span]:
    """Return the same minutes in as few spans as there can be, in order."""
    together: list[Span] = []
    for span in sorted(span for span in spans if span.start_ms < span.stop_ms):
        if together and span.start_ms <= together[-1].stop_ms:
            stop_ms = max(span.stop_ms, together[-1].stop_ms)
            together[-1] = Span(together[-1].start_ms, stop_ms)
        else:
            together.append(span)
    return together


def without(whole: Span, spans: Iterable[Span]) -> list[Span]:
    """Return what of `whole` lies in none of `spans`."""
    left: list[Span] = []
    at_ms = whole.start_ms
    for span in united(spans):
        if span.stop_ms <= at_ms:
            continue
        if span.start_ms >= whole.stop_ms:
            break
        if span.start_ms > at_ms:
            left.append(Span(at_ms, span.start_ms))
        at_ms = span.stop_ms
    if at_ms < whole.stop_ms:
        left.append(Span(at_ms, whole.stop_ms))
    return left


def common(whole: Span, spans: Iterable[Span]) -> list[Span]:
    """Return what of `spans` lies in `whole`."""
    cut = (
        Span(max(span.start_ms, whole.start_ms), min(span.stop_ms, whole.stop_ms)) for span in spans
    )
    return united(cut)


def runs_of(stamps: Stamps) -> list[Span]:
    """Return the spans of minutes that follow one another in rising open times."""
    if not len(stamps):
        return []
    breaks = np.flatnonzero(np.diff(stamps) != MINUTE_MS)
    starts = stamps[np.concatenate(([0], breaks + 1))]
    stops = stamps[np.concatenate((breaks, [len(stamps) - 1]))] + MINUTE_MS
    return list(map(Span, starts.tolist(), stops.tolist()))
