"""Looks at every state file of a folder and says what to believe of it. Changes nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from daemon.adapters.storage.files import PREVIOUS
from daemon.adapters.storage.markers import MARK, read_mark
from daemon.adapters.storage.names import Place, file_name, is_hashed_name, kind_of
from daemon.adapters.storage.shelf import Shelf
from daemon.adapters.storage.trust import (
    Absent,
    Refused,
    Replaced,
    Trusted,
    Verdict,
    judge,
    judge_follower,
)
from daemon.core.records import FileKind, StateFault, TruthKind
from daemon.core.signal import Key

Announced = Mapping[tuple[TruthKind, Key], int]
"""Under which number each signal and schedule file was last journaled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one file of the folder came to.

    `place` and `key` are None where nobody can say whose it is. `mark` is a fault from an earlier
    start that still waits for a person. `announced_seq` is what the journal knows.
    """

    kind: FileKind
    file: str
    place: Place | None
    key: Key | None
    verdict: Verdict
    mark: StateFault | None = None
    announced_seq: int = 0

    @property
    def seq(self) -> int:
        """Return the highest number that is known of the file."""
        match self.verdict:
            case Trusted() | Replaced():
                return max(self.verdict.version.seq, self.announced_seq)
            case Absent() | Refused():
                return self.announced_seq

    @property
    def is_truth(self) -> bool:
        """Say whether it is a signal or schedule file, which nothing else can replace."""
        return self.kind in ("signal", "schedule")

    @property
    def is_blocking(self) -> bool:
        """Say whether its key must not trade before a person has decided."""
        if self.place is None and not is_hashed_name(self.file):
            # We never write such a name: the true file of whoever it speaks of is judged itself.
            return False
        is_refused = isinstance(self.verdict, Refused)
        return self.is_truth and (is_refused or self.mark is not None)


def survey(shelf: Shelf, announced: Announced, configured: Iterable[Key]) -> list[Finding]:
    """Return what became of every record that is there or ought to be, ordered by file name.

    `configured` are keys whose records may be known to their adapters alone. Raises
    TransientError or OSError where the folder cannot be read right now.
    """
    known = {_file(kind, key): (key, seq) for (kind, key), seq in announced.items()}
    for key in configured:
        for kind in ("signal", "schedule"):
            known.setdefault(_file(kind, key), (key, 0))
    files = {*known, *_state_files(shelf)}
    return [_look(shelf, file, known.get(file)) for file in sorted(files)]


def _file(kind: TruthKind, key: Key) -> str:
    return file_name(Place(kind=kind, symbol=key.symbol, name=key.strategy_name))


def _state_files(shelf: Shelf) -> set[str]:
    bases = {name.removesuffix(MARK).removesuffix(PREVIOUS) for name in shelf.folder.names()}
    return {base for base in bases if kind_of(base) not in (None, "cursor")}


def _look(shelf: Shelf, file: str, known: tuple[Key, int] | None) -> Finding:
    kind = _file_kind(file)
    announced_seq = known[1] if known else 0
    place = shelf.find_place(file)
    if place is None and known is not None:
        place = Place(kind=kind, symbol=known[0].symbol, name=known[0].strategy_name)
    key = known[0] if known else _key(shelf, place)
    if place is None:
        verdict: Verdict = Refused(reason=_ownerless(file), cause="damaged")
    elif kind in ("risk", "partial"):
        verdict = judge_follower(shelf.read(place))
    else:
        owner = place
        verdict = judge(shelf.read(owner), lambda: shelf.read_previous(owner), announced_seq)
    return Finding(
        kind=kind,
        file=file,
        place=place,
        key=key,
        verdict=verdict,
        mark=read_mark(shelf.folder, file, kind, key),
        announced_seq=announced_seq,
    )


def _key(shelf: Shelf, place: Place | None) -> Key | None:
    if place is None or place.kind not in ("signal", "schedule"):
        return None
    exchange = shelf.identity.exchange
    return Key(exchange_name=exchange, symbol=place.symbol, strategy_name=place.name)


def _ownerless(file: str) -> str:
    if is_hashed_name(file):
        return "it is damaged, and its name was too long to say whose it is"
    return "tickd gives no file such a name"


def _file_kind(file: str) -> FileKind:
    kind = kind_of(file)
    assert kind is not None
    assert kind != "cursor"
    return kind
