"""Lanes of alerts: the grave ones never wait for the others, and what piles up is summed up."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daemon.core.alerts import LEVELS, AlertFilter, level_of
from daemon.core.errors import FatalError, RateLimitedError, RejectedError, TransientError
from daemon.core.events import Transition
from daemon.core.records import Journaled, JournalEntry, TransitionEntry
from daemon.live.alert_lane import AlertLane, MessengerPreferences
from daemon.live.alerts import AlertLimits
from daemon.ports import Message, Progress
from daemon.simulation.loop import run_virtual
from tests.core.some_events import (
    a_closed,
    a_profit_level,
    a_refusal,
    an_error,
    an_exit,
    an_opened,
    every_transition,
)
from tests.live.alert_stage import Desk, a_candle, a_transition, running

LIMITS = AlertLimits(backoff_s=(1.0, 5.0, 600.0), quiet_s=600.0)


@dataclass
class Person:
    """A messenger that raises what it is told to, None for nothing, at a pace of its own."""

    raises: list[Exception | None] = field(default_factory=list)
    heard: list[Message] = field(default_factory=list)
    pace_s: float = 0.0
    fails: Callable[[], Exception | None] = lambda: None
    tries: int = 0
    _last_s: float = -1e9

    async def send(self, message: Message) -> None:
        now_s = asyncio.get_running_loop().time()
        self.tries += 1
        if now_s < self._last_s + self.pace_s:
            raise RateLimitedError("pace", self._last_s + self.pace_s - now_s)
        if self.raises and (planned := self.raises.pop(0)) is not None:
            raise planned
        if (error := self.fails()) is not None:
            raise error
        self._last_s = now_s
        self.heard.append(message)

    @property
    def titles(self) -> list[str]:
        return [message.words.title for message in self.heard]


def entries(*events: Transition) -> list[Journaled]:
    return [
        Journaled(number=number, entry=a_transition(event))
        for number, event in enumerate(events, start=1)
    ]


def lanes(
    person: Person, preferences: MessengerPreferences | None = None
) -> tuple[AlertLane, AlertLane]:
    preferences = preferences or MessengerPreferences()
    return (
        AlertLane("phone_critical", person, preferences, is_urgent=True),
        AlertLane("phone", person, preferences, is_urgent=False),
    )


async def test_each_alert_belongs_to_exactly_one_lane() -> None:
    urgent, other = lanes(Person())
    for entry, event in zip(entries(*every_transition()), every_transition(), strict=True):
        assert urgent.wants(entry) == (level_of(event) == "critical")
        assert other.wants(entry) != urgent.wants(entry)


async def test_alerts_come_one_by_one_while_it_keeps_up() -> None:
    person = Person()
    _, lane = lanes(person)

    assert await lane.deliver(entries(an_opened(), a_closed()), 0) is None

    assert person.titles == [
        "🔵 BTC/USDT breakout: long opened at 100",
        "✅ BTC/USDT breakout: long took its profit, +0.50 % after costs",
    ]


async def test_what_is_not_wanted_is_not_told() -> None:
    person = Person()
    wanted = AlertFilter(level="notice", strategies=frozenset({"other"}))
    _, lane = lanes(person, MessengerPreferences(wanted=wanted))
    batch = entries(an_opened(), a_profit_level())

    await lane.deliver(batch, 0)

    assert person.heard == []
    assert not any(map(lane.wants, batch))


async def test_only_what_matters_makes_a_sound() -> None:
    person = Person()
    _, lane = lanes(person)

    await lane.deliver(entries(an_opened(), a_profit_level(), an_error()), 0)

    assert [message.is_silent for message in person.heard] == [False, True, False]


async def test_s1_its_turn_is_waited_for_without_an_alarm() -> None:
    person = Person(raises=[RateLimitedError("wait", 7.0)])
    _, lane = lanes(person)
    batch = entries(an_opened(), a_closed())

    waits = await lane.deliver(batch, 0)
    done = await lane.deliver(batch, 0)

    assert waits == Progress(number=0, wait_s=7.0)
    assert done is None
    assert len(person.heard) == 2


async def test_s1_a_long_wait_is_an_outage() -> None:
    _, lane = lanes(Person(raises=[RateLimitedError("wait", 3600.0)]))

    with pytest.raises(RateLimitedError):
        await lane.deliver(entries(an_opened()), 0)


async def test_s1_what_has_piled_up_is_one_message() -> None:
    person = Person()
    _, lane = lanes(person, MessengerPreferences(digest_over=3))
    batch = entries(a_closed(), a_closed(pnl_percent=-1.0), an_opened(), a_refusal())

    held = await lane.deliver(batch[:], 4)
    more = await lane.deliver([replace(entry, number=entry.number + 4) for entry in batch[:2]], 0)

    assert held == Progress(number=0, is_held=True)
    assert more is None
    (message,) = person.heard
    assert message.words.title == "📋 6 alerts that you have not seen"
    assert message.words.lines[1:4] == (
        "positions opened: 1",
        "positions closed: 4, 2 won, -1.00 % added up",
        "refusals by risk: 1",
    )


async def test_s1_a_digest_that_fails_counts_nothing_twice() -> None:
    person = Person(raises=[TransientError("away")])
    _, lane = lanes(person, MessengerPreferences(digest_over=1))
    batch = entries(a_closed(), a_closed())

    with pytest.raises(TransientError):
        await lane.deliver(batch, 0)
    await lane.deliver(batch, 0)

    assert person.titles == ["📋 2 alerts that you have not seen"]


async def test_s1_a_digest_that_is_refused_comes_one_by_one() -> None:
    person = Person(raises=[RejectedError("no")])
    _, lane = lanes(person, MessengerPreferences(digest_over=1))
    batch = entries(a_closed(), an_opened())

    with pytest.raises(RejectedError):
        await lane.deliver(batch, 0)
    for entry in batch:
        await lane.deliver([entry], 0)

    assert len(person.heard) == 2


async def test_quiet_hours_hold_all_but_what_is_critical() -> None:
    person, quiet_s = Person(), [1e5]
    urgent, lane = lanes(person, MessengerPreferences(quiet_s=lambda: quiet_s[0]))
    grave, usual = entries(an_exit()), entries(an_opened(), a_closed())

    await urgent.deliver(grave, 0)
    held = await lane.deliver(usual, 0)
    quiet_s[0] = 0.0
    await lane.deliver(usual, 0)
    await lane.deliver([replace(usual[0], number=9)], 0)

    assert held == Progress(number=0, wait_s=600.0)
    assert person.titles[0].startswith("🚨")
    assert person.titles[1] == "📋 2 alerts that you have not seen"
    assert person.titles[2].startswith("🔵")


def a_flood(count: int) -> list[JournalEntry]:
    """Return a day in which every tenth alert is critical, between candles."""
    told: list[JournalEntry] = []
    for number in range(count):
        event: Transition = an_opened(event_id=f"o{number}")
        if number % 10 == 0:
            event = an_error(event_id=f"c{number}", where="state", message=f"grave {number}")
        told += [a_transition(event), a_candle()]
    return told


def test_s1_s2_dead_for_a_day_nothing_critical_is_lost() -> None:
    """The messenger answers nothing for 24 hours: by the end each critical alert came once."""

    async def day() -> tuple[Person, Desk]:
        is_dead = [True]
        person = Person(pace_s=1.0, fails=lambda: TransientError("down") if is_dead[0] else None)
        desk = Desk()
        urgent, other = (desk.pump(lane, LIMITS) for lane in lanes(person))
        await urgent.open()
        await other.open()
        async with running(urgent), running(other):
            for _ in range(24):
                await desk.journal.append(a_flood(100))
                await asyncio.sleep(3600)
            is_dead[0] = False
            await asyncio.sleep(1800)
            assert (urgent.status.queued, other.status.queued) == (0, 0)
        return person, desk

    person, desk = run_virtual(day())

    grave = [message for message in person.heard if message.is_urgent]
    digests = [title for title in person.titles if title.startswith("📋")]
    assert len(grave) == 240
    assert len({message.words.text for message in grave}) == 240
    # The rest, 2,160 openings and what was reported of the outage, is one message or two.
    assert len(digests) in {1, 2}
    assert desk.cursors.saved == {
        "phone_critical": len(desk.journal.entries),
        "phone": len(desk.journal.entries),
    }


def test_s1_hours_of_429_lose_nothing_and_it_is_asked_seldom() -> None:
    async def day() -> Person:
        is_flooded = [True]
        person = Person(fails=lambda: RateLimitedError("429", 30.0) if is_flooded[0] else None)
        desk = Desk()
        urgent, _ = lanes(person)
        pump = desk.pump(urgent, LIMITS)
        await pump.open()
        await desk.journal.append(a_flood(40))
        async with running(pump):
            await asyncio.sleep(14_400)
            assert person.tries <= 14_400 / 30 + 2
            is_flooded[0] = False
            await asyncio.sleep(60)
        return person

    assert len(run_virtual(day()).heard) == 4


@settings(max_examples=20)
@given(
    st.lists(
        st.sampled_from(
            [
                TransientError("no line"),
                RateLimitedError("pace", 0.5),
                RateLimitedError("flood", 1000.0),
                ConnectionError("foreign"),
                None,
            ]
        ),
        max_size=20,
    ),
    st.lists(st.booleans(), min_size=1, max_size=30),
    st.integers(1, 12),
)
@example([None, TransientError("in the middle")], [True, True, True], 10)
def test_s2_whatever_fails_each_critical_alert_comes_once_and_in_order(
    raises: list[Exception | None], kinds: Sequence[bool], digest_over: int
) -> None:
    async def play() -> tuple[list[str], list[str]]:
        person, desk = Person(raises=list(raises)), Desk()
        pumps = [
            desk.pump(lane, replace(LIMITS, batch_max=5))
            for lane in lanes(person, MessengerPreferences(digest_over=digest_over))
        ]
        for pump in pumps:
            await pump.open()
        events = [
            an_exit(event_id=f"x{n}", message=f"m{n}") if grave else an_opened(event_id=f"o{n}")
            for n, grave in enumerate(kinds)
        ]
        await desk.journal.append([a_transition(event) for event in events])
        async with running(pumps[0]), running(pumps[1]):
            await asyncio.sleep(20_000)
        told = [message.words.lines[0] for message in person.heard if message.is_urgent]
        wanted = [f"FatalError: m{n}" for n, grave in enumerate(kinds) if grave]
        return told, wanted

    told, wanted = run_virtual(play())

    assert told == wanted


def test_s4_a_blocked_bot_is_switched_off_and_told_elsewhere() -> None:
    async def play() -> Desk:
        desk = Desk()
        urgent, _ = lanes(Person(raises=[FatalError("the bot was blocked by the user")]))
        pump = desk.pump(urgent, LIMITS)
        await pump.open()
        await desk.journal.append([a_transition(an_exit())])
        async with running(pump):
            await asyncio.sleep(10)
        return desk

    (report,) = run_virtual(play()).reports
    assert "phone_critical is switched off" in report
    assert "blocked" in report


def test_a_stop_does_not_wait_for_the_end_of_quiet_hours() -> None:
    async def play() -> float:
        desk = Desk()
        _, lane = lanes(Person(), MessengerPreferences(quiet_s=lambda: 30_000.0))
        pump = desk.pump(lane, LIMITS)
        await pump.open()
        await desk.journal.append([a_transition(an_opened())])
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(pump.run())
            await asyncio.sleep(100)
            started_s = loop.time()
            assert await pump.drain(10.0) == 1
            await task
        return loop.time() - started_s

    assert run_virtual(play()) < 1.0


def test_levels_are_in_order() -> None:
    assert LEVELS == ("info", "notice", "warning", "critical")
    assert isinstance(a_transition(), TransitionEntry)
