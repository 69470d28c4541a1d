"""What a scraper reads: everything from the start, in base units, and never too many series."""

import asyncio
import re
import shutil
import subprocess
from collections import Counter as Tally
from threading import Thread

import pytest
from prometheus_client.parser import text_string_to_metric_families

from daemon.adapters.sinks.prometheus import Equity, Metrics, PrometheusSink
from daemon.adapters.sinks.prometheus.budget import SERIES_MAX, LabelBudget
from daemon.adapters.sinks.prometheus.catalog import CATALOG, TIMINGS
from daemon.core.events import Announcement
from daemon.core.signal import Key
from daemon.ports import DaemonStatus, SinkStatus
from tests.adapters.sinks.some_status import a_status, a_task
from tests.core.some_events import (
    a_cancelled,
    a_closed,
    a_done,
    a_loss_level,
    a_performance,
    a_profit_level,
    a_refusal,
    a_scheduled,
    an_active,
    an_error,
    an_exit,
    an_idle,
    an_opened,
    every_transition,
)

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def shown(metrics: Metrics, snapshot: DaemonStatus | None = None) -> Series:
    """Return every series of one scrape."""
    text = metrics.render(snapshot or a_status(a_task())).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(series: Series, name: str, **labels: str) -> float:
    return series[f"tickd_{name}", frozenset(labels.items())]


TASK = {"symbol": "BTC/USDT", "strategy": "breakout"}


def test_every_metric_is_there_from_the_first_scrape_on_and_no_other() -> None:
    text = Metrics().render(a_status(a_task())).decode()
    with_samples = {
        re.sub(r"_(bucket|sum|count)$", "", name)
        if re.sub(r"_(bucket|sum|count)$", "", name) in {m.name for m in TIMINGS.values()}
        else name
        for name in re.findall(r"^([a-z_]+)(?:\{.*\})? ", text, re.MULTILINE)
    }

    assert {name for name in with_samples if not name.startswith("process_")} == {
        metric.name for metric in CATALOG
    }


def test_the_status_is_read_when_the_scraper_asks() -> None:
    series = shown(Metrics())

    assert value(series, "build_info", version="1.2.3", exchange="sandbox", mode="signal") == 1
    assert value(series, "ready") == value(series, "live") == 1
    assert value(series, "uptime_seconds") == 12.5
    assert value(series, "market_time_seconds") == 1_700_000_000
    assert value(series, "tasks", condition="running") == 1
    assert value(series, "tasks", condition="circuit_open") == 0
    assert value(series, "orphans") == 1
    assert value(series, "sink_events_total", sink="log", outcome="sent") == 5
    assert value(series, "sink_events_total", sink="log", outcome="dropped") == 1
    assert value(series, "sink_queue_events", sink="log") == 3
    assert value(series, "task_position", **TASK) == 1
    assert value(series, "task_progress_ratio", **TASK) == 0.5
    assert value(series, "task_price_age_seconds", **TASK) == 0.5
    assert value(series, "task_restarts_total", **TASK) == 2


def test_l9_what_never_happened_is_infinitely_old() -> None:
    task = a_task(price_age_s=None, tick_age_s=None, last_decision_ms=None, is_ready=False)

    series = shown(Metrics(), a_status(task, is_ready=False))

    assert value(series, "task_price_age_seconds", **TASK) == float("inf")
    assert value(series, "task_tick_age_seconds", **TASK) == float("inf")
    assert value(series, "task_last_decision_timestamp_seconds", **TASK) == 0
    assert value(series, "task_ready", **TASK) == value(series, "ready") == 0


@pytest.mark.parametrize(
    ("event", "name", "labels"),
    [
        (a_scheduled(), "signals_scheduled_total", TASK),
        (an_opened(), "signals_opened_total", TASK),
        (a_closed(), "signals_closed_total", TASK),
        (a_closed(), "signals_won_total", TASK),
        (a_closed(), "closes_total", {"strategy": "breakout", "reason": "take_profit"}),
        (a_cancelled(), "signals_cancelled_total", TASK),
        (a_cancelled(), "cancels_total", {"strategy": "breakout", "reason": "timeout"}),
        (a_profit_level(), "profit_levels_total", TASK),
        (a_loss_level(), "loss_levels_total", TASK),
        (a_refusal(), "risk_refusals_total", TASK),
        (an_error(), "errors_total", {"where": "feed"}),
        (an_exit(), "exits_total", {}),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_transitions_are_counted(event: Announcement, name: str, labels: dict[str, str]) -> None:
    metrics = Metrics()
    sink = PrometheusSink(metrics)
    before = shown(metrics)

    assert sink.wants(event)
    asyncio.run(sink.send([event, event]))

    after = shown(metrics)
    assert value(before, name, **labels) == 0, "a series must not begin at its first event"
    assert value(after, name, **labels) == 2
    assert {key for key in after if not key[0].startswith("process_")} == {
        key for key in before if not key[0].startswith("process_")
    }


def test_the_equity_goes_on_from_what_was_before_and_knows_its_highest() -> None:
    metrics = Metrics()
    sink = PrometheusSink(metrics)
    asyncio.run(sink.send([a_closed(pnl_percent=3.0), a_closed(pnl_percent=-2.0)]))

    metrics.begin_after({"breakout": Equity(total=0.5, peak=0.6), "gone": Equity(total=0.1)})
    asyncio.run(sink.send([a_closed(pnl_percent=-1.0)]))

    series = shown(metrics)
    assert value(series, "strategy_pnl_ratio", strategy="breakout") == pytest.approx(0.5)
    assert value(series, "strategy_drawdown_ratio", strategy="breakout") == pytest.approx(0.1)
    assert value(series, "strategy_pnl_ratio", strategy="gone") == pytest.approx(0.1)
    assert value(series, "signals_won_total", **TASK) == 1


def test_ticks_at_which_nothing_happened_are_not_counted() -> None:
    sink = PrometheusSink(Metrics())

    assert not sink.wants(an_idle())
    assert not sink.wants(an_active())
    assert not sink.wants(a_performance())
    assert not sink.wants(a_done())


def test_the_parts_measure_and_count() -> None:
    metrics = Metrics()
    for name in TIMINGS:
        metrics.observe(name, 0.02)
    metrics.observe("backtest_total", 1.0)
    metrics.count("quarantined_files")
    metrics.count("leaked_threads", 3)

    series = shown(metrics)

    for metric in TIMINGS.values():
        assert series[f"{metric.name}_count", frozenset()] == 1
        assert series[f"{metric.name}_sum", frozenset()] == pytest.approx(0.02)
    assert value(series, "quarantined_files_total") == 1
    assert value(series, "leaked_threads_total") == 3


def test_readings_are_asked_at_each_scrape() -> None:
    drops = [0.0]
    metrics = Metrics({"log_drops": lambda: drops[0]})
    metrics.watch("rate_limit_weight_used", lambda: 0.25)

    assert value(shown(metrics), "log_drops_total") == 0
    drops[0] = 7.0
    assert value(shown(metrics), "log_drops_total") == 7
    assert value(shown(metrics), "rate_limit_weight_used_ratio") == 0.25


def test_s7_labels_cannot_explode() -> None:
    metrics = Metrics()
    sink = PrometheusSink(metrics)
    keys = [
        Key(exchange_name="x", symbol=f"S{number}/USDT", strategy_name=f"strategy {number}")
        for number in range(3000)
    ]
    asyncio.run(sink.send([an_opened(key=key) for key in keys]))
    asyncio.run(sink.send([an_error(where=f"place {number}") for number in range(3000)]))
    tasks = [
        a_task(key.symbol, key.strategy_name, price_age_s=float(n)) for n, key in enumerate(keys)
    ]
    sinks = [SinkStatus(name=f"s{n}", sent=1, dropped=0, failed=0, queued=1) for n in range(3000)]

    series = shown(metrics, a_status(*tasks, sinks=tuple(sinks)))

    per_metric = Tally(name for name, _ in series)
    assert max(per_metric.values()) <= SERIES_MAX
    assert len(series) < 25_000
    other = {"symbol": "other", "strategy": "other"}
    assert value(series, "signals_opened_total", **other) == 2001
    assert value(series, "task_restarts_total", **other) == 2001 * 2
    assert value(series, "task_price_age_seconds", **other) == 2999, "the oldest one counts"
    assert value(series, "task_ready", **other) == 1
    assert value(series, "errors_total", where="other") > 2000
    assert value(series, "sink_queue_events", sink="other") > 2000


def test_s7_the_budget_of_series_holds_for_a_usual_daemon() -> None:
    """A hundred tasks: 50 symbols with 2 strategies each."""
    tasks = [a_task(f"S{n}/USDT", name) for n in range(50) for name in ("breakout", "reversal")]

    series = shown(Metrics(), a_status(*tasks))

    assert len(series) <= 2200


def test_the_shared_series_shows_the_worst() -> None:
    tasks = [a_task(f"S{number}", "x", is_ready=number != 1500) for number in range(2000)]

    series = shown(Metrics(), a_status(*tasks))

    assert value(series, "task_ready", symbol="other", strategy="other") == 0


def test_a_budget_admits_the_first_and_remembers_them() -> None:
    budget = LabelBudget(2, "other")

    assert [budget.label(name) for name in "abcab"] == ["a", "b", "other", "a", "b"]


def test_task_labels_stand_on_gauges_and_counters_only() -> None:
    for metric in CATALOG:
        assert metric.kind != "histogram" or not metric.labels


@pytest.mark.parametrize("metric", CATALOG, ids=lambda metric: metric.name)
def test_names_follow_the_rules_of_prometheus(metric: object) -> None:
    name = getattr(metric, "name", "")
    kind = getattr(metric, "kind", "")

    assert re.fullmatch(r"tickd_[a-z]+(_[a-z]+)*", name)
    assert name.endswith("_total") is (kind == "counter")
    assert not re.search(r"_(ms|percent|minutes|count|sum|bucket|gauge|counter|histogram)\b", name)
    assert kind != "histogram" or name.endswith("_seconds")
    assert getattr(metric, "text", "").endswith(".")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool")
def test_promtool_finds_nothing_to_say() -> None:
    result = subprocess.run(
        ["promtool", "check", "metrics"],
        input=Metrics().render(a_status(a_task())),
        capture_output=True,
        check=False,
    )

    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


def test_q5_no_text_of_an_event_becomes_a_label() -> None:
    metrics = Metrics()
    events: list[Announcement] = [
        an_error(message="CANARY"),
        an_exit(message="CANARY"),
        a_refusal(comment="CANARY"),
    ]

    asyncio.run(PrometheusSink(metrics).send(events))

    assert b"CANARY" not in metrics.render(a_status(a_task(reason="CANARY")))


async def test_a_scrape_may_run_beside_the_events() -> None:
    """The page renders in a thread while the loop goes on counting."""
    metrics = Metrics()
    sink = PrometheusSink(metrics)
    tasks = [a_task(f"S{number}", "x") for number in range(200)]
    scrapes: list[int] = []
    scraping = Thread(
        target=lambda: scrapes.extend(len(shown(metrics, a_status(*tasks))) for _ in range(5))
    )

    scraping.start()
    while scraping.is_alive():
        await sink.send(every_transition())
    scraping.join()

    assert len(scrapes) == 5
