"""What the journal tells of a signal, put together again."""

from daemon.core.events import (
    PartialLossContract,
    PartialProfitContract,
    RiskContract,
    SignalCancelled,
    Transition,
)
from daemon.core.records import Journaled
from daemon.core.stories import Story, gather_stories, row_told_by
from tests.adapters.storage.samples import KEY, a_candle, a_closed, a_row, a_write, an_opened


def a_story(*events: Transition) -> Story:
    entries = [
        Journaled(number=number, entry=a_write(number, event))
        for number, event in enumerate(events, 1)
    ]
    (story,) = gather_stories(entries).values()
    return story


def a_level(level: int) -> PartialProfitContract:
    row = an_opened().signal
    return PartialProfitContract(
        id=f"{row.id}-profit-{level}",
        key=KEY,
        data=row,
        current_price=102.0,
        level=level,
        revenue_percent=float(level),
        progress_percent=float(level),
        price_percent=1.0,
        at_ms=2,
    )


def a_cancel() -> SignalCancelled:
    row = a_row()
    return SignalCancelled(
        id=f"{row.id}-cancelled",
        key=KEY,
        signal=row,
        current_price=101.0,
        reason="timeout",
        close_timestamp=7,
        at_ms=7,
    )


def a_refusal() -> RiskContract:
    return RiskContract(
        id="r",
        key=KEY,
        pending_signal=a_row(),
        risk_name="main",
        current_price=101.0,
        active_position_count=1,
        comment="too many",
        note="",
        at_ms=5,
    )


def test_a_story_goes_from_the_opening_to_the_close() -> None:
    story = a_story(an_opened(), a_level(10), a_closed())

    assert story.standing == "closed"
    assert [told.number for told in story.told] == [1, 2, 3]
    assert [level.level for level in story.levels] == [10]
    assert story.ended_ms == a_closed().at_ms
    assert story.told[0].seen is not None


def test_what_has_not_ended_says_so() -> None:
    assert a_story(an_opened()).standing == "open"
    assert a_story(an_opened()).ended_ms is None
    assert a_story(a_cancel()).standing == "cancelled"
    assert a_story(a_cancel()).ended_ms == 7
    assert a_story(a_refusal()).standing == "refused"
    assert a_story(a_refusal()).ended_ms == 5


def test_a_repeat_after_a_crash_is_no_news() -> None:
    assert len(a_story(an_opened(), an_opened(), a_closed()).told) == 2


def test_signals_are_kept_apart_and_candles_belong_to_none() -> None:
    entries = [
        Journaled(number=1, entry=a_write(1, an_opened(number=1), an_opened(number=2))),
        Journaled(number=2, entry=a_candle(1)),
    ]

    stories = gather_stories(entries)

    assert [len(story.told) for story in stories.values()] == [1, 1]
    assert list(stories) == [a_row(number=1).id, a_row(number=2).id]


def test_a_loss_level_is_about_the_signal_it_names() -> None:
    row = an_opened().signal
    loss = PartialLossContract(
        id="l",
        key=KEY,
        data=row,
        current_price=99.0,
        level=10,
        loss_percent=-10.0,
        progress_percent=-10.0,
        price_percent=-1.0,
        at_ms=3,
    )

    assert row_told_by(loss) is row
