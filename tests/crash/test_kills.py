"""A slice of `make crash`: some kills of the real process, and that the judge would see harm."""

import os
import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter, sleep

import pytest

from daemon.core.records import TransitionEntry
from tests.crash.campaign import ENDLESS_MS, Campaign
from tests.crash.receiver import Receiver
from tests.crash.script import Stuck
from tests.crash.system_calls import missing_to_watch
from tests.crash.trial import Trial

MISSING = missing_to_watch()
watches = pytest.mark.skipif(MISSING is not None, reason=MISSING or "")

PATIENCE_S = 30.0
STOP_S = 5.0
"""Half of the ten seconds that a stop may take by default."""


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with Receiver(tmp_path / "received").running() as receiver:
        yield receiver


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    return Campaign(folder=tmp_path)


@watches
@pytest.mark.parametrize("point", [33, 251])
def test_p1_a_kill_at_a_system_call_loses_nothing(
    point: int, campaign: Campaign, receiver: Receiver
) -> None:
    """33 was between the first event and the first cursor, and lost that event once."""
    tally = campaign.kill_at(point, receiver)

    assert tally.violations == []
    assert tally.kills == 2
    assert tally.told["signal_closed"] > 0


@watches
def test_p1_the_judge_sees_a_planted_bug(campaign: Campaign, receiver: Receiver) -> None:
    """Killed before it has written to a file that it has emptied already, it has lost a signal."""
    harmed = replace(campaign, mutant="write_in_place")
    calls = harmed.point_trial("count", receiver).watched().calls
    writes = [
        place
        for place, call in enumerate(calls, start=1)
        if call.name == "write" and re.search(r"/(signal|schedule)_", call.path)
    ]

    assert any(harmed.kill_at(point, receiver).violations for point in writes[:6])


def test_p2_random_kills_in_a_row_lose_nothing(campaign: Campaign, receiver: Receiver) -> None:
    tally = campaign.kill_in_a_row(0, 5, receiver)

    assert tally.violations == []
    assert tally.kills == 5


@watches
@pytest.mark.parametrize("point", [120, 240])
def test_p3_a_sigterm_in_the_middle_of_a_write_ends_after_the_steps_under_way(
    point: int, campaign: Campaign, receiver: Receiver
) -> None:
    trial = campaign.point_trial("stop", receiver)
    seen: list[tuple[int, float]] = []

    ended = trial.watched(
        at=point,
        number=signal.SIGTERM,
        on_hit=lambda: seen.append((transitions_of(trial), perf_counter())),
    )
    took_s = perf_counter() - seen[0][1]
    trial.look()
    told_later = transitions_of(trial) - seen[0][0]
    trial.rest()

    assert ended.code == 0
    assert took_s < STOP_S
    # Each of the two tasks may finish the one step that it was in, and report one refusal.
    assert told_later <= 4
    assert trial.faults == []


@pytest.mark.parametrize("delay_s", [0.02, 0.5])
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_p4_a_second_signal_ends_the_process_at_once(
    second: signal.Signals, delay_s: float, campaign: Campaign, receiver: Receiver
) -> None:
    trial = campaign.point_trial("stop", receiver)
    trial.child = replace(
        trial.child, strategies=(*trial.child.strategies, Stuck), until_ms=ENDLESS_MS
    )
    process = trial.begin()
    wait_for_word(trial, "asked")

    process.terminate()
    sleep(delay_s)
    assert process.is_alive()
    assert process.pid is not None
    sent_s = perf_counter()
    signal_to(process.pid, second)
    ended = trial.end(process)
    took_s = perf_counter() - sent_s
    trial.look()

    assert ended.code == 128 + second
    assert took_s < 1.0
    assert trial.faults == []
    assert "Traceback" not in trial.child.log_path.read_text()


def transitions_of(trial: Trial) -> int:
    """Return how many writes of transitions the journal holds."""
    return sum(isinstance(item.entry, TransitionEntry) for item in trial.image().entries)


def wait_for_word(trial: Trial, word: str) -> None:
    until_s = perf_counter() + PATIENCE_S
    while not trial.child.log_path.exists() or word not in trial.child.log_path.read_text():
        assert perf_counter() < until_s, f"{word!r} was never said"
        sleep(0.02)


def signal_to(process_id: int, number: signal.Signals) -> None:

    os.kill(process_id, number)
