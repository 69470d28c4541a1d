"""Emitters and their listeners: who wants to hear what. Delivery is the driver's business."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

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
    """One emitter, by its public name."""

    name: str
    listeners: list[Listener[T]] = field(default_factory=list)

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
