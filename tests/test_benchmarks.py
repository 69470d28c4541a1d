"""Each benchmark still runs, in its smallest size; what it measures there says nothing."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import growth, history, start, tasks, walks, wire
from benchmarks.crossing import LONE_S, Crossing, alone
from benchmarks.figures import Figure, quantile, summary

ROOT = Path(__file__).parent.parent


def test_each_bench_runs_in_its_smallest_size() -> None:
    with ThreadPoolExecutor() as pool:
        running = [
            pool.submit(wire.measure, wire.QUICK),
            pool.submit(tasks.measure, tasks.QUICK),
            pool.submit(start.measure, start.QUICK),
        ]
        found = {figure.name: figure for done in running for figure in done.result()[0]}

    assert found["resident memory"].value > found["4 tasks: memory"].value > 20.0
    assert found["crossing to event, all positions at once, median"].value > 0.0
    assert found["4 tasks: share of a core"].value < 100.0
    assert found["imports done to ready, median"].value > 0.0


def test_each_bench_over_history_runs_in_its_smallest_size() -> None:
    figures = [
        *history.measure(history.QUICK)[0],
        *growth.measure(growth.QUICK)[0],
        *walks.measure(walks.QUICK)[0],
    ]

    found = {figure.name: figure.value for figure in figures}
    assert found["whole process, as a library"] > found["run alone"] > 0.0
    assert found["whole process, tickd backtest"] > found["run alone"]
    assert found["0.02 years, a year of it"] > 0.0
    assert found["two cores, CPU in all"] > found["two cores, CPU of the walk"] > 0.0


def test_the_command_names_its_benches() -> None:
    command = [sys.executable, "-m", "benchmarks", "--only", "A,Z"]

    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert told.returncode == 2
    assert "no bench Z" in told.stderr


def test_a_quantile_is_a_value_that_was_measured() -> None:
    assert quantile([3.0, 1.0, 2.0, 4.0], 0.5) == 2.0
    assert quantile(range(1, 101), 0.99) == 99


def test_the_summary_names_what_was_missed() -> None:
    figures = [
        Figure(bench="A", name="cost", value=2.0, unit="s", target=1.0),
        Figure(bench="A", name="memory", value=1.0, unit="MiB", target=1.0),
        Figure(bench="A", name="requests", value=9.0, unit="/min"),
    ]

    assert summary(figures) == "1 of 2 targets met; missed: A cost"


def test_a_crossing_beside_another_symbols_is_not_alone() -> None:
    def crossed(symbol: str, sent_s: float) -> Crossing:
        return Crossing(symbol=symbol, strategy="s", sent_s=sent_s, heard_s=sent_s, levels=1)

    far = crossed("A", 10.0)
    twin = crossed("A", 10.0)
    near = [crossed("B", 20.0), crossed("C", 20.0 + LONE_S / 2)]

    assert alone([far, twin, *near]) == [far, twin]
