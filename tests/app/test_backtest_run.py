"""A program runs strategies over history, listens, stops, and reads what they came to."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from daemon import (
    Backtest,
    BacktestError,
    CandleError,
    Frame,
    RegistrationError,
    Signal,
    SignalClosed,
    Strategy,
    UnknownNameError,
    View,
    add_frame,
    add_history,
    add_strategy,
    list_frames,
    listen_backtest_progress,
    listen_done_backtest,
    listen_exit,
    listen_signal_backtest,
)
from daemon.app import backtest_run
from daemon.app.backtest_run import result_json
from daemon.core.candles import Candle
from tests.app.walk_stage import registering
from tests.core.samples import MINUTE, T0

if TYPE_CHECKING:
    from daemon.core.events import Announcement

SYMBOL = "BTC/USDT"


class Saw(Strategy):
    """Buys whenever it is asked."""

    strategy_name = "saw"
    interval = "15m"

    async def get_signal(self, view: View) -> Signal:
        """Return an entry at the market."""
        return Signal(
            position="long",
            price_take_profit=view.price * 1.02,
            price_stop_loss=view.price * 0.99,
            minute_estimated_time=30,
        )


def some_rows(count: int = 300) -> list[Candle]:
    """Return minutes that rise and fall by 3 % in turn."""
    rows = []
    for index in range(count):
        close = 100.0 + abs(index % 60 - 30) / 10
        rows.append(Candle(T0 + index * MINUTE, close, close + 0.1, close - 0.1, close, 1.0))
    return rows


@pytest.fixture(autouse=True)
def _a_clean_registry() -> Iterator[None]:
    with registering():
        add_strategy(Saw)
        add_frame(Frame(frame_name="day", interval="1m", start_ms=T0, end_ms=T0 + 300 * MINUTE))
        add_history(SYMBOL, some_rows())
        yield
    backtest_run._RUNS.clear()


async def the_run() -> list[object]:
    run = Backtest.run(SYMBOL, strategy_name="saw", frame_name="day")
    return [event async for event in run]


async def test_people_are_shown_the_newest_and_files_hold_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.app.backtest_remarks.NEWEST_MAX", 3)
    told = await the_run()

    place = await Backtest.dump(SYMBOL, "saw", tmp_path)

    assert len(Backtest.get_data(SYMBOL, "saw").signal_list) == 3
    assert f"Listed are the newest 3 of {len(told)} signals" in place.read_text()
    record = json.loads(place.with_suffix(".json").read_text())
    assert len(record["lanes"][0]["statistics"]["signal_list"]) == len(told) > 3
    page = place.with_suffix(".html").read_text()
    assert page.count('<td class="word">long</td>') == len(told)


async def test_a_run_yields_what_ended_and_leaves_its_figures() -> None:
    told = await the_run()

    data = Backtest.get_data(SYMBOL, "saw")
    assert len(told) == data.total_signals > 5
    assert all(isinstance(event, SignalClosed) and event.backtest for event in told)
    assert list(reversed(told)) == list(data.signal_list)
    assert [run.status for run in Backtest.list()] == ["fulfilled"]
    assert Backtest.get_result(SYMBOL, "saw").is_complete


async def test_the_same_run_gives_the_same_bytes() -> None:
    texts = []
    for _ in range(2):
        await the_run()
        texts.append(result_json(Backtest.get_result(SYMBOL, "saw")))

    assert texts[0] == texts[1]
    lane = json.loads(texts[0])["lanes"][0]
    assert lane["data"]["minute_count"] == 300
    assert len(lane["data"]["fingerprint"]) == 32


async def test_a_report_says_what_was_run_and_is_written_beside_its_json(tmp_path: Path) -> None:
    await the_run()

    place = await Backtest.dump(SYMBOL, "saw", tmp_path)

    text = place.read_text()
    assert place == tmp_path / "backtest" / "saw.md"
    assert text.startswith("# Backtest Report: saw")
    assert "frame day from 2023-11-14 22:20 UTC" in text
    assert "The first moment was passed over" in text
    assert json.loads(place.with_suffix(".json").read_text())["frame_name"] == "day"
    assert "Backtest: saw" in place.with_suffix(".html").read_text()
    names = [path.name for path in place.parent.iterdir()]
    assert sorted(names) == ["saw.html", "saw.json", "saw.md"]


async def test_listeners_hear_in_order_and_progress_ends_at_one() -> None:
    heard: list[Announcement] = []
    forget = [
        listen(heard.append)
        for listen in (listen_signal_backtest, listen_backtest_progress, listen_done_backtest)
    ]
    told = await the_run()
    for stop in forget:
        stop()

    assert [event for event in heard if isinstance(event, SignalClosed)] == told
    progress = [event.progress for event in heard if hasattr(event, "progress")]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    assert type(heard[-1]).__name__ == "DoneContract"


async def test_a_run_in_the_background_is_stopped_and_says_that_it_is_not_whole() -> None:
    done: list[Announcement] = []
    forget = listen_done_backtest(done.append)
    stop = Backtest.background(SYMBOL, strategy_name="saw", frame_name="day")
    await stop()
    forget()

    assert len(done) == 1
    assert not Backtest.get_result(SYMBOL, "saw").is_complete
    assert "ended before its time" in Backtest.get_report(SYMBOL, "saw")


async def test_a_listener_may_stop_the_run_that_it_hears() -> None:
    async def hear(event: "Announcement") -> None:
        if isinstance(event, SignalClosed):
            await stop()

    forget = listen_signal_backtest(hear)
    stop = Backtest.background(SYMBOL, strategy_name="saw", frame_name="day")
    over = asyncio.Event()
    forget_end = listen_done_backtest(lambda _: over.set())
    async with asyncio.timeout(5):
        await over.wait()
    forget()
    forget_end()

    assert Backtest.get_data(SYMBOL, "saw").total_signals == 1


async def test_a_run_that_is_left_keeps_a_valid_partial_report() -> None:
    async with aclosing(Backtest.run(SYMBOL, strategy_name="saw", frame_name="day")) as told:
        async for _ in told:
            break

    assert Backtest.get_data(SYMBOL, "saw").total_signals == 1
    assert "ended before its time" in Backtest.get_report(SYMBOL, "saw")
    assert [run.status for run in Backtest.list()] == ["rejected"]


async def test_a_background_run_that_cannot_begin_is_told_on_exit() -> None:
    class Broken(Saw):
        strategy_name = "broken"

        def __init__(self) -> None:
            raise RuntimeError("no model")

    add_strategy(Broken)
    heard: list[Announcement] = []
    forget = listen_exit(heard.append)
    Backtest.background(SYMBOL, strategy_name="broken", frame_name="day")
    for _ in range(5):
        await asyncio.sleep(0)
    forget()

    place = f"test_backtest_run.py:{Broken.__init__.__code__.co_firstlineno + 1}"
    assert [event.message for event in heard if hasattr(event, "message")] == [
        f"BTC/USDT/broken: the strategy cannot be made: RuntimeError: no model (at {place})"
    ]


async def test_what_is_unknown_or_outside_the_data_is_one_clear_line() -> None:
    with pytest.raises(UnknownNameError, match=r"there is no frame 'week'; registered: 'day'"):
        Backtest.background(SYMBOL, strategy_name="saw", frame_name="week")
    with pytest.raises(UnknownNameError, match=r"there are no candles of ETH/USDT on sandbox"):
        Backtest.background("ETH/USDT", strategy_name="saw", frame_name="day")
    with pytest.raises(UnknownNameError, match="there is no backtest of other"):
        Backtest.get_data(SYMBOL, "other")
    add_frame(Frame(frame_name="late", interval="1m", start_ms=T0, end_ms=T0 + 301 * MINUTE))
    with pytest.raises(BacktestError, match=r"frame 'late' .* lies outside the candles of BTC"):
        Backtest.background(SYMBOL, strategy_name="saw", frame_name="late")
    with pytest.raises(RegistrationError, match="'day' already exists"):
        add_frame(list_frames()[0])


def test_a_file_of_candles_is_read_or_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "candles.csv"
    lines = ["timestamp,open,high,low,close,volume"]
    lines += [
        f"{row.timestamp},{row.open},{row.high},{row.low},{row.close},1" for row in some_rows(9)
    ]
    file.write_text("\n".join(lines))
    assert len(add_history("X/Y", file)) == 9

    del lines[4]
    file.write_text("\n".join(lines))
    with pytest.raises(CandleError, match=r"candles.csv: 1 minute is missing in 1 gap, the first"):
        add_history("X/Y", str(file))
    assert add_history("X/Y", file, gaps="fill").filled_count == 1
    with pytest.raises(CandleError, match=r"none.csv: No such file or directory"):
        add_history("X/Y", tmp_path / "none.csv")
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CandleError, match="it is neither text, Parquet nor Feather"):
        add_history("X/Y", file)
