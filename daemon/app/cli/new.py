"""`tickd new strategy NAME`: a strategy to start from, with its tests and its table of settings."""

import keyword
import re
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from string import Template

from daemon.app.cli.terminal import Terminal
from daemon.core.errors import TickdError

NAME_LENGTH_MAX = 50
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class NameFaultError(ValueError):
    """A name that no strategy can have; the text says what is wrong, and what would do."""


def check_strategy_name(name: str) -> str:
    """Return a name that can be a module, a setting and a metric label.

    Raises NameFaultError.
    """
    likely = "_".join(
        re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())
    )
    remedy = f": write {likely}" if likely != name and _NAME.fullmatch(likely) else ""
    if not _NAME.fullmatch(name):
        raise NameFaultError(
            f"{name!r} is no name for a strategy; small letters, digits and single _ between them"
            f" make one, and it begins with a letter{remedy}"
        )
    if keyword.iskeyword(name):
        raise NameFaultError(f"{name!r} is a word of Python: write {name}_strategy")
    if len(name) > NAME_LENGTH_MAX:
        raise NameFaultError(f"the name has {len(name)} characters, of at most {NAME_LENGTH_MAX}")
    return name


def make_new_strategy(terminal: Terminal, name: str, folder: Path) -> None:
    """Write strategies/NAME.py and tests/test_NAME.py below `folder`; say what to do next.

    Raises TickdError if one of them is there already, and OSError.
    """
    values = {"name": name, "kind": "".join(part.capitalize() for part in name.split("_"))}
    texts = {
        folder / "strategies" / f"{name}.py": Template(STRATEGY).substitute(values),
        folder / "tests" / f"test_{name}.py": Template(TEST).substitute(values),
    }
    for path in texts:
        # A link that leads nowhere counts: writing would follow it.
        if path.exists() or path.is_symlink():
            raise TickdError(f"{path} is there already, and nothing was written")
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
        terminal.note(f"wrote {path}")
    reference = f"./strategies/{name}.py:{values['kind']}"
    if find_spec("numpy") is None:
        terminal.note("install, once, what the next two need: make research")
    terminal.note(f"try it: tickd backtest {reference} --symbol BTC/USDT --sandbox")
    terminal.note(f"test it: {_python()} tests/test_{name}.py")
    terminal.note("paste this into config.toml:")
    terminal.say(Template(SECTION).substitute(values).rstrip("\n"))


def _python() -> str:
    """Return the command of the Python that runs this: its path, if `python` is another one."""
    found, own = shutil.which("python"), Path(sys.executable)
    if found is not None and Path(found).parent == own.parent:
        return "python"
    return str(own.relative_to(Path.cwd()) if own.is_relative_to(Path.cwd()) else own)


SECTION = """\
[[strategies]]
name = "$name"
path = "./strategies/$name.py:$kind"
symbols = ["BTC/USDT"]
params = { lookback = 30 }
"""

STRATEGY = '''\
"""$kind: say here in one sentence when it enters the market, and why that should pay."""

from daemon import Signal, Strategy, View


class $kind(Strategy):
    """Goes with a move: long when the last close is well above the mean of those before it.

    Parameters: `lookback` minutes (at most 60), `move_percent` above the mean, and from the price
    `take_profit_percent` and `stop_loss_percent`; `life_minutes` of the position.
    """

    strategy_name = "$name"
    interval = "5m"
    history = {"1m": 60}
    params = {
        "lookback": 30,
        "move_percent": 0.2,
        "take_profit_percent": 1.0,
        "stop_loss_percent": 0.5,
        "life_minutes": 60,
    }

    async def get_signal(self, view: View) -> Signal | None:
        """Return an entry at the market, or None. The newest candle is the last closed one."""
        params = view.params
        closes = view.candles("1m", params.integer("lookback")).close
        mean = sum(closes) / len(closes)
        if closes[-1] < mean * (1 + params.number("move_percent") / 100):
            return None
        return Signal(
            position="long",
            price_take_profit=view.price * (1 + params.number("take_profit_percent") / 100),
            price_stop_loss=view.price * (1 - params.number("stop_loss_percent") / 100),
            minute_estimated_time=params.integer("life_minutes"),
            note=f"{closes[-1] / mean - 1:.2%} above the mean",
        )
'''

TEST = '''\
"""$kind on made-up candles, by the rules that trade live.

Run it: python tests/test_$name.py (or by pytest)
`tickd lookahead $name` searches it for what it must not know.
"""

import asyncio
import importlib.util
import math
import unittest
from pathlib import Path

from daemon import (
    Backtest,
    BacktestResult,
    Candle,
    Frame,
    SignalClosed,
    add_frame,
    add_history,
    add_strategy,
)

MINUTE = 60_000
START = 1_767_225_600_000  # 2026-01-01T00:00:00Z, in ms
COUNT = 600  # minutes
SYMBOL = "BTC/USDT"
FRAME = "test_$name"

_path = Path(__file__).parents[1] / "strategies" / "$name.py"
_spec = importlib.util.spec_from_file_location("$name", _path)
assert _spec is not None and _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
$kind = _module.$kind

add_strategy($kind)
add_frame(
    Frame(frame_name=FRAME, interval="1m", start_ms=START, end_ms=START + COUNT * MINUTE)
)


def candles(height_percent: float) -> list[Candle]:
    """Return minutes that rise and fall by so much around 100 every two hours."""
    rows, before = [], 100.0
    for index in range(COUNT):
        close = 100.0 + height_percent * math.sin(index * math.tau / 120)
        high, low = max(before, close) + 0.01, min(before, close) - 0.01
        rows.append(Candle(START + index * MINUTE, before, high, low, close, 1.0))
        before = close
    return rows


def backtest(rows: list[Candle]) -> tuple[list[SignalClosed], BacktestResult]:
    """Return the positions that the strategy closed on these candles, and the whole result."""

    async def run() -> list[SignalClosed]:
        told = Backtest.run(SYMBOL, strategy_name=$kind.strategy_name, frame_name=FRAME)
        return [event async for event in told if isinstance(event, SignalClosed)]

    add_history(SYMBOL, rows)
    return asyncio.run(run()), Backtest.get_result(SYMBOL, $kind.strategy_name)


class Test$kind(unittest.TestCase):
    def test_it_trades_a_market_that_moves(self) -> None:
        closed, _ = backtest(candles(height_percent=2.0))

        assert closed
        assert {event.signal.position for event in closed} == {"long"}
        assert any(event.close_reason == "take_profit" for event in closed)

    def test_it_leaves_a_quiet_market_alone(self) -> None:
        closed, result = backtest(candles(height_percent=0.01))

        assert closed == []
        assert result.lanes[0].ask_count > 50

    def test_nothing_goes_wrong_in_it(self) -> None:
        """An exception or an impossible signal costs its call, and is counted."""
        _, result = backtest(candles(height_percent=2.0))

        assert result.is_complete
        assert result.lanes[0].error_counts == ()


if __name__ == "__main__":
    unittest.main()
'''
