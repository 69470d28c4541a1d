"""What a strategy sees at one moment of history: never more than a live one would."""

from collections.abc import Mapping
from typing import NamedTuple

from daemon.core.candles import Candles, Columns
from daemon.core.params import Params
from daemon.core.signal import Key
from daemon.core.strategy import HistoryError, View
from daemon.research.market import Table


class HistoryView:
    """The market up to `now_ms`. It holds the moment, not the run: kept for later, it stays.

    It is its own context too: one object per call of a strategy is enough.
    """

    __slots__ = ("_scene", "now_ms", "params", "price")

    backtest = True

    def __init__(self, scene: "Scene", price: float, now_ms: int) -> None:
        self._scene = scene
        self.params = scene.params
        self.price = price
        self.now_ms = now_ms

    @property
    def symbol(self) -> str:
        return self._scene.key.symbol

    @property
    def key(self) -> Key:
        return self._scene.key

    @property
    def at_ms(self) -> int:
        return self.now_ms

    @property
    def view(self) -> View:
        return self

    def candles(self, interval: str, limit: int) -> Candles:
        """Return the last `limit` closed candles of `interval`, oldest first.

        Raises HistoryError when the strategy did not declare as many, as a live one does.
        """
        most, start_ms, length_ms, columns = self._scene.declared.get(interval, UNDECLARED)
        if not 0 <= limit <= most:
            if limit < 0:
                raise HistoryError(f"candles({interval!r}, {limit}): a limit is 0 or more")
            raise HistoryError(
                f"candles({interval!r}, {limit}) were not declared: "
                f'set history = {{"{interval}": {limit}}} on the strategy'
            )
        stop = (self.now_ms - start_ms) // length_ms
        if limit > stop:
            raise HistoryError(f"the data hold {max(0, stop)} of {limit} candles of {interval} yet")
        return Candles(columns, stop - limit, stop)


class Declared(NamedTuple):
    """The candles of one interval, and how many of them a strategy declared.

    A tuple, which is taken apart in one step: that is done at each call of `candles`.
    """

    limit: int
    start_ms: int
    length_ms: int
    columns: Columns


UNDECLARED = Declared(limit=-1, start_ms=0, length_ms=1, columns=((), (), (), (), (), ()))


class Scene:
    """What all views of one (symbol, strategy) share."""

    __slots__ = ("declared", "key", "params")

    def __init__(
        self, key: Key, params: Params, history: Mapping[str, int], tables: Mapping[str, Table]
    ) -> None:
        self.key = key
        self.params = params
        self.declared: Mapping[str, Declared] = {
            interval: Declared(
                limit=limit,
                start_ms=tables[interval].start_ms,
                length_ms=tables[interval].length_ms,
                columns=tables[interval].columns,
            )
            for interval, limit in history.items()
        }

    def ready_ms(self) -> int:
        """Return the moment (UTC epoch ms) from which on all that is declared exists."""
        return max(
            (each.start_ms + each.limit * each.length_ms for each in self.declared.values()),
            default=0,
        )
