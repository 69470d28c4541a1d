"""The page of a run: self-contained, the figures first, then the pictures, then every trade."""

from collections.abc import Sequence

from daemon.core.breakdown import by_reason, costs, exposure
from daemon.core.collector import NEWEST_MAX
from daemon.core.events import SignalClosed
from daemon.core.trade_figures import TradeFigures
from daemon.reports.html import charts
from daemon.reports.html.markup import (
    Html,
    element,
    facts,
    join,
    section,
    table,
    text,
    tile,
    tone,
    toned,
)
from daemon.reports.html.months import month_table
from daemon.reports.html.sheets import LaneSheet, RunSheet
from daemon.reports.html.shell import heading, remarks, whole_page
from daemon.reports.html.traces import stamp
from daemon.reports.text import cut_note, number, percent, signed_percent, span_minutes

NOTHING_CLOSED = "No signals closed yet."

SPANS_MAX = 48
"""Columns of the picture of exposure: more are not told apart on a phone."""

HOUR_MS = 3_600_000


def render_page(run: RunSheet) -> str:
    """Return `run` as one HTML page that needs neither a network nor another file."""
    is_drawn = any(lane.trades for lane in run.lanes)
    parts = (
        heading(run.title, run.subtitle),
        remarks(run.remarks),
        _overview(run),
        *(_lane(f"lane-{number}", lane, run) for number, lane in enumerate(run.lanes, 1)),
        section("Settings of the run", facts(run.settings)),
        element("footer", "Times are UTC. PnL is in percent of the stake, after costs."),
    )
    return whole_page(run.title, parts, is_drawn=is_drawn)


def _overview(run: RunSheet) -> Html:
    """Return the lanes side by side, where there are several."""
    if len(run.lanes) < 2:
        return Html("")
    # Live there is no worst case: ticks follow one another.
    is_open = any(lane.ambiguous_bar_count for lane in run.lanes)
    titles = ["Strategy", "Symbol", "Total PNL", "Trades", "Win rate", "Max drawdown"]
    titles += ["Worst case"] if is_open else []
    rows = [
        (
            Html(f'<a href="#lane-{number}">{text(lane.strategy_name)}</a>'),
            lane.symbol,
            toned(signed_percent(lane.figures.total_pnl), lane.figures.total_pnl),
            f"{lane.trades_total:,}",
            percent(lane.figures.win_rate),
            percent(lane.figures.max_drawdown),
            *([_worst_total(lane)] if is_open else []),
        )
        for number, lane in enumerate(run.lanes, 1)
    ]
    picture = charts.lanes_chart("lanes", run) if any(lane.trades for lane in run.lanes) else ""
    return section("All of them", table(titles, rows, words=2), picture)


def _lane(anchor: str, lane: LaneSheet, run: RunSheet) -> Html:
    title = Html(
        f'<h2 id="{anchor}">{text(lane.strategy_name)}<small>{text(lane.symbol)}</small></h2>'
    )
    if not lane.trades:
        return join(
            title,
            remarks(lane.remarks),
            element("p", NOTHING_CLOSED, kind="card"),
            section("Counts", facts(lane.counts)),
            _background(lane),
        )
    cut = cut_note(len(lane.trades), lane.trades_total, "trades")
    drawn = f"{cut} Charts, months, reasons and costs are of those." if cut else ""
    return join(
        title,
        remarks([*lane.remarks, *filter(None, [drawn])]),
        _tiles(lane),
        section("Equity and drawdown", charts.equity_chart(f"{anchor}-equity", lane, run)),
        _account(anchor, lane, run),
        _candles(anchor, lane),
        section("By month", month_table(lane.trades)),
        element("div", _distribution(anchor, lane), _exposure(anchor, lane, run), kind="pair"),
        element("div", _reasons(lane), _costs(lane, run), kind="pair"),
        _ambiguous(lane),
        element("div", _figures(lane), section("Counts", facts(lane.counts)), kind="pair"),
        _trades(lane),
        _background(lane),
    )


def _tiles(lane: LaneSheet) -> Html:
    figures, worst, held = lane.figures, lane.worst_case, lane.held_percent
    other = None if worst is None else worst.figures
    counts = f"{figures.win_count} won, {figures.loss_count} lost"
    return element(
        "div",
        tile(
            "Total PNL",
            signed_percent(figures.total_pnl),
            kind=tone(figures.total_pnl),
            below="" if other is None else f"worst case {signed_percent(other.total_pnl)}",
        ),
        ""
        if held is None
        else tile("Held instead", signed_percent(held), kind=tone(held), below="one single long"),
        tile("Trades", f"{lane.trades_total:,}", below=counts),
        tile("Win rate", percent(figures.win_rate)),
        tile("Average PNL", signed_percent(figures.avg_pnl), kind=tone(figures.avg_pnl)),
        tile("Max drawdown", percent(figures.max_drawdown), below="of the stake"),
        tile("Sharpe ratio", number(figures.sharpe_ratio), below="per trade"),
        kind="tiles",
    )


def _account(anchor: str, lane: LaneSheet, run: RunSheet) -> Html:
    account = lane.account
    if account is None:
        return Html("")
    rows = [
        ("Sized by", account.sizing_name),
        ("Start", f"{account.balance_start:,.2f}"),
        ("End", f"{account.balance_end:,.2f} ({signed_percent(account.return_percent)})"),
        ("Deepest fall from a peak", percent(account.drawdown_percent)),
        ("Largest position", f"{account.leverage_max:.2f} x the balance"),
    ]
    if account.unsized_count:
        rows.append(("Without a position", f"{account.unsized_count:,}: {account.first_fault}"))
    drawn = charts.account_chart(f"{anchor}-account", account, run) if account.trades else ""
    return section("Account", drawn, facts(rows), hint="One position sized after the other.")


def _candles(anchor: str, lane: LaneSheet) -> Html:
    if lane.bars is None or not lane.bars.at_ms:
        return Html("")
    hint = f"Candles of {lane.bars.interval}. Dotted: target and stop while the position was open."
    drawn = charts.candle_chart(f"{anchor}-candles", lane, lane.bars)
    return section("Trades on the market", drawn, hint=hint)


def _distribution(anchor: str, lane: LaneSheet) -> Html:
    drawn = charts.distribution_chart(f"{anchor}-distribution", lane.trades)
    return section("Distribution", drawn, hint="How many trades came to how much.")


def _exposure(anchor: str, lane: LaneSheet, run: RunSheet) -> Html:
    whole = exposure(lane.trades, run.start_ms, run.end_ms, 1)
    if not whole:
        return Html("")
    hours = (run.end_ms - run.start_ms) // HOUR_MS
    spans = exposure(lane.trades, run.start_ms, run.end_ms, min(SPANS_MAX, max(1, hours)))
    long, short = whole[0].long_percent, whole[0].short_percent
    hint = (
        f"In the market {percent(long + short)} of the time: long {percent(long)}, short"
        f" {percent(short)}."
    )
    return section("Exposure", charts.exposure_chart(f"{anchor}-exposure", spans), hint=hint)


def _reasons(lane: LaneSheet) -> Html:
    rows = [
        (
            row.reason.replace("_", " "),
            f"{row.count:,}",
            f"{row.win_count:,}",
            toned(signed_percent(row.total_pnl), row.total_pnl),
            signed_percent(row.avg_pnl),
            f"{row.avg_minutes:,.0f}",
        )
        for row in by_reason(lane.trades)
    ]
    titles = ("Reason", "Trades", "Won", "Total PNL", "Average", "Minutes")
    return section("Why they closed", table(titles, rows))


def _costs(lane: LaneSheet, run: RunSheet) -> Html:
    told = costs(lane.trades, run.rules)
    if told is None:
        return Html("")
    largest = max(abs(told.gross), told.slippage, told.fee, abs(told.net)) or 1.0
    rows = [
        (name, signed_percent(value), _bar(value, largest))
        for name, value in (
            ("Before costs", told.gross),
            (f"Slippage ({run.rules.percent_slippage:g} % a side)", -told.slippage),
            (f"Fees ({run.rules.percent_fee:g} % a side)", -told.fee),
            ("After costs", told.net),
        )
    ]
    return section("What costs took", element("div", table(("", "Sum", ""), rows), kind="costs"))


def _bar(value: float, largest: float) -> Html:
    width = abs(value) / largest * 100
    return Html(f'<span class="bar {tone(value)}" style="width:{width:.1f}%;min-width:2px"></span>')


def _ambiguous(lane: LaneSheet) -> Html:
    count = lane.ambiguous_bar_count
    if not count:
        return Html("")
    bars = "In one bar" if count == 1 else f"In {count:,} bars"
    hint = (
        f"{bars} both sides were touched, and a bar does not say which came first. The headline"
        " takes the target before the stop; the worst case the reverse."
    )
    if lane.worst_case is None:
        return section("Ambiguous bars", element("p", hint))
    rows = [
        (name, ours, theirs)
        for (name, ours), (_, theirs) in zip(
            _named(lane.figures), _named(lane.worst_case.figures), strict=True
        )
    ]
    return section("Ambiguous bars", table(("", "As run", "Worst case"), rows), hint=hint)


def _figures(lane: LaneSheet) -> Html:
    # With a worst case all of them stand in the table of ambiguous bars.
    return section("Figures", facts([] if lane.worst_case else _named(lane.figures)))


def _named(figures: TradeFigures) -> list[tuple[str, str]]:
    return [
        ("Win rate", percent(figures.win_rate)),
        ("Total PNL", toned(signed_percent(figures.total_pnl), figures.total_pnl)),
        ("Average PNL", signed_percent(figures.avg_pnl)),
        ("Standard deviation", percent(figures.std_dev)),
        ("Sharpe ratio", number(figures.sharpe_ratio)),
        ("Annualized Sharpe ratio", number(figures.annualized_sharpe_ratio)),
        ("Certainty ratio", number(figures.certainty_ratio)),
        ("Expected yearly returns", signed_percent(figures.expected_yearly_returns)),
        ("Max drawdown", percent(figures.max_drawdown)),
    ]


def _trades(lane: LaneSheet) -> Html:
    newest = list(reversed(lane.trades[-NEWEST_MAX:]))
    titles = (
        "Opened", "Side", "Note", "Open", "Close", "Take profit", "Stop loss", "PNL", "Reason",
        "Minutes",
    )  # fmt: skip
    listed = table(titles, [_trade(event) for event in newest], words=3)
    hint = cut_note(len(newest), lane.trades_total, "trades")
    return section("Trades", element("div", listed, kind="tall"), hint=hint)


def _trade(event: SignalClosed) -> Sequence[str]:
    row = event.signal
    return (
        stamp(row.pending_at)[:16],
        row.position,
        element("span", row.note, kind="note"),
        f"{row.price_open:.8g}",
        f"{event.current_price:.8g}",
        f"{row.price_take_profit:.8g}",
        f"{row.price_stop_loss:.8g}",
        toned(signed_percent(event.pnl.pnl_percentage), event.pnl.pnl_percentage),
        event.close_reason.replace("_", " "),
        span_minutes(row.pending_at, event.close_timestamp),
    )


def _background(lane: LaneSheet) -> Html:
    return element(
        "div",
        section("Parameters", facts(lane.parameters)),
        section("Data", facts(lane.data)),
        kind="pair",
    )


def _worst_total(lane: LaneSheet) -> Html:
    if lane.worst_case is None:
        return text("the same" if not lane.ambiguous_bar_count else "N/A")
    total = lane.worst_case.figures.total_pnl
    return toned(signed_percent(total), total)
