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


@dataclass(slots=True, init=False)
class Subjects:
    """The emitters of runs, under the seeds' names in snake_case without "emitter" or "subject"."""

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

    def __init__(self) -> None:
        """Begin with nobody who listens."""
        for item in fields(self):
            setattr(self, item.name, Subject(item.name))

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
            yield from deliveries(subjects.partial_profit, event)
        case PartialLossContract():
            yield from deliveries(subjects.partial_loss, event)
        case RiskContract():
            yield from deliveries(subjects.risk, event)
        case ErrorContract(where=where):
            subject = subjects.validation if where == "validation" else subjects.error
            yield from deliveries(subject, event)
        case ExitContract():
            yield from deliveries(subjects.exit, event)
        case DoneContract():
            yield from deliveries(
                subjects.done_backtest if event.backtest else subjects.done_live, event
            )
        case PerformanceContract():
            yield from deliveries(subjects.performance, event)
        case ProgressBacktestContract():
            yield from deliveries(subjects.progress_backtest, event)
        case _:
            assert_never(event)


def deliveries(subject: Subject[T], event: T) -> Iterator[Delivery[T]]:
    """Yield who hears `event` of one emitter, in the order of their subscription."""
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


def _to_signal(event: TickResult, subjects: Subjects) -> Iterator[Delivery[TickResult]]:
    yield from deliveries(
        subjects.signal_backtest if event.backtest else subjects.signal_live, event
    )
    yield from deliveries(subjects.signal, event)


def _is_accepted(accepts: Predicate[T], event: T) -> bool:
    answer: object = accepts(event)
    if type(answer) is CoroutineType:
        close_unawaited(answer)
        raise TypeError("the condition of a listener must be a plain function, not async")
    return bool(answer)
