"""The charts of a page, drawn by plotly's own script, which its package brings along.

Colours are the names of the page's own (`--good`): its script fills them in, light or dark.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import cycle
from textwrap import wrap
from types import MappingProxyType

from plotly.io.json import to_json_plotly
from plotly.offline import get_plotlyjs

from daemon.core.breakdown import ExposureSpan
from daemon.core.equity import Account, falls, running_pnl
from daemon.core.events import SignalClosed
from daemon.reports.html.markup import Html, element, join
from daemon.reports.html.sheets import Bars, LaneSheet, RunSheet
from daemon.reports.html.traces import (
    BINS_MAX,
    Trace,
    axis,
    bin_width,
    candles,
    columns,
    entries,
    exits,
    is_win,
    layout_of,
    legend,
    levels,
    line,
    plain_name,
    stamp,
    told,
)

HOUR_MS = 3_600_000
NAME_CHARACTERS_MAX = 46
"""What a phone has room for in a line."""

BAR_PX = 12
NAME_LINE_PX = 16
ZOOMS = ((0, "All"), (24 * 30, "30 days"), (24 * 7, "7 days"), (24, "1 day"))
"""What the buttons over the candles show: so many hours before the end; 0 shows everything."""

TRADES_IN_VIEW = 80
"""More marks than this run into one another."""

PALETTE = ("#3b82f6", "#f59e0b", "#10b981", "#ef4444", "#a855f7", "#ec4899", "#84cc16", "#78716c")
"""Told apart on light and on dark."""

_NO_MARKS: Mapping[str, str] = MappingProxyType({})


def plotly_script() -> Html:
    """Return plotly.js itself as an inline script: the one thing of a page that is large."""
    return Html(f"<script>{get_plotlyjs()}</script>")


def equity_chart(chart_id: str, lane: LaneSheet, run: RunSheet) -> Html:
    """Return the running sum of PnL with its drawdown below, the worst case dotted beside it."""
    at, sums = _sums(run, lane.trades)
    as_run = line("As run", at, sums, "--accent") | {
        "text": ["", *(told(event, with_note=False) for event in lane.trades), ""],
        "fill": "tozeroy",
        "fillcolor": "rgba(37,99,235,0.10)",
    }
    traces: list[Trace] = [as_run]
    worst = lane.worst_case
    if worst is not None and worst.is_whole:
        other = line("Worst case", *_sums(run, worst.trades), "--soft")
        dotted = {"color": "--soft", "width": 1.5, "dash": "dot", "shape": "hv"}
        traces.append(other | {"line": dotted})
    fallen = line("Drawdown", at, falls(sums), "--bad")
    traces.append(
        fallen
        | {"yaxis": "y2", "fill": "tozeroy", "fillcolor": "rgba(208,49,61,0.16)"}
        | {"showlegend": False}
    )
    layout = layout_of(360) | {
        "xaxis": axis() | {"anchor": "y2"},
        "yaxis": axis("PnL, %") | {"domain": [0.34, 1.0]},
        "yaxis2": axis("Drawdown, %") | {"domain": [0.0, 0.26], "nticks": 4},
        "legend": legend(),
        "showlegend": len(traces) > 2,
    }
    return _chart(chart_id, traces, layout)


def account_chart(chart_id: str, account: Account, run: RunSheet) -> Html:
    """Return the balance of a sized account after each close."""
    at = _moments(run, [trade.close_timestamp for trade in account.trades])
    balances = [account.balance_start, *(trade.balance for trade in account.trades)]
    balances.append(balances[-1])
    layout = layout_of(260) | {"xaxis": axis(), "yaxis": axis("Balance")}
    return _chart(chart_id, [line("Balance", at, balances, "--accent")], layout)


def candle_chart(chart_id: str, lane: LaneSheet, bars: Bars) -> Html:
    """Return the trades on candles: entry, exit, and the target and stop between them."""
    traces: list[Trace] = [
        candles(bars),
        levels("Take profit", lane.trades, "--good", is_target=True),
        levels("Stop loss", lane.trades, "--bad", is_target=False),
    ]
    for side, symbol in (("long", "triangle-up"), ("short", "triangle-down")):
        opened = [event for event in lane.trades if event.signal.position == side]
        if opened:
            traces.append(entries(f"Open {side}", opened, symbol))
    for name, won, colour in (("Closed, won", True, "--good"), ("Closed, lost", False, "--bad")):
        closed = [event for event in lane.trades if is_win(event) == won]
        if closed:
            traces.append(exits(name, closed, colour))
    layout = layout_of(480) | {
        "xaxis": axis() | {"rangeslider": {"visible": False}},
        "yaxis": axis("Price"),
        "legend": legend(),
        "showlegend": True,
        "dragmode": "pan",
    }
    first, last = bars.at_ms[0], bars.at_ms[-1]
    hours = _first_view(lane.trades, last - first)
    marks = {"start": _iso(first), "end": _iso(last), "hours": str(hours)}
    return join(_buttons(last - first, hours), _chart(chart_id, traces, layout, marks))


def distribution_chart(chart_id: str, trades: Sequence[SignalClosed]) -> Html:
    """Return how many trades came to how much."""
    pnls = [event.pnl.pnl_percentage for event in trades]
    width = bin_width(max(pnls) - min(pnls))
    traces: list[Trace] = [
        {
            "type": "histogram",
            "name": name,
            "x": [pnl for pnl in pnls if (pnl > 0) == won],
            "xbins": {"start": 0 if won else -width * BINS_MAX, "size": width},
            "marker": {"color": colour, "line": {"color": "--card", "width": 1}},
            "hovertemplate": "%{x} %: %{y}<extra>" + name + "</extra>",
        }
        for name, won, colour in (("Lost", False, "--bad"), ("Won", True, "--good"))
    ]
    layout = layout_of(260) | {
        "barmode": "overlay",
        "bargap": 0,
        "xaxis": axis("PnL of a trade, %"),
        "yaxis": axis("Trades"),
    }
    return _chart(chart_id, traces, layout)


def exposure_chart(chart_id: str, spans: Sequence[ExposureSpan]) -> Html:
    """Return how much of the time a position was open, long above and short below the line."""
    at = [stamp((span.start_ms + span.end_ms) // 2) for span in spans]
    traces: list[Trace] = [
        columns("Long", at, [span.long_percent for span in spans], "--good"),
        columns("Short", at, [-span.short_percent for span in spans], "--bad"),
    ]
    layout = layout_of(260) | {
        "barmode": "relative",
        "bargap": 0.15,
        "xaxis": axis(),
        "yaxis": axis("Time in market, %"),
        "legend": legend(),
        "showlegend": True,
    }
    return _chart(chart_id, traces, layout)


def lanes_chart(chart_id: str, run: RunSheet) -> Html:
    """Return the running sums of several lanes in one picture."""
    traces: list[Trace] = []
    # One that closed nothing would be one more line at zero.
    closing = [lane for lane in run.lanes if lane.trades]
    for lane, colour in zip(closing, cycle(PALETTE), strict=False):
        name = f"{lane.strategy_name} {lane.symbol}"
        drawn = line(name, *_sums(run, lane.trades), "--accent")
        traces.append(drawn | {"line": {"width": 1.8, "shape": "hv", "color": colour}})
    layout = layout_of(340) | {
        "xaxis": axis(),
        "yaxis": axis("PnL, %"),
        "legend": legend(),
        "showlegend": True,
    }
    return _chart(chart_id, traces, layout)


def ranks_chart(chart_id: str, metric: str, values: Sequence[tuple[str, float]]) -> Html:
    """Return a bar for each named value, the first one on top, its name above it."""
    # Beside the bars a long name would leave them no room, or be cut: a phone has none for both.
    names = [[plain_name(line) for line in wrap(name, NAME_CHARACTERS_MAX)] for name, _ in values]
    lines = max(map(len, names), default=1)
    slot = BAR_PX + NAME_LINE_PX * lines + 10
    top = 0.5 - (BAR_PX + 6) / slot
    bars: Trace = {
        "type": "bar",
        "orientation": "h",
        "x": [value for _, value in values],
        "y": list(range(len(values))),
        "offset": top,
        "width": BAR_PX / slot,
        "customdata": [plain_name(name) for name, _ in values],
        "marker": {"color": ["--good" if value > 0 else "--bad" for _, value in values]},
        "hovertemplate": "%{customdata}: %{x:,.3f}<extra></extra>",
    }
    layout = layout_of(60 + slot * len(values)) | {
        "margin": {"l": 8, "r": 8, "t": 4, "b": 36},
        "xaxis": axis(metric),
        "yaxis": axis()
        | {"range": [len(values) - 0.5, -0.5], "showticklabels": False, "showgrid": False}
        | {"zeroline": False, "fixedrange": True},
        "annotations": [
            {
                "x": 0,
                "xref": "paper",
                "xanchor": "left",
                "align": "left",
                "y": number + top,
                "yanchor": "bottom",
                "showarrow": False,
                "text": "<br>".join(name),
            }
            for number, name in enumerate(names)
        ],
    }
    return _chart(chart_id, [bars], layout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A trial by its metric on the train range and on the test range."""

    name: str
    train: float
    test: float
    is_winner: bool


def trials_chart(chart_id: str, metric: str, dots: Sequence[Dot]) -> Html:
    """Return a dot for each trial, train from left to right and test upwards."""
    colours = ["--good" if dot.is_winner else "--accent" for dot in dots]
    trace: Trace = {
        "type": "scatter",
        "mode": "markers",
        "text": [plain_name(dot.name) for dot in dots],
        "x": [dot.train for dot in dots],
        "y": [dot.test for dot in dots],
        "marker": {"size": 11, "color": colours},
        "hovertemplate": "%{text}<br>train %{x:,.3f}, test %{y:,.3f}<extra></extra>",
    }
    layout = layout_of(340) | {"xaxis": axis(f"train {metric}"), "yaxis": axis(f"test {metric}")}
    return _chart(chart_id, [trace], layout)


def _sums(run: RunSheet, trades: Sequence[SignalClosed]) -> tuple[list[str], list[float]]:
    """Return the running sum from the run's start to its end, and the times at which it moves."""
    sums = [0.0, *running_pnl(trades)]
    return _moments(run, [event.close_timestamp for event in trades]), [*sums, sums[-1]]


def _moments(run: RunSheet, closes_ms: Sequence[int]) -> list[str]:
    """Return the times of closes, oldest first, between the run's start and its end."""
    at_ms = [run.start_ms, *closes_ms, run.end_ms]
    return [stamp(min(at_ms)), *map(stamp, closes_ms), stamp(max(at_ms))]


def _first_view(trades: Sequence[SignalClosed], length_ms: int) -> int:
    """Return how many hours the reader sees first: as many as leave trades apart; 0 is all."""
    for hours, _ in ZOOMS:
        share = hours * HOUR_MS / length_ms if hours else 1.0
        if share <= 1.0 and len(trades) * share <= TRADES_IN_VIEW:
            return hours
    return ZOOMS[-1][0] if ZOOMS[-1][0] * HOUR_MS < length_ms else 0


def _buttons(length_ms: int, pressed: int) -> Html:
    shown = [(hours, name) for hours, name in ZOOMS if hours * HOUR_MS < length_ms]
    if len(shown) < 2:
        return Html("")
    buttons = (
        Html(f'<button type="button" data-hours="{hours}" aria-pressed="{flag}">{name}</button>')
        for hours, name in shown
        for flag in ["true" if hours == pressed else "false"]
    )
    return element("div", *buttons, kind="buttons")


def _iso(at_ms: int) -> str:
    return f"{stamp(at_ms)}Z".replace(" ", "T")


def _chart(
    chart_id: str,
    traces: Sequence[Trace],
    layout: Mapping[str, object],
    marks: Mapping[str, str] = _NO_MARKS,
) -> Html:
    # to_json_plotly writes <, > and / as escapes, so that no text in it can end the script.
    spec = to_json_plotly({"data": list(traces), "layout": dict(layout)})
    attributes = "".join(f' data-{name}="{escape(value)}"' for name, value in marks.items())
    return Html(
        f'<div class="chart" id="{chart_id}" style="height:{layout["height"]}px"{attributes}></div>'
        f'<script type="application/json" id="{chart_id}-data">{spec}</script>'
    )
