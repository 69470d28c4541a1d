"""What a walk has tested so far, on disk: one that was ended in any way goes on from there."""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from pathlib import Path

from daemon.adapters.record_file import RecordFile
from daemon.app.hands import OutcomeHand, modules_of
from daemon.app.own_code import code_digest
from daemon.reports.as_json import as_json
from daemon.research.assignment import Assignment, Evaluation, Outcome, Terms
from daemon.research.pool import Hand
from daemon.research.result import BacktestResult


@dataclass(slots=True)
class WalkCheckpoint:
    """The results of a walk that is under way, by what they depend on.

    A result counts only for the same code, parameters, rules, risk limits, candles and frame.
    """

    file: Path
    terms: Terms
    fingerprint: str
    known_count: int = 0
    _records: RecordFile[BacktestResult] = field(init=False)
    _known: dict[str, BacktestResult] = field(init=False, default_factory=dict)
    _about: str = field(init=False, default="")

    def __post_init__(self) -> None:
        self._records = RecordFile(self.file, BacktestResult, as_json)

    async def open(self) -> None:
        """Read what an earlier walk has left. Raises OSError."""
        self._about = await asyncio.to_thread(about_terms, self.terms, self.fingerprint)
        self._known = await asyncio.to_thread(self._records.read)

    def helped(self, hand: OutcomeHand) -> OutcomeHand:
        """Return `hand`, which does nothing twice and keeps what it has done."""
        return Hand(partial(self._work, hand), holds=hand.holds)

    async def close(self, *, is_complete: bool) -> None:
        """Forget a walk that has come to its end. Raises OSError."""
        if is_complete:
            await asyncio.to_thread(self._records.remove)

    async def _work(self, hand: OutcomeHand, assignment: Assignment) -> Outcome:
        key = blake2b(f"{self._about} {assignment}".encode(), digest_size=16).hexdigest()
        if key in self._known:
            self.known_count += 1
            return Evaluation(result=self._known[key], slice_pnl=())
        outcome = await hand.work(assignment)
        if isinstance(outcome, Evaluation):
            await asyncio.to_thread(self._records.add, key, outcome.result)
        return outcome


def about_terms(terms: Terms, fingerprint: str) -> str:
    """Return in words what results depend on beside the assignment."""
    risks = [profile.risk_name for profile in terms.profiles]
    configured = [(name, repr(each)) for name, each in sorted(terms.configured.items())]
    params = [
        (name, sorted((key, repr(value)) for key, value in strategy.params.items()))
        for name, strategy in terms.strategies.items()
    ]
    told = (
        terms.exchange_name,
        terms.symbol,
        fingerprint,
        code_digest(modules_of(terms)),
        terms.rules,
    )
    return repr((*told, risks, configured, params))
