"""`tickd lookahead`: run a strategy in worlds with another future, and name what it knew of it."""

import json
import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, assert_never

from daemon.app.cli.backtest_data import DataError
from daemon.app.cli.lookahead_data import Subject, changed_text
from daemon.app.cli.lookahead_world import Outcome, World, data_path, live_through
from daemon.app.cli.terminal import Terminal
from daemon.core.candles import DAY_MS
from daemon.core.errors import TickdError
from daemon.core.wording import count_text
from daemon.research.columns import moment_text
from daemon.research.lookahead import Change, changed_after, cuts_of, first_change

Verdict = Literal["honest", "looks ahead", "not repeatable", "remembers", "reads the data"]

CLOCK_SHIFT_S = 40 * DAY_MS / 1000 + 12_345.0
"""How far ahead the wall clock of the second world is: another month, day and hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the search came to.

    `change` is the first decision that was not the same. In "looks ahead", `after_ms` is the
    moment (UTC epoch ms) after which the market was changed. `touched` names what the strategy
    asked for outside of its view.
    """

    verdict: Verdict
    decision_count: int
    signal_count: int
    failure_count: int
    cuts_ms: tuple[int, ...]
    change: Change | None = None
    after_ms: int | None = None
    touched: tuple[str, ...] = ()

    @property
    def is_honest(self) -> bool:
        """Say whether nothing was found."""
        return self.verdict == "honest"


def search(terminal: Terminal, subject: Subject, cut_count: int, *, as_json: bool) -> bool:
    """Search, print what was found, and return whether the strategy is honest.

    Raises DataError where it cannot run.
    """
    finding = find_lookahead(subject, cut_count, terminal)
    if as_json:
        told = {
            "strategy": subject.reference,
            "symbol": subject.key.symbol,
            "data": subject.source,
            "start_ms": subject.minutes.start_ms,
            "end_ms": subject.minutes.end_ms,
            "is_honest": finding.is_honest,
            **asdict(finding),
        }
        terminal.say(json.dumps(told, indent=2))
    else:
        for line in _lines(finding, subject):
            terminal.say(line)
    return finding.is_honest


def find_lookahead(subject: Subject, cut_count: int, terminal: Terminal) -> Finding:
    """Return what a strategy knows that it should not. Raises DataError if it cannot run."""
    with TemporaryDirectory(prefix="tickd-lookahead-") as folder, _bar(cut_count) as advance:
        same = _world(subject, subject.minutes.end_ms)
        shifted = replace(same, clock_shift_s=CLOCK_SHIFT_S)
        plain, again = _outcomes([same, shifted], advance)
        if plain.fault:
            raise DataError(plain.fault)
        if not plain.first:
            raise DataError(
                f"{subject.reference}: it was never asked, no moment had all the candles that it "
                "declares before it: take more of them (--days, or a longer file)"
            )
        if all(one.is_failure for one in plain.first):
            raise DataError(
                f"{subject.reference}: nothing can be told of it, it fails at every moment "
                f"({plain.first[0].answer}): tickd backtest says where"
            )
        facts = _Facts(plain)
        if not any(one.is_signal for one in plain.first):
            terminal.note("it made no signal on these candles: little can be told from silence")
        # Chance tells the two runs of one world apart, too: it is no memory.
        change = first_change(plain.first, again.first, same.until_ms)
        if change is not None:
            return facts.finding("not repeatable", change)
        change = first_change(plain.first, plain.second, same.until_ms)
        if change is not None:
            return facts.finding("remembers", change)
        facts.cuts_ms = tuple(
            cut for cut in cuts_of(plain.first, cut_count) if cut < same.minutes.end_ms
        )
        worlds = [
            _changed(subject, cut, number, Path(folder)) for number, cut in enumerate(facts.cuts_ms)
        ]
        return facts.judge(_outcomes(worlds, advance))


@dataclass(slots=True)
class _Facts:
    """What is known so far: the plain run, and where the future is changed."""

    plain: Outcome
    cuts_ms: tuple[int, ...] = ()
    touched: dict[str, None] = field(default_factory=dict)

    def judge(self, outcomes: Sequence[Outcome]) -> Finding:
        """Return the first decision that any other future changed."""
        found: list[tuple[Change, int]] = []
        for cut_ms, outcome in zip(self.cuts_ms, outcomes, strict=True):
            if outcome.fault:
                raise DataError(outcome.fault)
            for before, after in (
                (self.plain.first, outcome.first),
                (self.plain.second, outcome.second),
            ):
                change = first_change(before, after, cut_ms)
                if change is not None:
                    found.append((change, cut_ms))
        if found:
            change, cut_ms = min(found, key=lambda one: (one[0].at_ms, one[1]))
            return self.finding("looks ahead", change, cut_ms)
        if self.plain.has_opened_data:
            return self.finding("reads the data")
        return self.finding("honest")

    def finding(
        self, verdict: Verdict, change: Change | None = None, after_ms: int | None = None
    ) -> Finding:
        """Return what was found, with all that is known."""
        return Finding(
            verdict=verdict,
            decision_count=len(self.plain.first),
            signal_count=sum(one.is_signal for one in self.plain.first),
            failure_count=sum(one.is_failure for one in self.plain.first),
            cuts_ms=self.cuts_ms,
            change=change,
            after_ms=after_ms,
            touched=self.plain.touched,
        )


_Reader = Connection
_Writer = Connection


# -- Worlds ----------------------------------------------------------------------------------------


def _world(subject: Subject, until_ms: int) -> World:
    return World(
        reference=subject.reference,
        key=subject.key,
        params=subject.params,
        interval=subject.interval,
        rules=subject.rules,
        minutes=subject.minutes,
        until_ms=until_ms,
        file="" if subject.file is None else data_path(subject.file),
    )


def _changed(subject: Subject, cut_ms: int, number: int, folder: Path) -> World:
    """Return the world that is the same up to `cut_ms`, every second time going up after it."""
    minutes = changed_after(subject.minutes, cut_ms, is_up=number % 2 == 0)
    world = replace(_world(subject, cut_ms), minutes=minutes)
    if subject.file is None:
        return world
    text = changed_text(subject.file, minutes)
    if text is None:
        return world
    other = folder / f"{number}-{subject.file.name}"
    other.write_text(text, encoding="utf-8")
    return replace(world, other_file=str(other))


def _outcomes(worlds: Sequence[World], advance: "_Advance") -> list[Outcome]:
    """Return what came of each world, each in a fresh process, as many at once as there are cores.

    Raises TickdError if a process dies.
    """
    # A server that has imported tickd, and no strategy, gives each world a process in a moment.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_inhabit.__module__])
    outcomes: dict[int, Outcome] = {}
    waiting = list(enumerate(worlds))[::-1]
    running: dict[_Reader, tuple[int, BaseProcess]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 1):
                number, world = waiting.pop()
                reader, writer = context.Pipe(duplex=False)
                started = context.Process(target=_inhabit, args=(world, writer), daemon=True)
                started.start()
                writer.close()
                running[reader] = (number, started)
            for reader in [reader for reader in running if reader in wait(running)]:
                number, process = running.pop(reader)
                outcomes[number] = _received(reader, process)
                advance()
    finally:
        for _, left in running.values():
            left.terminate()
    return [outcomes[number] for number in range(len(worlds))]


def _received(reader: _Reader, process: BaseProcess) -> Outcome:
    try:
        outcome = reader.recv()
    except EOFError:
        process.join()
        raise TickdError(
            f"the strategy ended its process with the exit code {process.exitcode}"
        ) from None
    finally:
        reader.close()
    process.join()
    assert isinstance(outcome, Outcome)
    return outcome


def _inhabit(world: World, writer: _Writer) -> None:
    """Live through `world` in this process and send what came of it."""
    # What a strategy prints is not what this command says, and would be said in every world.
    with Path(os.devnull).open("w") as nowhere:
        sys.stdout = nowhere
        writer.send(live_through(world))
    writer.close()


# -- What people see -------------------------------------------------------------------------------


class _Advance:
    """Called for each world that is over."""

    def __call__(self) -> None:
        """Do nothing: nobody watches."""


@contextmanager
def _bar(cut_count: int) -> Iterator[_Advance]:
    """Show on a screen how far the search has come; elsewhere show nothing."""
    if not sys.stderr.isatty():
        yield _Advance()
        return
    from rich.console import Console  # noqa: PLC0415 - only where somebody watches
    from rich.progress import Progress  # noqa: PLC0415 - as above

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("other futures", total=cut_count + 2)

        class Bar(_Advance):
            """Moves the bar on the screen."""

            def __call__(self) -> None:
                progress.advance(task)

        yield Bar()


def _lines(finding: Finding, subject: Subject) -> Iterator[str]:
    minutes, change = subject.minutes, finding.change
    decisions = count_text(finding.decision_count, "decision")
    yield (
        f"{subject.reference} on {subject.key.symbol}, {count_text(len(minutes), 'minute')} of "
        f"{subject.source} from {moment_text(minutes.start_ms)}: "
        f"{decisions}, {finding.signal_count:,} of them signals"
    )
    yield _verdict_line(finding)
    if change is not None:
        yield f"      first at {moment_text(change.at_ms)}"
        yield f"      before: {change.before}"
        yield f"      after:  {change.after}"
    if minutes.filled_count:
        missing = count_text(minutes.filled_count, "missing minute")
        yield f"note  the candles lack some: flat ones stand for {missing}"
    if finding.failure_count:
        failed = count_text(finding.failure_count, "decision")
        yield f"note  {failed} failed with an error or an answer that is no signal"
    for what in finding.touched:
        yield f"note  outside of its view it asked for: {what}"


def _verdict_line(finding: Finding) -> str:
    match finding.verdict:
        case "honest":
            return (
                f"ok    after {count_text(len(finding.cuts_ms), 'moment')} the future was changed,"
                " and no decision before it was another"
            )
        case "looks ahead":
            assert finding.after_ms is not None, "a look ahead has a moment"
            return (
                "fail  it looks ahead: the market was changed after "
                f"{moment_text(finding.after_ms)}, and a decision before it is another"
            )
        case "not repeatable":
            return (
                "fail  it is not repeatable: on the same candles, at another time of the wall"
                " clock, it decides otherwise (chance, the clock, or the order of a set)"
            )
        case "remembers":
            return (
                "fail  it remembers: in one process its second run on the same candles decides"
                " otherwise than its first (something outlives the instance)"
            )
        case "reads the data":
            return (
                "fail  it opens the file of the candles by itself, where the future stands; no"
                " decision was another yet"
            )
        case _:
            assert_never(finding.verdict)
