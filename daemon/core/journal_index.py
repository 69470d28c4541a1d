"""What the journal has already, so that a repeat after a crash is left out.

Every implementation of the journal asks this index; none has a rule of its own for repeats.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from daemon.core.records import CandleEntry, JournalEntry, TransitionEntry, TruthKind
from daemon.core.signal import Key


@dataclass(slots=True, kw_only=True)
class JournalIndex:
    """The newest number, the last sequence number of each state file, the last candle a symbol.

    `candles` holds open times (UTC epoch ms).
    """

    number: int = 0
    sequences: dict[tuple[TruthKind, Key], int] = field(default_factory=dict)
    candles: dict[str, int] = field(default_factory=dict)

    def is_known(self, entry: JournalEntry) -> bool:
        """Say whether `entry` is a repeat: a write or a candle that was journaled before."""
        match entry:
            case TransitionEntry():
                if entry.file == "":
                    return False
                return entry.seq <= self.sequences.get((entry.file, entry.key), 0)
            case CandleEntry():
                last_ms = self.candles.get(entry.symbol)
                return last_ms is not None and entry.candle.timestamp <= last_ms
            case _:
                return False

    def note(self, entry: JournalEntry, number: int) -> None:
        """Remember that `entry` stands under `number`."""
        self.number = number
        match entry:
            case TransitionEntry():
                if entry.file != "":
                    self.sequences[entry.file, entry.key] = entry.seq
            case CandleEntry():
                self.candles[entry.symbol] = entry.candle.timestamp
            case _:
                pass

    def news(self, entries: Iterable[JournalEntry]) -> list[JournalEntry]:
        """Return those of `entries` that are no repeats, not even of one another."""
        seen = JournalIndex()
        fresh: list[JournalEntry] = []
        for entry in entries:
            if self.is_known(entry) or seen.is_known(entry):
                continue
            seen.note(entry, 0)
            fresh.append(entry)
        return fresh
