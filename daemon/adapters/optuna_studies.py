"""The one home of optuna: it says what to try next, and a journal file keeps every trial.

A search may be killed at any moment and goes on from its file as if nothing had happened. For
that, what is asked for next depends on the file's content alone: each trial has a seed of its own,
and is written whole or not at all.
"""

import asyncio
import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from io import BufferedRandom
from pathlib import Path
from typing import ParamSpec, TypeVar

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState, create_trial
from pydantic import TypeAdapter

from daemon.core.search import StoredTrial, StudyError, TrialRecord
from daemon.core.spaces import Choice, Float, Int, Space, Spaces

P = ParamSpec("P")
R = TypeVar("R")

# Its own lines on the terminal tell of studies in memory, too.
optuna.logging.set_verbosity(optuna.logging.WARNING)

RECORD, TEST, ABOUT = "record", "test:", "about"
HEAD = b'{"op_code"'
"""What every line of optuna's journal begins with."""
RECORDS = TypeAdapter(TrialRecord)


class Studies:
    """The studies of one search, one per window, in one file that this process alone writes."""

    def __init__(self, path: Path, spaces: Spaces, seed: int) -> None:
        self._spaces = spaces
        self._seed = seed
        self._file = _open(path)
        try:
            _mend(self._file)
            # Nobody else has the file: a lock that is there was left by a process that was killed.
            with suppress(FileNotFoundError):
                Path(f"{path}.lock").unlink()
            self._storage = JournalStorage(JournalFileBackend(str(path)))
        except (OSError, ValueError, KeyError) as error:
            self._file.close()
            raise StudyError(f"{path}: it is not the file of a search ({error})") from error
        self._path = path

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    async def study(self, name: str, number: int, about: Mapping[str, str]) -> "OptunaStudy":
        """Return the study of a window, as far as it has come.

        `about` says what its results depend on. Raises StudyError if the file's depend on else.
        """
        return await asyncio.to_thread(self._study, name, number, about)

    def _study(self, name: str, number: int, about: Mapping[str, str]) -> "OptunaStudy":
        kept = optuna.create_study(
            storage=self._storage,
            study_name=f"{name}:{number}",
            direction="maximize",
            load_if_exists=True,
        )
        before = kept.user_attrs.get(ABOUT)
        if before is None:
            kept.set_user_attr(ABOUT, dict(about))
        elif before != dict(about):
            other = ", ".join(each for each in about if before.get(each) != about[each])
            raise StudyError(
                f"{self._path} holds another search of this name: what differs is {other or 'more'}"
                " (remove the file, or name another one)"
            )
        return OptunaStudy(kept, self._spaces, f"{self._seed}:{number}")


class OptunaStudy:
    """The trials of one window."""

    def __init__(self, kept: optuna.Study, spaces: Spaces, seed: str) -> None:
        self._kept = kept
        self._seed = seed
        self._distributions = {name: _distribution(space) for name, space in spaces.items()}
        # What comes next is asked of a copy in memory: only what is whole is written.
        self._asked = optuna.create_study(direction="maximize")
        for trial in kept.get_trials(deepcopy=False):
            self._asked.add_trial(trial)

    async def trials(self) -> Sequence[StoredTrial]:
        """Return all trials that were asked for, in the order of their numbers."""
        return await asyncio.to_thread(self._trials)

    async def ask(self, number: int) -> StoredTrial:
        """Return the next trial."""
        return await asyncio.to_thread(self._ask, number)

    async def tell(self, trial: StoredTrial) -> None:
        """Keep what a trial came to."""
        await asyncio.to_thread(self._tell, trial)

    async def tests(self) -> Mapping[int, TrialRecord]:
        """Return what trials came to on the test range, by their numbers."""
        attributes = await asyncio.to_thread(lambda: self._kept.user_attrs)
        return {
            int(name.removeprefix(TEST)): RECORDS.validate_python(value)
            for name, value in attributes.items()
            if name.startswith(TEST)
        }

    async def note_test(self, number: int, record: TrialRecord) -> None:
        """Keep what a trial came to on the test range."""
        body = RECORDS.dump_python(record, mode="json")
        await asyncio.to_thread(self._kept.set_user_attr, f"{TEST}{number}", body)

    def _trials(self) -> list[StoredTrial]:
        return [_stored(trial) for trial in self._kept.get_trials(deepcopy=False)]

    def _ask(self, number: int) -> StoredTrial:
        digest = blake2b(f"{self._seed}:{number}".encode(), digest_size=4).digest()
        seed = int.from_bytes(digest, "big")
        self._asked.sampler = optuna.samplers.TPESampler(seed=seed)
        trial = self._asked.ask(self._distributions)
        assert trial.number == number, "trials are asked for in order"
        whole = create_trial(
            state=TrialState.RUNNING, params=trial.params, distributions=self._distributions
        )
        self._kept.add_trial(whole)
        return StoredTrial(number=number, params=trial.params, record=None)

    def _tell(self, trial: StoredTrial) -> None:
        assert trial.record is not None
        body = RECORDS.dump_python(trial.record, mode="json")
        storage = self._kept._storage  # noqa: SLF001 - the public way asks for the trial itself
        trial_id = storage.get_trial_id_from_study_id_trial_number(
            self._kept._study_id,  # noqa: SLF001 - as above
            trial.number,
        )
        storage.set_trial_user_attr(trial_id, RECORD, body)
        value = trial.record.value
        # One without a value says where not to look, too.
        state = TrialState.PRUNED if value is None else TrialState.COMPLETE
        for study in (self._kept, self._asked):
            study.tell(trial.number, value, state=state)


def _stored(trial: FrozenTrial) -> StoredTrial:
    body = trial.user_attrs.get(RECORD) if trial.state.is_finished() else None
    record = None if body is None else RECORDS.validate_python(body)
    return StoredTrial(number=trial.number, params=trial.params, record=record)


def _distribution(space: Space) -> BaseDistribution:
    match space:
        case Int():
            return IntDistribution(space.low, space.high, log=space.log, step=space.step)
        case Float():
            return FloatDistribution(space.low, space.high, log=space.log, step=space.step)
        case Choice():
            return CategoricalDistribution(space.values)


def _open(path: Path) -> BufferedRandom:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    except OSError as error:
        raise StudyError(f"{path}: {error.strerror}") from error
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise StudyError(f"{path} is in use by another search: wait for it, or stop it") from error
    return file


def _mend(file: BufferedRandom) -> None:
    """Cut off a last line that a killed process left unfinished; refuse what is no such file."""
    file.seek(0)
    # A file of something else must stay as it is, also one that ends without a line break.
    if not HEAD.startswith(file.read(len(HEAD))):
        raise ValueError("it begins otherwise")
    file.seek(0)
    whole = 0
    for line in file:
        if not line.endswith(b"\n"):
            break
        json.loads(line)
        whole += len(line)
    if whole < os.fstat(file.fileno()).st_size:
        file.truncate(whole)
