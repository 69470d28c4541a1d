"""Many trials side by side: a kill at every system call, and kills at random times."""

import multiprocessing
import random  # noqa: TID251 (seeded)
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from daemon.core.candles import MINUTE_MS
from tests.crash.child import Child
from tests.crash.receiver import Receiver
from tests.crash.script import START_MS, SYMBOLS
from tests.crash.trial import Trial

POINT_MINUTES = 6
"""So many market minutes are enough for a schedule, an open, levels, a close and a cancel."""

START_CALLS = 110
"""A start makes about so many calls before its first tick: a second kill lands among them."""

RANDOM_KILL_S_MAX = 0.8
KILLS_IN_A_ROW = 25
"""So many random kills hit one folder before it may come to rest."""

ENDLESS_MS = 10**15


@dataclass(slots=True, kw_only=True)
class Tally:
    """What came of trials. A violation names the trial that shows it again."""

    points: int = 0
    kills: int = 0
    told: Counter[str] = field(default_factory=Counter)
    hits: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Take in what came of others."""
        self.points += other.points
        self.kills += other.kills
        self.told += other.told
        self.hits += other.hits
        self.violations += other.violations


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """Where the trials live, the seed of everything random, and the bug that is planted."""

    folder: Path
    seed: int = 0
    mutant: str = ""

    def count_points(self, receiver: Receiver) -> int:
        """Return how many calls touch the state folder while nothing is killed."""
        return len(self.point_trial("count", receiver).watched().calls)

    def kill_at(self, point: int, receiver: Receiver) -> Tally:
        """Kill at the call `point`; kill the next start at any call; judge the third."""
        tally = Tally()
        trial = self.point_trial(f"point-{point}", receiver)
        ended = trial.watched(at=point)
        if trial.note_kill(ended):
            tally.points += 1
            tally.hits[ended.calls[-1].name] += 1
            second = random.Random(f"{self.seed} {point}").randint(1, START_CALLS)
            trial.note_kill(trial.watched(at=second))
        trial.rest()
        return _with(trial, tally)

    def kill_in_a_row(self, place: int, kills: int, receiver: Receiver) -> Tally:
        """Kill `kills` times at random moments on one folder, then let it come to rest."""
        rng = random.Random(f"{self.seed} row {place}")
        trial = self._trial(f"row-{place}", SYMBOLS, ENDLESS_MS, receiver)
        for _ in range(kills):
            trial.note_kill(trial.run(kill_after_s=rng.uniform(0.0, RANDOM_KILL_S_MAX)))
        trial.retire()
        trial.rest()
        return _with(trial, Tally())

    def point_trial(self, name: str, receiver: Receiver) -> Trial:
        """Return a new folder, for a daemon on one symbol that comes to an end by itself."""
        until_ms = START_MS + POINT_MINUTES * MINUTE_MS
        return self._trial(name, SYMBOLS[:1], until_ms, receiver)

    def _trial(
        self, name: str, symbols: tuple[str, ...], until_ms: int, receiver: Receiver
    ) -> Trial:
        home = self.folder / name
        home.mkdir()
        child = Child(
            home=home,
            url=receiver.url(name),
            until_ms=until_ms,
            symbols=symbols,
            mutant=self.mutant,
        )
        return Trial(child=child, receiver=receiver, name=name)


Work = Callable[[Receiver], Tally]


class Squad:
    """Processes that do trials, each with a receiver of its own."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def kill_at(self, campaign: Campaign, points: list[int]) -> Tally:
        """Kill at each of `points`, counted in calls."""
        return self._all([partial(campaign.kill_at, point) for point in points])

    def kill_at_random(self, campaign: Campaign, kills: int) -> Tally:
        """Kill `kills` times, some in a row on one folder."""
        rows = [min(KILLS_IN_A_ROW, kills - done) for done in range(0, kills, KILLS_IN_A_ROW)]
        return self._all(
            [partial(campaign.kill_in_a_row, place, row) for place, row in enumerate(rows)]
        )

    def _all(self, work: list[Work]) -> Tally:
        tally = Tally()
        for done in self._pool.map(_do, work):
            tally.add(done)
        return tally


@contextmanager
def squad(jobs: int, folder: Path) -> Iterator[Squad]:
    """Have `jobs` processes meanwhile; their receivers note what arrives in `folder`."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _enlist, (folder,)) as pool:
        yield Squad(pool)


_RECEIVERS: list[Receiver] = []
"""The one of this process."""


def _enlist(folder: Path) -> None:
    process = multiprocessing.current_process()
    receiver = Receiver(folder / f"received-{process.pid}")
    receiver.start()
    _RECEIVERS.append(receiver)


def _do(work: Work) -> Tally:
    return work(_RECEIVERS[0])


def _with(trial: Trial, tally: Tally) -> Tally:
    tally.kills = trial.kills
    tally.told.update(told.name for told in trial.told)
    tally.violations = [f"{trial.name}: {fault}" for fault in trial.faults]
    trial.receiver.forget(trial.name)
    return tally
