"""What a program that uses tickd as a library has registered: strategies, risks, exchanges, frames.

Names are unique per kind. The daemon started by `tickd run` takes its own from the
configuration and needs nothing here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from daemon.core.errors import TickdError
from daemon.core.frame import Frame
from daemon.core.guard import is_async
from daemon.core.research_events import ResearchSubjects
from daemon.core.risk import RiskCallback, RiskProfile, RiskValidation, ValidationFunction
from daemon.core.strategy import Strategy, strategy_faults

S = TypeVar("S", bound=type[Strategy])
T = TypeVar("T")
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


class Schemas(dict[str, T]):
    """What is registered of one `kind`, by its name and in order."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def add(self, name: str, schema: T) -> T:
        """Take `schema` in. Raises RegistrationError for a name that already exists."""
        if name in self:
            raise RegistrationError(f"{self.kind} {name!r} already exists")
        self[name] = schema
        return schema

    def find(self, name: str) -> T:
        """Return the schema of that name. Raises UnknownNameError, naming those that are known."""
        if name not in self:
            known = ", ".join(map(repr, self)) or "none"
            raise UnknownNameError(f"there is no {self.kind} {name!r}; registered: {known}")
        return self[name]


@dataclass(slots=True)
class Registry:
    """Everything registered in this process, in order, and the emitters to listen on."""

    strategies: Schemas[type[Strategy]] = field(default_factory=partial(Schemas, "strategy"))
    risks: Schemas[RiskProfile] = field(default_factory=partial(Schemas, "risk"))
    exchanges: Schemas[ExchangeSchema] = field(default_factory=partial(Schemas, "exchange"))
    frames: Schemas[Frame] = field(default_factory=partial(Schemas, "frame"))
    subjects: ResearchSubjects = field(default_factory=ResearchSubjects)

    def add_strategy(self, strategy: S) -> S:
        """Register a strategy class under its `strategy_name`; works as a decorator.

        Raises RegistrationError for a name that already exists or a class that cannot run.
        """
        name = required(strategy.strategy_name, "a strategy_name", strategy.__name__)
        faults = list(strategy_faults(strategy))
        if faults:
            raise RegistrationError(f"strategy {name!r}: {'; '.join(faults)}")
        self.strategies.add(name, strategy)
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
        name = required(risk_name, "a risk_name", "a risk profile")
        profile = RiskProfile(
            risk_name=name,
            validations=tuple(_rule(name, item) for item in validations),
            note=note,
            on_rejected=on_rejected,
            on_allowed=on_allowed,
        )
        return self.risks.add(name, profile)

    def add_exchange(self, exchange: ExchangeSchema) -> ExchangeSchema:
        """Register an exchange. Raises RegistrationError for a name that already exists."""
        name = required(exchange.exchange_name, "an exchange_name", "an exchange")
        required(exchange.exchange_id, "an exchange_id", f"exchange {name!r}")
        return self.exchanges.add(name, exchange)

    def add_frame(self, frame: Frame) -> Frame:
        """Register a frame. Raises RegistrationError for a name that already exists."""
        return self.frames.add(frame.frame_name, frame)

    def frame(self, name: str) -> Frame:
        """Return a registered frame. Raises UnknownNameError, naming those that are known."""
        return self.frames.find(name)

    def strategy(self, name: str) -> type[Strategy]:
        """Return a registered strategy. Raises UnknownNameError, naming those that are known."""
        return self.strategies.find(name)

    def exchange(self, name: str) -> ExchangeSchema:
        """Return a registered exchange. Raises UnknownNameError, naming those that are known."""
        return self.exchanges.find(name)


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


def required(value: object, what: str, owner: str) -> str:
    """Return a name that must be given. Raises RegistrationError."""
    if not isinstance(value, str) or not value:
        raise RegistrationError(f"{owner} needs {what}")
    return value


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
