"""What a program registers to search for parameters, and the ranges that follow from it."""

from collections.abc import Iterator
from dataclasses import dataclass

from daemon.app.registry import REGISTRY, RegistrationError, Schemas, required
from daemon.app.walker_schema import check_metric
from daemon.core.candles import MINUTE_MS
from daemon.core.frame import Frame
from daemon.core.search import SearchWindow
from daemon.core.walker_statistics import WalkerMetric
from daemon.research.assignment import Terms
from daemon.research.walk_forward import WalkForward, purge_ms_of, split, windows_of

TRAIN_SHARE = 0.7
"""Without a word on ranges, so much of the frame is searched on, and the rest judges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSchema:
    """A search: which strategy, on which frame, by which metric (larger is better), how long.

    It judges on `test_frame_name` if given, on the windows of `walk_forward`, or else on the last
    30 % of the frame; always from where on no signal of the train range can still be open.
    `batch_size` trials are worked on before the next ones are thought of.
    """

    search_name: str
    strategy_name: str
    frame_name: str
    exchange_name: str = "sandbox"
    test_frame_name: str = ""
    walk_forward: WalkForward | None = None
    metric: WalkerMetric = "sharpe_ratio"
    trials: int = 100
    batch_size: int = 8
    seed: int = 1
    note: str = ""


SEARCHES: Schemas[SearchSchema] = Schemas("search")


def add_search(schema: SearchSchema) -> SearchSchema:
    """Register a search. Raises RegistrationError for what cannot be searched."""
    name = required(schema.search_name, "a search_name", "a search")
    check_metric(schema.metric, f"search {name!r}")
    for field, value in (("trials", schema.trials), ("batch_size", schema.batch_size)):
        if value < 1:
            raise RegistrationError(f"search {name!r}: {field} must be at least 1, not {value}")
    if schema.test_frame_name and schema.walk_forward is not None:
        raise RegistrationError(
            f"search {name!r}: give test_frame_name or walk_forward, not both of them"
        )
    return SEARCHES.add(name, schema)


def list_searches() -> tuple[SearchSchema, ...]:
    """Return the registered searches, in order."""
    return tuple(SEARCHES.values())


def find_search(name: str) -> SearchSchema:
    """Return a registered search. Raises UnknownNameError, naming those that are known."""
    return SEARCHES.find(name)


def windows_for(schema: SearchSchema, frame: Frame, terms: Terms) -> tuple[SearchWindow, ...]:
    """Return the windows that `schema` asks for. Raises WindowError and RegistrationError."""
    if schema.walk_forward is not None:
        return windows_of(frame.start_ms, frame.end_ms, schema.walk_forward, terms.rules)
    if not schema.test_frame_name:
        return (split(frame.start_ms, frame.end_ms, TRAIN_SHARE, terms.rules),)
    test = REGISTRY.frame(schema.test_frame_name)
    if test.start_ms <= frame.end_ms:
        raise RegistrationError(
            f"search {schema.search_name!r}: the test frame {test.frame_name!r} begins before the "
            f"train frame {frame.frame_name!r} has ended"
        )
    # What was opened in the train frame has ended before anything is judged.
    test_start_ms = max(test.start_ms, frame.end_ms + MINUTE_MS + purge_ms_of(terms.rules))
    if test_start_ms >= test.end_ms:
        raise RegistrationError(
            f"search {schema.search_name!r}: the test frame {test.frame_name!r} ends before signals"
            f" of the train frame {frame.frame_name!r} must have ended: make it longer"
        )
    window = SearchWindow(
        number=0,
        train_start_ms=frame.start_ms,
        train_end_ms=frame.end_ms,
        test_start_ms=test_start_ms,
        test_end_ms=test.end_ms,
    )
    return (window,)


def ranges_of(windows: tuple[SearchWindow, ...]) -> Iterator[tuple[int, int]]:
    """Yield where each train and test range begins and ends."""
    for window in windows:
        yield window.train_start_ms, window.train_end_ms
        if window.test_start_ms is not None and window.test_end_ms is not None:
            yield window.test_start_ms, window.test_end_ms
