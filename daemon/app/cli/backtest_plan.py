"""What `tickd backtest` is to run: strategies of a configuration, or a class in a file."""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from daemon.app.backtest_remarks import SIGNALS_MAX
from daemon.app.cli.backtest_data import (
    DataError,
    History,
    Place,
    Source,
    Span,
    exchange_of,
    gather,
    warm_up_ms,
)
from daemon.app.cli.param_text import ONE, parse_param
from daemon.app.config.problems import did_you_mean
from daemon.app.config.sections import StrategySection
from daemon.app.config.settings import SANDBOX_ID, Config
from daemon.app.loading import (
    LoadError,
    check_profiles,
    load_profile,
    load_strategy,
    make_strategy,
)
from daemon.core.columns import GapPolicy
from daemon.core.params import Params
from daemon.core.risk import RiskProfile
from daemon.core.signal import Key
from daemon.core.strategy import Strategy
from daemon.research.containment import Limits
from daemon.research.plan import Job, Plan

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line asks for."""

    strategies: Sequence[str]
    symbols: Sequence[str]
    data: Sequence[str]
    sandbox: bool
    span: Span
    gaps: GapPolicy
    root: Path
    params: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What becomes of the result."""

    as_json: bool
    with_html: bool
    with_notes: bool
    report_dir: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One strategy of a run; `section` is None for a class that no configuration names.

    `given` are parameters of the command line, over all others.
    """

    name: str
    strategy: type[Strategy]
    symbols: Sequence[str]
    section: StrategySection | None = None
    given: Mapping[str, object] = field(default_factory=dict)

    @property
    def params(self) -> Mapping[str, object]:
        """Return the parameters that it runs with."""
        return _params_of(self.strategy, self.section, self.given)

    @property
    def risk_names(self) -> tuple[str, ...]:
        """Return the profiles that must allow its signals."""
        configured = self.section.risk if self.section else ()
        own = (self.strategy.risk_name,) if self.strategy.risk_name else ()
        return tuple(dict.fromkeys((*configured, *own, *self.strategy.risk_list)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A run that can begin: its plan, what it was made of, and its lanes' strategies in order."""

    plan: Plan
    history: History
    lanes: tuple[Chosen, ...]


def prepare(config: Config, asked: Asked) -> Prepared:
    """Return the run that is asked for.

    Raises RejectedError in one line: unknown names, classes that cannot be loaded, candles that
    cannot be used, a frame that they do not carry.
    """
    place = place_of(config, asked)
    chosen = [chosen_of(config, name, asked, place) for name in names_of(config, asked)]
    symbols = list(dict.fromkeys(symbol for each in chosen for symbol in each.symbols))
    files = files_of(asked, symbols)
    source = Source(place=place, files=files, root=asked.root, gaps=asked.gaps)
    profiles = profiles_of(config, chosen)
    lead_ms = warm_up_ms([each.strategy for each in chosen])
    history = gather(config, source, symbols, asked.span, lead_ms)
    lanes = [(each, symbol) for each in chosen for symbol in each.symbols]
    exchange_name = exchange_of(config, place)
    plan = Plan(
        jobs=tuple(
            Job(
                key=Key(exchange_name=exchange_name, symbol=symbol, strategy_name=each.name),
                make=partial(_made, each),
                minutes=history.minutes[symbol],
                risk_names=each.risk_names,
            )
            for each, symbol in lanes
        ),
        frame=history.frame,
        rules=config.rules.plain(),
        limits=Limits.of(config.rules.plain()),
        profiles=profiles,
        signals_max=SIGNALS_MAX,
    )
    return Prepared(plan=plan, history=history, lanes=tuple(each for each, _ in lanes))


def place_of(config: Config, asked: Asked) -> Place:
    """Return where the candles come from. Raises DataError for what excludes each other."""
    if asked.data and asked.sandbox:
        raise DataError("--data and --sandbox exclude each other")
    if asked.data:
        return "files"
    return "sandbox" if asked.sandbox or config.exchange.id == SANDBOX_ID else "store"


def names_of(config: Config, asked: Asked) -> Sequence[str]:
    """Return the strategies that are asked for, each once: all configured, if none is named."""
    names = asked.strategies or [section.name for section in config.strategies]
    return list(dict.fromkeys(names))


def chosen_of(config: Config, name: str, asked: Asked, place: Place) -> Chosen:
    """Return a strategy, loaded. Raises DataError for an unknown name and for code that fails."""
    sections = {section.name: section for section in config.strategies}
    section = sections.get(name)
    if section is None and ":" not in name:
        remedy = did_you_mean(name, list(sections)) or f"Configured: {', '.join(sections)}."
        raise DataError(
            f"there is no strategy {name!r} in the configuration. {remedy} A class of a file is"
            ' written "./file.py:Class"'
        )
    reference = name if section is None else section.path
    strategy = _loaded(partial(load_strategy, reference), name)
    _loaded(partial(check_profiles, strategy, {risk.name for risk in config.risk}), name)
    told = name
    if section is None:
        told = strategy.strategy_name or reference.rpartition(":")[2]
    symbols = asked.symbols or _symbols(config, section, place)
    return Chosen(
        name=told,
        strategy=strategy,
        symbols=tuple(symbols),
        section=section,
        given=_given(asked, told, _params_of(strategy, section)),
    )


def _params_of(
    strategy: type[Strategy],
    section: StrategySection | None,
    given: Mapping[str, object] = MappingProxyType({}),
) -> Params:
    return Params(strategy.params, section.params if section else {}, given)


def _given(asked: Asked, name: str, params: Params) -> Mapping[str, object]:
    """Return the parameters that the command line gives. Raises DataError in one line."""
    given: dict[str, object] = {}
    if asked.params and len(asked.strategies) != 1:
        raise DataError("--param is for one strategy: name it")
    for text in asked.params:
        key, values = parse_param(text, ONE, name, params)
        given[key] = values[-1]
    return given


def _symbols(config: Config, section: StrategySection | None, place: Place) -> Sequence[str]:
    if section is not None:
        return section.symbols
    if place == "sandbox" and config.sandbox.replay is not None:
        return (config.sandbox.replay_symbol,)
    if place == "sandbox":
        return (config.sandbox.pairs[0].symbol,)
    raise DataError("which market? Name it: --symbol BTC/USDT")


def files_of(asked: Asked, symbols: Sequence[str]) -> dict[str, Path]:
    """Return the file of each symbol: FILE for the only one, SYMBOL=FILE for several."""
    files: dict[str, Path] = {}
    for given in asked.data:
        symbol, is_named, path = given.partition("=")
        if is_named and "/" in symbol and not Path(given).exists():
            files[symbol] = Path(path)
        elif len(asked.data) == 1 and len(symbols) == 1:
            files[symbols[0]] = Path(given)
        else:
            raise DataError(
                f"whose candles are in {given}? Of {', '.join(symbols)}: name one with --symbol,"
                " or write --data BTC/USDT=FILE for each"
            )
    missing = [symbol for symbol in symbols if symbol not in files] if asked.data else []
    if missing:
        raise DataError(f"there is no --data for {', '.join(missing)}: write {missing[0]}=FILE")
    return files


def profiles_of(config: Config, chosen: Sequence[Chosen]) -> tuple[RiskProfile, ...]:
    """Return the profiles that strategies name, loaded. Raises DataError."""
    wanted = {name for each in chosen for name in each.risk_names}
    return tuple(
        _loaded(partial(load_profile, section), f"risk profile {section.name}")
        for section in config.risk
        if section.name in wanted
    )


def _loaded(load: Callable[[], T], name: str) -> T:
    """Return what an author's code was loaded as. Raises DataError in one line."""
    try:
        # What a file prints while it is read is no part of the result.
        with redirect_stdout(sys.stderr):
            return load()
    except LoadError as error:
        raise DataError(f"{name}: {error}") from error


def _made(chosen: Chosen) -> Strategy:
    made = make_strategy(chosen.strategy)
    made.params = Params(chosen.params)
    if chosen.section is not None and chosen.section.interval is not None:
        # The class says how often; one instance may be asked otherwise.
        made.__dict__["interval"] = chosen.section.interval
    return made
