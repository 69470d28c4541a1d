"""What `tickd walk` and `tickd optimize` work on: strategies on the candles of one market."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from daemon.app.cli.backtest_data import DataError, Source, exchange_of, gather, warm_up_ms
from daemon.app.cli.backtest_plan import (
    Asked,
    Chosen,
    chosen_of,
    files_of,
    names_of,
    place_of,
    profiles_of,
)
from daemon.app.cli.param_text import MANY, Value, parse_param
from daemon.app.config.settings import Config
from daemon.app.walker_schema import Variant
from daemon.core.frame import Frame
from daemon.research.assignment import Configured, Terms
from daemon.research.columns import Minutes
from daemon.research.containment import Limits

VARIANTS_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Strategies by their names, the candles and the frame; `told` says where they are from."""

    chosen: tuple[Chosen, ...]
    terms: Terms
    minutes: Minutes
    frame: Frame
    told: str


def stage_of(config: Config, asked: Asked) -> Stage:
    """Return what is worked on: all strategies on one market, the first one that they share.

    Raises RejectedError in one line, as a backtest does.
    """
    place = place_of(config, asked)
    chosen = tuple(chosen_of(config, name, asked, place) for name in names_of(config, asked))
    symbol = _symbol_of(chosen)
    files = files_of(replace(asked, symbols=(symbol,)), [symbol])
    source = Source(place=place, files=files, root=asked.root, gaps=asked.gaps)
    lead_ms = warm_up_ms([each.strategy for each in chosen])
    history = gather(config, source, [symbol], asked.span, lead_ms)
    terms = Terms(
        symbol=symbol,
        exchange_name=exchange_of(config, place),
        strategies={each.name: each.strategy for each in chosen},
        rules=config.rules.plain(),
        limits=Limits.of(config.rules.plain()),
        profiles=profiles_of(config, chosen),
        configured={each.name: _configured(config, each) for each in chosen},
    )
    return Stage(
        chosen=chosen,
        terms=terms,
        minutes=history.minutes[symbol],
        frame=history.frame,
        told=history.told[symbol],
    )


def variants_of(chosen: Sequence[Chosen], vary: Sequence[str]) -> tuple[Variant, ...]:
    """Return what is compared: the strategies, or one of them with all combinations of `vary`.

    Raises DataError in one line.
    """
    if not vary:
        return tuple(Variant(strategy_name=each.name) for each in chosen)
    if len(chosen) != 1:
        names = ", ".join(each.name for each in chosen)
        raise DataError(f"--vary takes one strategy, not {len(chosen)}: name one of {names}")
    values: dict[str, tuple[Value, ...]] = {}
    for text in vary:
        name, given = parse_param(text, MANY, chosen[0].name, chosen[0].params)
        if name in values:
            raise DataError(f"--vary names {name} twice: write {name}=1,2,3")
        values[name] = tuple(dict.fromkeys(given))
    count = 1
    for row in values.values():
        count *= len(row)
    if count > VARIANTS_MAX:
        raise DataError(f"--vary makes {count:,} variants: {VARIANTS_MAX:,} are the most")
    return tuple(
        Variant(strategy_name=chosen[0].name, params=dict(zip(values, row, strict=True)))
        for row in product(*values.values())
    )


def _symbol_of(chosen: Sequence[Chosen]) -> str:
    shared = [
        symbol for symbol in chosen[0].symbols if all(symbol in each.symbols for each in chosen[1:])
    ]
    if not shared:
        names = ", ".join(each.name for each in chosen)
        raise DataError(f"{names} have no market in common: name one with --symbol")
    return shared[0]


def _configured(config: Config, chosen: Chosen) -> Configured:
    section, risk_names = chosen.section, chosen.risk_names
    profiles = [risk.model_dump(mode="json") for risk in config.risk if risk.name in risk_names]
    return Configured(
        params=dict(chosen.params),
        risk_names=risk_names,
        interval=None if section is None else section.interval,
        about=repr(profiles),
    )
