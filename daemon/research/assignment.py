"""One backtest of many: the strategy, its parameters and the frame, on what all of them share.

Both halves can be sent to another process; the same assignment gives the same evaluation there.
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial

from daemon.core.frame import Frame
from daemon.core.params import Params
from daemon.core.risk import RiskProfile
from daemon.core.rules import Rules
from daemon.core.signal import Key
from daemon.core.strategy import Strategy
from daemon.research.backtest import Backtest
from daemon.research.columns import Minutes
from daemon.research.containment import Containment, Limits
from daemon.research.market import Markets
from daemon.research.plan import BacktestError, Job, Plan
from daemon.research.result import BacktestResult
from daemon.research.slices import Slices


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """What a configuration says of a strategy over what its class says.

    `interval` is how often it is asked; None leaves that to the class. `about` says in
    words what else its results depend on: the limits of its risk profiles.
    """

    params: Mapping[str, object] = field(default_factory=dict)
    risk_names: tuple[str, ...] = ()
    interval: str | None = None
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What all backtests of a comparison have in common, beside the candles.

    `configured` holds, by the strategies' names, what a configuration says of them.
    """

    symbol: str
    exchange_name: str
    strategies: Mapping[str, type[Strategy]]
    rules: Rules = field(default_factory=Rules)
    profiles: tuple[RiskProfile, ...] = ()
    limits: Limits = field(default_factory=Limits)
    configured: Mapping[str, Configured] = field(default_factory=dict)

    def configured_of(self, strategy_name: str) -> Configured:
        """Return what a configuration says of a strategy; nothing, where there is none."""
        return self.configured.get(strategy_name, Configured())

    def risk_names_of(self, strategy_name: str) -> tuple[str, ...]:
        """Return the profiles that must allow its signals: the configured ones first."""
        strategy = self.strategies[strategy_name]
        own = (*filter(None, [strategy.risk_name]), *strategy.risk_list)
        return tuple(dict.fromkeys((*self.configured_of(strategy_name).risk_names, *own)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Run the strategy `strategy_name` with `params` over its own, under the name `name`.

    The PnL is summed up in `slice_count` equal slices of the frame, if there are any.
    """

    name: str
    strategy_name: str
    frame: Frame
    params: Mapping[str, object] = field(default_factory=dict)
    slice_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What an assignment came to; `slice_pnl` in percent points, oldest first."""

    result: BacktestResult
    slice_pnl: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An assignment could not be carried out: the class of the error, and one line why."""

    error: str
    message: str


Outcome = Evaluation | Failure


def evaluator(
    terms: Terms, minutes: Minutes, markets: Markets
) -> Callable[[Assignment], Coroutine[object, object, Outcome]]:
    """Return what evaluates one assignment after the other, on a market that is made once."""
    return partial(evaluate, terms, minutes, markets=markets)


def prepare(terms: Terms, minutes: Minutes, markets: Markets) -> None:
    """Work out now what every assignment of `terms` needs, before the process is copied."""
    market = markets.of(minutes, terms.rules.avg_price_candles_count)
    for strategy in terms.strategies.values():
        market.tables(strategy.history)
    # Once worked out, it stays.
    _ = minutes.fingerprint


async def evaluate(
    terms: Terms,
    minutes: Minutes,
    assignment: Assignment,
    calls: Containment | None = None,
    markets: Markets | None = None,
) -> Outcome:
    """Run the backtest of `assignment`, heard by nobody. What it cannot be is a Failure.

    Whoever gives the containment of its `calls` sees when one of them holds its thread for good.
    """
    slices = Slices(assignment.frame, assignment.slice_count)
    try:
        run = Backtest(plan_of(terms, minutes, assignment), calls=calls, markets=markets)
        async for told in run.run():
            slices.add(told)
    except BacktestError as error:
        return Failure(error=type(error).__name__, message=str(error))
    return Evaluation(result=run.result(), slice_pnl=slices.pnl)


def plan_of(terms: Terms, minutes: Minutes, assignment: Assignment) -> Plan:
    """Return the backtest that `assignment` asks for. Raises BacktestError."""
    strategy = terms.strategies[assignment.strategy_name]
    key = Key(exchange_name=terms.exchange_name, symbol=terms.symbol, strategy_name=assignment.name)
    configured = terms.configured_of(assignment.strategy_name)
    job = Job(
        key=key,
        make=partial(make, strategy, assignment.params, configured),
        minutes=minutes,
        risk_names=terms.risk_names_of(assignment.strategy_name),
    )
    return Plan(
        jobs=(job,),
        frame=assignment.frame,
        rules=terms.rules,
        profiles=terms.profiles,
        limits=terms.limits,
    )


def make(
    strategy: type[Strategy], params: Mapping[str, object], configured: Configured | None = None
) -> Strategy:
    """Return a strategy with `params` over those that are configured, and over its own."""
    configured = configured or Configured()
    made = strategy()
    made.params = Params(strategy.params, {**configured.params, **params})
    if configured.interval is not None:
        # The class says how often; one instance may be asked otherwise.
        made.__dict__["interval"] = configured.interval
    return made
