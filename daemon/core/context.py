"""Who is being asked right now: the ambient values of a running call into a strategy."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from daemon.core.signal import Key
from daemon.core.strategy import View


class Context(Protocol):
    """The task, the moment (UTC epoch ms), the mode, and what may be seen of the market."""

    @property
    def key(self) -> Key: ...
    @property
    def at_ms(self) -> int: ...
    @property
    def backtest(self) -> bool: ...
    @property
    def view(self) -> View: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """A context as a value."""

    key: Key
    at_ms: int
    backtest: bool
    view: View


RUN_CONTEXT: ContextVar[Context] = ContextVar("tickd_run_context")


class NoContextError(RuntimeError):
    """A function that needs a running strategy was called outside of one."""


def running(function: str) -> Context:
    """Return the context of the running call. Raises NoContextError, naming `function`."""
    try:
        return RUN_CONTEXT.get()
    except LookupError:
        raise NoContextError(
            f"{function} works only inside a strategy's get_signal or callback"
        ) from None
