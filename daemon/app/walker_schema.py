"""What a program registers to compare strategies: walkers, and variants of one strategy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from daemon.app.registry import REGISTRY, RegistrationError, Schemas, required
from daemon.core.walker_statistics import WALKER_METRICS, WalkerMetric
from daemon.research.walker import WalkerCallbacks

Value = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A strategy with parameters over its own, under a name that says both."""

    strategy_name: str
    params: Mapping[str, Value] = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            told = ", ".join(f"{name}={value}" for name, value in self.params.items())
            name = f"{self.strategy_name}({told})" if told else self.strategy_name
            object.__setattr__(self, "name", name)


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkerSchema:
    """Strategies that are compared on one frame by one metric, of which larger is better."""

    walker_name: str
    frame_name: str
    strategies: Sequence[str | Variant]
    exchange_name: str = "sandbox"
    metric: WalkerMetric = "sharpe_ratio"
    note: str = ""
    callbacks: WalkerCallbacks = field(default_factory=WalkerCallbacks)

    @property
    def variants(self) -> tuple[Variant, ...]:
        """Return the strategies, each with its parameters."""
        return tuple(
            Variant(strategy_name=item) if isinstance(item, str) else item
            for item in self.strategies
        )


WALKERS: Schemas[WalkerSchema] = Schemas("walker")


def variants(strategy_name: str, **values: Sequence[Value]) -> tuple[Variant, ...]:
    """Return a variant for each combination: `variants("sma", fast=[5, 10], slow=[20, 50])`."""
    return tuple(
        Variant(strategy_name=strategy_name, params=dict(zip(values, row, strict=True)))
        for row in product(*values.values())
    )


def add_walker(schema: WalkerSchema) -> WalkerSchema:
    """Register a walker. Raises RegistrationError for what cannot be compared."""
    name = required(schema.walker_name, "a walker_name", "a walker")
    check_metric(schema.metric, f"walker {name!r}")
    names = [variant.name for variant in schema.variants]
    if not names:
        raise RegistrationError(f"walker {name!r}: there are no strategies to compare")
    for double in sorted({each for each in names if names.count(each) > 1}):
        raise RegistrationError(f"walker {name!r}: {double} is named twice")
    return WALKERS.add(name, schema)


def list_walkers() -> tuple[WalkerSchema, ...]:
    """Return the registered walkers, in order."""
    return tuple(WALKERS.values())


def find_walker(name: str) -> WalkerSchema:
    """Return a registered walker. Raises UnknownNameError, naming those that are known."""
    return WALKERS.find(name)


def check_metric(metric: str, owner: str) -> None:
    """Raise RegistrationError for a metric that nobody can judge by."""
    if metric not in WALKER_METRICS:
        known = ", ".join(WALKER_METRICS)
        raise RegistrationError(f"{owner}: unknown metric {metric!r}: use one of {known}")


def check_params(strategy_name: str, params: Mapping[str, object]) -> None:
    """Raise RegistrationError for a parameter that the strategy does not have."""
    own = tuple(REGISTRY.strategy(strategy_name).params)
    for name in params:
        if name not in own:
            known = ", ".join(own) or "none"
            raise RegistrationError(
                f"strategy {strategy_name!r} has no parameter {name!r} (params: {known})"
            )
