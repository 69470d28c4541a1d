"""Strategies that know what they must not, each caught in its own way, and honest ones."""

import json
from pathlib import Path
from textwrap import dedent

import pytest

from daemon.app.cli.lookahead_data import changed_text
from daemon.app.history import read_history
from daemon.research.lookahead import changed_after
from tests.app.cli.tickd import Ended, Shell
from tests.core.samples import MINUTE, T0

HEAD = """\
from collections.abc import Mapping
from pathlib import Path
from daemon import Signal, Strategy

HERE = Path(__file__).parent

def entry(view):
    return Signal(position="long", price_take_profit=view.price * 1.02,
                  price_stop_loss=view.price * 0.99, minute_estimated_time=5)

class Base(Strategy):
    interval = "5m"
    history = {"1m": 3}

"""
CUTS = ("--cuts", "6", "--json")


def a_candle_file(folder: Path, count: int = 240) -> Path:
    lines = ["timestamp,open,high,low,close,volume"]
    for index in range(count):
        price = 100 + abs(index * 7 % 23 - 11) / 10
        at_s = (T0 + index * MINUTE) // 1000
        lines.append(f"{at_s},{price},{price + 0.3:.3f},{price - 0.3:.3f},{price},1.5")
    path = folder / "candles.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def looked_at(shell: Shell, source: str, name: str = "S") -> Ended:
    (shell.folder / "own.py").write_text(HEAD + dedent(source))
    data = a_candle_file(shell.folder)
    return shell("lookahead", f"./own.py:{name}", "--data", str(data), *CUTS)


def test_one_that_reads_the_whole_file_by_itself_is_caught(shell: Shell) -> None:
    """It buys when the file says that the price will be higher; the file has another future."""
    ended = looked_at(
        shell,
        """
        class S(Base):
            def get_signal(self, view):
                rows = (HERE / "candles.csv").read_text().splitlines()[1:]
                closes = {int(r.split(",")[0]) * 1000: float(r.split(",")[4]) for r in rows}
                later = closes.get(view.now_ms + 3 * 60_000, 0.0)
                return entry(view) if later > view.price else None
        """,
    )

    told = json.loads(ended.out)
    assert ended.code == 3
    assert told["verdict"] == "looks ahead"
    change = told["change"]
    assert change["before"] != change["after"]
    assert told["after_ms"] - 3 * MINUTE <= change["at_ms"] <= told["after_ms"]
    assert told["touched"] == []


def test_one_that_opens_the_file_is_caught_where_nothing_came_of_it(shell: Shell) -> None:
    ended = looked_at(
        shell,
        """
        import os
        class S(Base):
            def get_signal(self, view):
                os.close(os.open(HERE / "candles.csv", os.O_RDONLY))
                return None
        """,
    )

    assert (ended.code, json.loads(ended.out)["verdict"]) == (3, "reads the data")


def test_one_that_reaches_behind_its_view_is_caught(shell: Shell) -> None:
    ended = looked_at(
        shell,
        """
        class S(Base):
            def get_signal(self, view):
                table = view._scene.declared["1m"]
                place = (view.now_ms - table.start_ms) // 60_000
                return entry(view) if table.columns[4][place] > view.price else None
        """,
    )

    told = json.loads(ended.out)
    assert (ended.code, told["verdict"]) == (3, "looks ahead")


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        pytest.param(
            """
            SEEN = {}
            class S(Base):
                def get_signal(self, view):
                    SEEN[view.now_ms] = view.price
                    return entry(view) if view.now_ms + 300_000 in SEEN else None
            """,
            "remembers",
            id="module",
        ),
        pytest.param(
            """
            import random
            class S(Base):
                def get_signal(self, view):
                    return entry(view) if random.random() < 0.5 else None
            """,
            "not repeatable",
            id="chance",
        ),
        pytest.param(
            """
            from dataclasses import replace
            from datetime import datetime
            class S(Base):
                def get_signal(self, view):
                    return replace(entry(view), note=f"{datetime.now():%Y-%m}")
            """,
            "not repeatable",
            id="clock",
        ),
    ],
)
def test_what_is_no_function_of_its_view_is_caught(shell: Shell, body: str, verdict: str) -> None:
    ended = looked_at(shell, dedent(body))

    told = json.loads(ended.out)
    assert (ended.code, told["verdict"]) == (3, verdict)
    assert told["change"]["at_ms"] >= T0


def test_an_honest_one_passes_and_what_it_read_is_named(shell: Shell) -> None:
    (shell.folder / "model.txt").write_text("0.1")
    ended = looked_at(
        shell,
        """
        class S(Base):
            def __init__(self):
                self.limit = float((HERE / "model.txt").read_text())

            async def get_signal(self, view):
                closes = view.candles("1m", 3).close
                print("thinking")
                return entry(view) if closes[-1] - closes[0] > self.limit else None
        """,
    )

    told = json.loads(ended.out)
    assert (ended.code, told["verdict"]) == (0, "honest")
    assert told["signal_count"] > 0
    assert len(told["cuts_ms"]) == 6
    assert [what.rpartition("/")[2] for what in told["touched"]] == ["model.txt"]


def test_what_it_prints_does_not_drown_the_verdict(shell: Shell) -> None:
    ended = looked_at(
        shell,
        """
        class S(Base):
            def get_signal(self, view):
                print("thinking")
                return entry(view)
        """,
    )

    assert ended.code == 0
    assert "thinking" not in ended.out + ended.err


def test_a_failure_is_no_signal_and_one_that_always_fails_was_not_tried(shell: Shell) -> None:
    now_and_then = looked_at(
        shell,
        """
        class S(Base):
            def get_signal(self, view):
                if view.now_ms % 900_000 == 0:
                    return "buy"
                if view.now_ms % 900_000 == 300_000:
                    raise ValueError(1)
                return entry(view)
        """,
    )
    always = looked_at(
        shell, "class S(Base):\n    def get_signal(self, view):\n        return 1 / 0\n"
    )

    told = json.loads(now_and_then.out)
    assert now_and_then.code == 0
    assert told["signal_count"] > 0
    assert told["failure_count"] > 0
    assert told["signal_count"] + told["failure_count"] == told["decision_count"]
    assert (always.code, always.out) == (1, "")
    assert "raised ZeroDivisionError" in always.err.splitlines()[-1]


def test_one_that_was_never_asked_is_not_called_honest(shell: Shell) -> None:
    ended = looked_at(
        shell,
        """
        class S(Base):
            history = {"1d": 9}
            def get_signal(self, view):
                return entry(view)
        """,
    )

    assert (ended.code, ended.out) == (1, "")
    assert "it was never asked" in ended.err.splitlines()[-1]


def test_a_shipped_strategy_is_honest_on_the_sandbox(shell: Shell) -> None:
    ended = shell("lookahead", "breakout", "--sandbox", "--days", "0.5", "--cuts", "4")

    assert ended.code == 0
    assert "4 moments the future was changed, and no decision" in ended.out


def test_what_is_filled_is_said(shell: Shell) -> None:
    (shell.folder / "own.py").write_text(
        f"{HEAD}class S(Base):\n    def get_signal(self, view):\n        return entry(view)\n"
    )
    lines = a_candle_file(shell.folder).read_text().splitlines(keepends=True)
    (shell.folder / "candles.csv").write_text("".join([*lines[:100], *lines[101:]]))

    ended = shell("lookahead", "./own.py:S", "--data", "candles.csv", "--cuts", "2")

    assert "note  the candles lack some: flat ones stand for 1 missing minute" in ended.out


def test_mistakes_are_told_in_one_line(shell: Shell) -> None:
    unknown = shell("lookahead", "breakuot")
    missing = shell("lookahead", "breakout", "--data", "none.csv")
    no_class = shell("lookahead", "./none.py:S", "--days", "0.1")

    assert (unknown.code, missing.code, no_class.code) == (1, 1, 1)
    assert "Did you mean breakout" in unknown.err.splitlines()[-1]
    assert "none.csv" in missing.err.splitlines()[-1]
    assert "none.py" in no_class.err.splitlines()[-1]


def test_a_file_with_another_future_keeps_its_shape(tmp_path: Path) -> None:
    path = a_candle_file(tmp_path, 60)
    minutes = read_history(path)

    text = changed_text(path, changed_after(minutes, T0 + 30 * MINUTE, is_up=True))

    assert text is not None
    before, after = path.read_text().splitlines(), text.splitlines()
    assert after[:31] == before[:31]
    assert len(after) == 51
    assert all(new != old for new, old in zip(after[31:], before[31:], strict=False))
    assert [line.split(",")[0] for line in after] == [line.split(",")[0] for line in before[:51]]
