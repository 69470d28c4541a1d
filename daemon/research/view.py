"""What a strategy sees at one moment of history: never more than a live one would."""

from collections.abc import Mapping

from daemon.core.candles import Candles
from daemon.core.params import Params
from daemon.core.signal import Key
from daemon.core.strategy import HistoryError, View
from daemon.research.market import Table


class HistoryView:
    """The market up to `now_ms`. It holds the moment, not the run: kept for later, it stays.

    It is its own context too: one object per call of a strategy is enough.
    """

    __slots__ = ("_scene", "now_ms", "price")

    backtest = True

    def __init__(
        self,
        scene: "Scene",
        price: float,
        now_ms: int,
    ) -> None:
        self._scene = scene
        self.price = price
        self.now_ms = now_ms

    @property
    def symbol(self) -> str:
        return self._scene.key.symbol

    @property
    def params(self) -> Params:
        return self._scene.params

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
        scene = self._scene
        declared = scene.declared.get(interval)
        if declared is None or limit > declared:
            raise HistoryError(
                f"candles({interval!r}, {limit}) were not declared: "
                f'set history = {{"{interval}": {limit}}} on the strategy'
            )
        table = scene.tables[interval]
        stop = (self.now_ms - table.start_ms) // table.length_ms
        if limit > stop:
            raise HistoryError(f"the data hold {max(0, stop)} of {limit} candles of {interval} yet")
        return Candles(table.columns, stop - limit, stop)


class Scene:
    """What all views of one (symbol, strategy) share."""

    __slots__ = ("declared", "key", "params", "tables")

    def __init__(
        self, key: Key, params: Params, declared: Mapping[str, int], tables: Mapping[str, Table]
    ) -> None:
        self.key = key
        self.params = params
        self.declared = declared
        self.tables = tables

    def ready_ms(self) -> int:
        """Return the moment (UTC epoch ms) from which on all that is declared exists."""
        return max(
            (
                self.tables[interval].start_ms + limit * self.tables[interval].length_ms
                for interval, limit in self.declared.items()
            ),
            default=0,
        )
