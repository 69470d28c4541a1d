"""Emitters and their listeners: who wants to hear what. Delivery is the driver's business."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from types import CoroutineType
from typing import Generic, TypeVar, assert_never

from daemon.core.events import (
    Announcement,
    DoneContract,
    ErrorContract,
    ExitContract,
    PartialLossContract,
    PartialProfitContract,
    PerformanceContract,
    ProgressBacktestContract,
    RiskContract,
    SignalActive,
    SignalCancelled,
    SignalClosed,
    SignalIdle,
    SignalOpened,
    SignalScheduled,
    TickResult,
)
from daemon.core.guard import Raised, call_foreign, close_unawaited
from daemon.core.research_events import (
    ProgressOptimizerContract,
    ProgressWalkerContract,
    ResearchEvent,
    WalkerCompleteContract,
    WalkerContract,
    WalkerStopContract,
)

FAULTS_MAX = 100

T = TypeVar("T")
Unsubscribe = Callable[[], None]
Handler = Callable[[T], object]
Predicate = Callable[[T], bool]


@dataclass(eq=False, slots=True)
class Listener(Generic[T]):
    """One subscription: `handle` may be async. With `accepts` it ends after its first event."""

    handle: Handler[T]
    accepts: Predicate[T] | None = None
    is_done: bool = False


@dataclass(eq=False, slots=True)
class Subject(Generic[T]):
    """One emitter, by its public name.

    `faults` collects what conditions of its listeners raised: see `Subjects.take_faults`.
    """

    name: str
    listeners: list[Listener[T]] = field(default_factory=list)
    faults: deque[Raised] = field(default_factory=lambda: deque(maxlen=FAULTS_MAX))

    def subscribe(self, handle: Handler[T]) -> Unsubscribe:
        """Call `handle` for every event, one at a time and in order."""
        return self._add(Listener(handle))

    def once(self, accepts: Predicate[T], handle: Handler[T]) -> Unsubscribe:
        """Call `handle` for the first event that `accepts`, then unsubscribe."""
        return self._add(Listener(handle, accepts))

    def remove(self, listener: Listener[T]) -> None:
        """End a subscription. Harmless when it has ended already."""
        listener.is_done = True
        if listener in self.listeners:
            self.listeners.remove(listener)

    def _add(self, listener: Listener[T]) -> Unsubscribe:
        self.listeners.append(listener)
        return lambda: self.remove(listener)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionFault:
    """The condition of a once-listener of `subject` raised: it heard nothing and stays."""

    subject: str
    raised: Raised


@dataclass(slots=True, kw_only=True)
class Subjects:
    """Every emitter of the seeds, under its name in snake_case without "emitter" or "subject"."""

    signal: Subject[TickResult]
    signal_live: Subject[TickResult]
    signal_backtest: Subject[TickResult]
    error: Subject[ErrorContract]
    exit: Subject[ExitContract]
    validation: Subject[ErrorContract]
    done_live: Subject[DoneContract]
    done_backtest: Subject[DoneContract]
    progress_backtest: Subject[ProgressBacktestContract]
    performance: Subject[PerformanceContract]
    partial_profit: Subject[PartialProfitContract]
    partial_loss: Subject[PartialLossContract]
    risk: Subject[RiskContract]
    done_walker: Subject[DoneContract]
    progress_walker: Subject[ProgressWalkerContract]
    progress_optimizer: Subject[ProgressOptimizerContract]
    walker: Subject[WalkerContract]
    walker_complete: Subject[WalkerCompleteContract]
    walker_stop: Subject[WalkerStopContract]

    @classmethod
    def create(cls) -> "Subjects":
        """Return a set of emitters that nobody listens to."""
        return cls(
            signal=Subject("signal"),
            signal_live=Subject("signal_live"),
            signal_backtest=Subject("signal_backtest"),
            error=Subject("error"),
            exit=Subject("exit"),
            validation=Subject("validation"),
            done_live=Subject("done_live"),
            done_backtest=Subject("done_backtest"),
            progress_backtest=Subject("progress_backtest"),
            performance=Subject("performance"),
            partial_profit=Subject("partial_profit"),
            partial_loss=Subject("partial_loss"),
            risk=Subject("risk"),
            done_walker=Subject("done_walker"),
            progress_walker=Subject("progress_walker"),
            progress_optimizer=Subject("progress_optimizer"),
            walker=Subject("walker"),
            walker_complete=Subject("walker_complete"),
            walker_stop=Subject("walker_stop"),
        )

    def take_faults(self) -> list[ConditionFault]:
        """Return what conditions have raised since the last call, for the driver to report."""
        found: list[ConditionFault] = []
        for item in fields(self):
            subject: Subject[Announcement] = getattr(self, item.name)
            while subject.faults:
                found.append(ConditionFault(subject=subject.name, raised=subject.faults.popleft()))
        return found


@dataclass(frozen=True, slots=True)
class Delivery(Generic[T]):
    """An event and a listener that is to hear it."""

    listener: Listener[T]
    event: T

    def call(self) -> object:
        """Hand the event over; the result may be an awaitable."""
        return self.listener.handle(self.event)


AnyDelivery = (
    Delivery[TickResult]
    | Delivery[PartialProfitContract]
    | Delivery[PartialLossContract]
    | Delivery[RiskContract]
    | Delivery[ErrorContract]
    | Delivery[ExitContract]
    | Delivery[DoneContract]
    | Delivery[PerformanceContract]
    | Delivery[ProgressBacktestContract]
)


ResearchDelivery = (
    Delivery[DoneContract]
    | Delivery[ProgressWalkerContract]
    | Delivery[ProgressOptimizerContract]
    | Delivery[WalkerContract]
    | Delivery[WalkerCompleteContract]
    | Delivery[WalkerStopContract]
)


def route(event: Announcement, subjects: Subjects) -> Iterator[AnyDelivery]:
    """Yield who hears `event`, emitter by emitter in the order of the seeds.

    A listener with a condition that accepts the event is unsubscribed before its call, so that
    the next event does not reach it, however slow it is.
    """
    match event:
        case (
            SignalIdle()
            | SignalScheduled()
            | SignalOpened()
            | SignalActive()
            | SignalClosed()
            | SignalCancelled()
        ):
            yield from _to_signal(event, subjects)
        case PartialProfitContract():
            yield from _to(subjects.partial_profit, event)
        case PartialLossContract():
            yield from _to(subjects.partial_loss, event)
        case RiskContract():
            yield from _to(subjects.risk, event)
        case ErrorContract(where=where):
            subject = subjects.validation if where == "validation" else subjects.error
            yield from _to(subject, event)
        case ExitContract():
            yield from _to(subjects.exit, event)
        case DoneContract():
            yield from _to(subjects.done_backtest if event.backtest else subjects.done_live, event)
        case PerformanceContract():
            yield from _to(subjects.performance, event)
        case ProgressBacktestContract():
            yield from _to(subjects.progress_backtest, event)
        case _:
            assert_never(event)


def route_research(event: ResearchEvent, subjects: Subjects) -> Iterator[ResearchDelivery]:
    """Yield who hears `event` of a walker or an optimizer; what is done is a walker."""
    match event:
        case DoneContract():
            yield from _to(subjects.done_walker, event)
        case ProgressWalkerContract():
            yield from _to(subjects.progress_walker, event)
        case ProgressOptimizerContract():
            yield from _to(subjects.progress_optimizer, event)
        case WalkerContract():
            yield from _to(subjects.walker, event)
        case WalkerCompleteContract():
            yield from _to(subjects.walker_complete, event)
        case WalkerStopContract():
            yield from _to(subjects.walker_stop, event)
        case _:
            assert_never(event)


def _to_signal(event: TickResult, subjects: Subjects) -> Iterator[Delivery[TickResult]]:
    yield from _to(subjects.signal_backtest if event.backtest else subjects.signal_live, event)
    yield from _to(subjects.signal, event)


def _to(subject: Subject[T], event: T) -> Iterator[Delivery[T]]:
    for listener in tuple(subject.listeners):
        if listener.accepts is None:
            yield Delivery(listener, event)
            continue
        answer = call_foreign(_is_accepted, listener.accepts, event)
        if isinstance(answer, Raised):
            # The condition is foreign code: one that raises accepts nothing.
            subject.faults.append(answer)
        elif answer.value:
            subject.remove(listener)
            yield Delivery(listener, event)


def _is_accepted(accepts: Predicate[T], event: T) -> bool:
    answer: object = accepts(event)
    if type(answer) is CoroutineType:
        close_unawaited(answer)
        raise TypeError("the condition of a listener must be a plain function, not async")
    return bool(answer)
