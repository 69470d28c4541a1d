"""What `tickd walk` and `tickd optimize` work on: strategies on the candles of one market."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import product
from math import isfinite

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
from daemon.app.config.problems import did_you_mean
from daemon.app.config.settings import Config
from daemon.app.walker_schema import Variant
from daemon.core.frame import Frame
from daemon.research.assignment import Configured, Terms
from daemon.research.columns import Minutes

Value = str | int | float | bool

FLAGS = {"true": True, "false": False}
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
        name, row = _varied(chosen[0], text)
        if name in values:
            raise DataError(f"--vary names {name} twice: write {name}=1,2,3")
        values[name] = row
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


def _varied(chosen: Chosen, text: str) -> tuple[str, tuple[Value, ...]]:
    name, is_given, listed = text.partition("=")
    words = [word.strip() for word in listed.split(",") if word.strip()]
    if not is_given or not words:
        raise DataError(f"--vary {text!r} makes no sense: write fast=5,10,20")
    name, known = name.strip(), list(chosen.params)
    if name not in known:
        there = ", ".join(known) or "none"
        remedy = did_you_mean(name, known) or f"Parameters: {there}."
        raise DataError(f"{chosen.name} has no parameter {name!r}. {remedy}")
    values = [_value(chosen.params, name, word) for word in words]
    return name, tuple(dict.fromkeys(values))


def _value(params: Mapping[str, object], name: str, word: str) -> Value:
    """Return a word as what the parameter is: a flag, a number or a text."""
    match params[name]:
        case bool():
            if word.lower() in FLAGS:
                return FLAGS[word.lower()]
            raise DataError(f"{name} is true or false, not {word!r}")
        case int() | float():
            number = _number(word)
            if number is not None:
                return number
            raise DataError(f"{name} is a number, not {word!r}")
        case _:
            return word


def _number(word: str) -> int | float | None:
    """Return the number that a word is, whole where it is written so; None if it is none."""
    with suppress(ValueError):
        return int(word)
    with suppress(ValueError):
        number = float(word)
        return number if isfinite(number) else None
    return None
