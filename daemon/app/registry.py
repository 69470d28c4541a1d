"""What a program that uses tickd as a library has registered: strategies, risks, exchanges, frames.

Names are unique per kind. The daemon started by `tickd run` takes its own from the
configuration and needs nothing here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from daemon.core.errors import TickdError
from daemon.core.frame import Frame
from daemon.core.guard import is_async
from daemon.core.risk import RiskCallback, RiskProfile, RiskValidation, ValidationFunction
from daemon.core.strategy import Strategy, strategy_faults
from daemon.core.subjects import Subjects

S = TypeVar("S", bound=type[Strategy])
Validation = ValidationFunction | RiskValidation


class RegistrationError(TickdError, ValueError):
    """A schema cannot be registered: its name is taken, or something is missing or wrong."""


class UnknownNameError(TickdError, LookupError):
    """No schema of that name has been registered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeSchema:
    """An exchange by the name that strategies run on it under.

    `exchange_id` is "sandbox" (the embedded exchange) or any ccxt id.
    """

    exchange_name: str
    exchange_id: str
    note: str = ""


@dataclass(slots=True)
class Registry:
    """Everything registered in this process, in order, and the emitters to listen on."""

    strategies: dict[str, type[Strategy]] = field(default_factory=dict)
    risks: dict[str, RiskProfile] = field(default_factory=dict)
    exchanges: dict[str, ExchangeSchema] = field(default_factory=dict)
    frames: dict[str, Frame] = field(default_factory=dict)
    subjects: Subjects = field(default_factory=Subjects.create)

    def add_strategy(self, strategy: S) -> S:
        """Register a strategy class under its `strategy_name`; works as a decorator.

        Raises RegistrationError for a name that already exists or a class that cannot run.
        """
        name = _required(strategy.strategy_name, "strategy_name", strategy.__name__)
        faults = list(strategy_faults(strategy))
        if faults:
            raise RegistrationError(f"strategy {name!r}: {'; '.join(faults)}")
        _refuse_twice("strategy", name, self.strategies)
        self.strategies[name] = strategy
        return strategy

    def add_risk(
        self,
        risk_name: str,
        validations: Sequence[Validation],
        *,
        note: str = "",
        on_rejected: RiskCallback | None = None,
        on_allowed: RiskCallback | None = None,
    ) -> RiskProfile:
        """Register a risk profile: its validations are asked in order.

        A validation refuses by raising or by returning a reason. Raises RegistrationError for a
        name that already exists and for an async validation: nothing may come between the check
        and the taking of the slot.
        """
        name = _required(risk_name, "risk_name", "a risk profile")
        _refuse_twice("risk", name, self.risks)
        profile = RiskProfile(
            risk_name=name,
            validations=tuple(_rule(name, item) for item in validations),
            note=note,
            on_rejected=on_rejected,
            on_allowed=on_allowed,
        )
        self.risks[name] = profile
        return profile

    def add_exchange(self, exchange: ExchangeSchema) -> ExchangeSchema:
        """Register an exchange. Raises RegistrationError for a name that already exists."""
        name = _required(exchange.exchange_name, "exchange_name", "an exchange")
        _required(exchange.exchange_id, "exchange_id", f"exchange {name!r}")
        _refuse_twice("exchange", name, self.exchanges)
        self.exchanges[name] = exchange
        return exchange

    def add_frame(self, frame: Frame) -> Frame:
        """Register a frame. Raises RegistrationError for a name that already exists."""
        _refuse_twice("frame", frame.frame_name, self.frames)
        self.frames[frame.frame_name] = frame
        return frame

    def frame(self, name: str) -> Frame:
        """Return a registered frame. Raises UnknownNameError, naming those that are known."""
        if name not in self.frames:
            raise _unknown("frame", name, self.frames)
        return self.frames[name]

    def strategy(self, name: str) -> type[Strategy]:
        """Return a registered strategy. Raises UnknownNameError, naming those that are known."""
        if name not in self.strategies:
            raise _unknown("strategy", name, self.strategies)
        return self.strategies[name]

    def exchange(self, name: str) -> ExchangeSchema:
        """Return a registered exchange. Raises UnknownNameError, naming those that are known."""
        if name not in self.exchanges:
            raise _unknown("exchange", name, self.exchanges)
        return self.exchanges[name]


REGISTRY = Registry()
"""The one that `from daemon import add_strategy, ...` works on."""


def _rule(risk_name: str, validation: Validation) -> RiskValidation:
    if not isinstance(validation, RiskValidation):
        validation = RiskValidation(validate=validation)
    if is_async(validation.validate):
        name = getattr(validation.validate, "__name__", "a validation")
        raise RegistrationError(
            f"risk {risk_name!r}: {name} is async; a risk validation must be a plain function"
        )
    return validation


def _required(value: object, field_name: str, owner: str) -> str:
    if not isinstance(value, str) or not value:
        raise RegistrationError(f"{owner} needs a {field_name}")
    return value


def _refuse_twice(kind: str, name: str, known: Mapping[str, object]) -> None:
    if name in known:
        raise RegistrationError(f"{kind} {name!r} already exists")


def _unknown(kind: str, name: str, known: Mapping[str, object]) -> UnknownNameError:
    names = ", ".join(map(repr, known)) or "none"
    return UnknownNameError(f"there is no {kind} {name!r}; registered: {names}")


def add_strategy(strategy: S) -> S:
    """Register a strategy class under its `strategy_name`; works as a decorator too."""
    return REGISTRY.add_strategy(strategy)


def add_risk(
    risk_name: str,
    validations: Sequence[Validation],
    *,
    note: str = "",
    on_rejected: RiskCallback | None = None,
    on_allowed: RiskCallback | None = None,
) -> RiskProfile:
    """Register a risk profile under `risk_name`: its validations are asked in order."""
    return REGISTRY.add_risk(
        risk_name, validations, note=note, on_rejected=on_rejected, on_allowed=on_allowed
    )


def add_exchange(exchange_name: str, *, exchange_id: str = "", note: str = "") -> ExchangeSchema:
    """Register an exchange: `exchange_id` is "sandbox" or any ccxt id, the name if left out."""
    schema = ExchangeSchema(
        exchange_name=exchange_name, exchange_id=exchange_id or exchange_name, note=note
    )
    return REGISTRY.add_exchange(schema)


def add_frame(frame: Frame) -> Frame:
    """Register a frame, a stretch of history, under its name."""
    return REGISTRY.add_frame(frame)


def list_strategies() -> tuple[type[Strategy], ...]:
    """Return the registered strategy classes, in order."""
    return tuple(REGISTRY.strategies.values())


def list_risks() -> tuple[RiskProfile, ...]:
    """Return the registered risk profiles, in order."""
    return tuple(REGISTRY.risks.values())


def list_exchanges() -> tuple[ExchangeSchema, ...]:
    """Return the registered exchanges, in order."""
    return tuple(REGISTRY.exchanges.values())


def list_frames() -> tuple[Frame, ...]:
    """Return the registered frames, in order."""
    return tuple(REGISTRY.frames.values())
