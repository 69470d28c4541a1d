"""Charts hold their data as JSON that no text can break out of."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from daemon.core.breakdown import exposure
from daemon.core.equity import account_of
from daemon.core.sizing import FixedPercentage, SizingSchema
from daemon.core.statistics import backtest_statistics
from daemon.reports.html import charts
from daemon.reports.html.markup import Html
from daemon.reports.html.sheets import WorstCase
from daemon.reports.html.traces import BINS_MAX, bin_width, stamp
from tests.core.some_events import AT_MS
from tests.core.trades import trades
from tests.reports.html.sheets import HOUR_MS, a_lane, a_run, noted, some_bars

CLOSED = trades(1.0, -2.0, 0.5)


def spec_of(chart: Html) -> Any:
    found = re.search(r'<script type="application/json"[^>]*>(.*)</script>$', chart, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_equity_and_drawdown_are_the_running_sum_and_its_fall() -> None:
    run = a_run(a_lane(CLOSED))

    spec = spec_of(charts.equity_chart("c", run.lanes[0], run))

    assert [trace["name"] for trace in spec["data"]] == ["As run", "Drawdown"]
    assert spec["data"][0]["y"] == [0.0, 1.0, -1.0, -0.5, -0.5]
    assert spec["data"][1]["y"] == [0.0, 0.0, -2.0, -1.5, -1.5]
    closes = [stamp(event.close_timestamp) for event in CLOSED]
    assert spec["data"][0]["x"] == [stamp(run.start_ms), *closes, stamp(run.end_ms)]
    assert len(spec["data"][0]["text"]) == 5


def test_one_trade_is_a_line_too() -> None:
    run = a_run(a_lane(CLOSED[:1]))

    spec = spec_of(charts.equity_chart("c", run.lanes[0], run))

    assert spec["data"][0]["y"] == [0.0, 1.0, 1.0]


def test_every_trade_is_on_the_candles_with_its_target_and_stop() -> None:
    lane = a_lane(CLOSED)

    spec = spec_of(charts.candle_chart("c", lane, some_bars()))

    by_name = {trace["name"]: trace for trace in spec["data"]}
    assert by_name["Take profit"]["y"][:3] == [102.0, 102.0, None]
    assert by_name["Stop loss"]["y"][:3] == [99.0, 99.0, None]
    assert len(by_name["Open long"]["x"]) == 3
    assert len(by_name["Closed, won"]["x"]) == 2
    assert len(by_name["Closed, lost"]["x"]) == 1
    assert "Open short" not in by_name


def test_the_worst_case_holds_each_value_until_the_next_as_the_run_does() -> None:
    worst = WorstCase(figures=backtest_statistics(CLOSED), trades=CLOSED, is_whole=True)
    lane = replace(a_lane(CLOSED), worst_case=worst)

    data = spec_of(charts.equity_chart("c", lane, a_run(lane)))["data"]

    assert {trace["line"]["shape"] for trace in data} == {"hv"}


def test_a_note_is_text_in_a_chart_too() -> None:
    lane = a_lane([noted(CLOSED[0], "</script><script>alert(1)</script>")])

    chart = charts.candle_chart("c", lane, some_bars())

    assert chart.count("<script") == 1
    assert "&lt;script>" not in chart
    told = spec_of(chart)["data"][3]["text"][0]
    assert told.endswith("&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;")


@pytest.mark.parametrize(
    ("count", "hours"), [(2, "0"), (10_000, "24")], ids=["few trades", "many trades"]
)
def test_the_first_view_leaves_trades_apart(count: int, hours: str) -> None:
    lane = a_lane(trades(*[1.0] * count, held_ms=HOUR_MS))

    chart = charts.candle_chart("c", lane, some_bars(24 * 40))

    assert f'data-hours="{hours}"></div>' in chart
    assert f'data-hours="{hours}" aria-pressed="true"' in chart


def test_a_long_name_stands_above_its_bar_in_lines_that_a_phone_has_room_for() -> None:
    long = "breakout(lookback=20, life_minutes=40, take_profit_percent=1.2)"

    spec = spec_of(charts.ranks_chart("c", "sharpe_ratio", [(long, 0.3), ("<b>", -0.1)]))

    names = [each["text"] for each in spec["layout"]["annotations"]]
    assert names == [
        "breakout(lookback=20, life_minutes=40,<br>take_profit_percent=1.2)",
        "&lt;b&gt;",
    ]
    assert spec["data"][0]["customdata"][0] == long
    tops = [each["y"] for each in spec["layout"]["annotations"]]
    assert all(number < top < number + 0.5 for number, top in enumerate(tops))


def test_the_other_pictures_hold_what_they_are_given() -> None:
    sizing = SizingSchema(sizing_name="one", method=FixedPercentage(risk_percentage=1.0))
    account = account_of(CLOSED, sizing, 10_000.0)
    spans = exposure(CLOSED, AT_MS - HOUR_MS, AT_MS + 40 * HOUR_MS, 4)

    run = a_run(a_lane(CLOSED))
    balance = spec_of(charts.account_chart("c", account, run))["data"][0]["y"]
    columns = spec_of(charts.exposure_chart("c", spans))["data"]
    histogram = spec_of(charts.distribution_chart("c", CLOSED))["data"]
    run = a_run(a_lane(CLOSED), a_lane([], "idle"), a_lane(CLOSED, "<b>"))
    lanes = spec_of(charts.lanes_chart("c", run))["data"]

    assert balance[:-1] == [10_000.0, *(trade.balance for trade in account.trades)]
    assert columns[0]["y"] == [span.long_percent for span in spans]
    assert [sorted(trace["x"]) for trace in histogram] == [[-2.0], [0.5, 1.0]]
    assert lanes[1]["name"] == "breakout &lt;b&gt;"


@pytest.mark.parametrize("width", [0.0, 1e-9, 0.37, 5.0, 123_456.0])
def test_bins_are_round_and_few(width: float) -> None:
    size = bin_width(width)

    assert size > 0
    assert width / size <= BINS_MAX
    assert f"{size:.1e}"[0:3] in {"1.0", "2.0", "5.0", "2.5"}
