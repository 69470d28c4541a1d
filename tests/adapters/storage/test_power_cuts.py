"""Power cuts and failing calls at random places: old or new, never torn, and no person needed.

One round plays the daemon's own order: save, then journal, then tell. After each power cut the
folder is opened again by the same code as always.
"""

import random  # noqa: TID251 (seeded)
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.adapters.storage.codec import place_of
from daemon.adapters.storage.files import sweep
from daemon.adapters.storage.journal_log import JournalLog
from daemon.adapters.storage.lines import decode_entry, encode_entry
from daemon.adapters.storage.loading import Loaded, load_folder
from daemon.adapters.storage.names import file_name
from daemon.adapters.storage.persist import AdapterCalls, PersistClasses
from daemon.adapters.storage.segments import list_segments, read_entries
from daemon.adapters.storage.shelf import Shelf
from daemon.core.errors import FatalError, TransientError
from daemon.core.records import SignalRecord
from daemon.core.signal import Key
from tests.adapters.storage.lossy_disk import LossyFolder, PowerCut, Weather
from tests.adapters.storage.samples import NOW_MS, SANDBOX, a_key, a_write, an_active

KEYS = (a_key(), a_key("ETH/USDT"))
BOOTS = 4


@dataclass
class History:
    """What the daemon was told is safe, and what it tried since."""

    saved: dict[Key, int] = field(default_factory=dict)
    tried: dict[Key, list[int]] = field(default_factory=dict)
    told: list[tuple[Key, int]] = field(default_factory=list)
    versions: int = 0


@dataclass
class Machine:
    """One computer over several boots."""

    weather: Weather
    state: LossyFolder
    journal: LossyFolder
    history: History = field(default_factory=History)

    def boot(self) -> tuple[Shelf, JournalLog, Loaded]:
        sweep(self.state)
        shelf = Shelf(self.state, SANDBOX, PersistClasses(), AdapterCalls())
        log = JournalLog(self.journal, segment_bytes_max=3_000)
        log.open(0, NOW_MS)
        return shelf, log, load_folder(shelf, log.index.sequences, (), NOW_MS)

    def check(self, log: JournalLog, loaded: Loaded) -> None:
        history = self.history
        versions = {record.key: version_of(record) for record in loaded.signals}
        for fault in loaded.faults:
            assert not fault.is_blocking, fault
        for key in KEYS:
            allowed = {history.saved.get(key, 0), *history.tried.get(key, [])}
            assert versions.get(key, 0) in allowed, (key, versions, history)
            history.saved[key] = versions.get(key, 0)
            history.tried[key] = []
        entries = read_journal(self.journal)
        assert [number for number, _, _ in entries] == list(range(1, len(entries) + 1))
        found = [(key, seq) for _, key, seq in entries]
        assert [item for item in found if item in history.told] == history.told
        history.told = found

    def work(self, shelf: Shelf, log: JournalLog, loaded: Loaded, steps: int) -> None:
        for _ in range(steps):
            key = self.weather.rng.choice(KEYS)
            self.history.versions += 1
            record = an_active(key, self.history.versions)
            seq = self.save(shelf, loaded, record)
            if seq is not None:
                self.tell(log, key, seq)

    def save(self, shelf: Shelf, loaded: Loaded, record: SignalRecord) -> int | None:
        """Save with one retry, as the driver does with the same step."""
        key, place = record.key, place_of(record)
        for _ in range(2):
            seq = loaded.sequences.get(file_name(place), 0) + 1
            loaded.sequences[file_name(place)] = seq
            self.history.tried.setdefault(key, []).append(version_of(record))
            try:
                shelf.write(place, record, seq)
            except TransientError:
                continue
            self.history.saved[key] = version_of(record)
            self.history.tried[key] = []
            return seq
        return None

    def tell(self, log: JournalLog, key: Key, seq: int) -> None:
        entry = a_write(seq, key=key)
        for _ in range(2):
            try:
                log.append([(entry, encode_entry(entry))])
            except TransientError:
                continue
            self.history.told.append((key, seq))
            return


def version_of(record: SignalRecord) -> int:
    return int(record.last_signal_id, 16)


def read_journal(folder: LossyFolder) -> list[tuple[int, Key, int]]:
    segments = list_segments(folder)
    found = []
    for segment in segments:
        for numbered, _ in read_entries(folder, segments, segment, 0):
            entry = decode_entry(numbered.payload)
            assert entry is not None
            assert entry.kind == "transition"
            found.append((numbered.number, entry.key, entry.seq))
    return found


def live_through(seed: int, *, error_rate: float, skipped: tuple[str, ...] = ()) -> int:
    """Run a machine over some boots; return how many calls it made."""
    rng = random.Random(seed)
    weather = Weather(rng=rng, skipped=skipped)
    machine = Machine(weather, LossyFolder(weather), LossyFolder(weather))
    calls = 0
    for _ in range(BOOTS):
        weather.cut_at, weather.error_rate, weather.calls = 0, 0.0, 0
        shelf, log, loaded = machine.boot()
        machine.check(log, loaded)
        weather.cut_at, weather.error_rate = weather.calls + rng.randint(1, 150), error_rate
        with suppress(PowerCut):
            machine.work(shelf, log, loaded, 8)
        calls += weather.calls
        # A second cut may come while the first one's traces are mended.
        for _ in range(rng.randint(0, 2)):
            machine = after_power_cut(machine, cut_at=rng.randint(1, 60))
            weather = machine.weather
            with suppress(PowerCut, FatalError, TransientError):
                machine.boot()
        machine = after_power_cut(machine, cut_at=0)
        weather = machine.weather
    return calls


def after_power_cut(machine: Machine, cut_at: int) -> Machine:
    weather = Weather(rng=machine.weather.rng, cut_at=cut_at, skipped=machine.weather.skipped)
    return Machine(
        weather,
        machine.state.after_power_cut(weather),
        machine.journal.after_power_cut(weather),
        machine.history,
    )


@given(st.integers(0, 2**32))
def test_d4_d5_a_power_cut_leaves_the_old_or_the_new_and_nobody_blocked(seed: int) -> None:
    live_through(seed, error_rate=0.0)


@given(st.integers(0, 2**32))
def test_d1_d2_d3_failing_calls_and_power_cuts_lose_nothing_that_was_acknowledged(
    seed: int,
) -> None:
    live_through(seed, error_rate=0.05)


@pytest.mark.parametrize("skipped", ["sync", "sync_folder"])
def test_a_forgotten_sync_would_be_found(skipped: str) -> None:
    """The simulated disk is only worth something if it finds the bugs that it is for."""
    found = 0
    for seed in range(40):
        try:
            live_through(seed, error_rate=0.0, skipped=(skipped,))
        except AssertionError:
            found += 1

    assert found > 0
