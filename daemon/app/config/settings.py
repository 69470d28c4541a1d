"""The whole configuration as one frozen value, and the checks that span several keys."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from daemon.app.config.alert_sections import AlertsSection
from daemon.app.config.problems import KeyPath, did_you_mean, is_secret_name
from daemon.app.config.rules_section import RulesSection
from daemon.app.config.sandbox import SandboxSection
from daemon.app.config.sections import (
    DaemonSection,
    ExchangeSection,
    HttpSection,
    LogSection,
    RiskSection,
    StrategySection,
)
from daemon.app.config.values import is_loopback

ENV_PREFIX = "TICKD__"
ENV_DELIMITER = "__"
SANDBOX_ID = "sandbox"

Fault = tuple[KeyPath, str]
"""Where a check that spans several keys failed, and why."""


class Config(BaseModel):
    """Every setting. Building one reads neither a file nor the environment: `load_config` does.

    Raises pydantic's ValidationError for values that cannot be used.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False
    )

    exchange: ExchangeSection = ExchangeSection()
    strategies: tuple[StrategySection, ...] = ()
    risk: tuple[RiskSection, ...] = ()
    rules: RulesSection = RulesSection()
    sandbox: SandboxSection = SandboxSection()
    daemon: DaemonSection = DaemonSection()
    http: HttpSection = HttpSection()
    log: LogSection = LogSection()
    alerts: AlertsSection = AlertsSection()

    @model_validator(mode="after")
    def check_together(self) -> Self:
        """Raise one error that holds all faults of keys that do not fit each other."""
        faults = list(find_faults(self))
        if faults:
            raise PydanticCustomError("faults", "settings do not fit each other", {"all": faults})
        return self

    @property
    def is_sandbox(self) -> bool:
        """Say whether the embedded exchange is used."""
        return self.exchange.id == SANDBOX_ID

    @property
    def symbols(self) -> tuple[str, ...]:
        """Return every symbol that a strategy trades, once, in the order of the file."""
        return tuple(dict.fromkeys(name for item in self.strategies for name in item.symbols))

    @property
    def fingerprint(self) -> str:
        """Return a hash of all settings but the secrets; the same settings, the same hash."""
        canonical = json.dumps(self.plain(), sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    @property
    def secret_values(self) -> tuple[str, ...]:
        """Return every secret that was read, for whoever must keep them out of a text."""
        return tuple(_secrets_in(self.model_dump()))

    def plain(self) -> dict[str, Any]:
        """Return all settings as plain values; a secret is shown as stars, whatever it is."""
        return self.model_dump(mode="json")


def _secrets_in(value: object) -> Iterator[str]:
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case dict():
            for part in value.values():
                yield from _secrets_in(part)
        case tuple():
            for part in value:
                yield from _secrets_in(part)
        case _:
            pass


def find_faults(config: Config) -> Iterator[Fault]:
    """Yield what is wrong between keys, in the order of the file."""
    yield from _spans(config)
    yield from _exchange(config)
    yield from _http(config)
    yield from _telegram(config)
    yield from _risk(config)
    yield from _strategies(config)
    if config.is_sandbox:
        yield from _sandbox(config)


def _spans(config: Config) -> Iterator[Fault]:
    daemon, rules = config.daemon, config.rules
    if daemon.tick_quiet_max_ms < daemon.tick_interval_ms:
        yield ("daemon", "tick_quiet_max_ms"), "must not be below daemon.tick_interval_ms"
    stop_max = rules.max_stoploss_distance_percent
    if 0 < stop_max <= rules.min_stoploss_distance_percent:
        path = ("rules", "min_stoploss_distance_percent")
        yield path, f"must be below rules.max_stoploss_distance_percent ({stop_max:g})"


def _exchange(config: Config) -> Iterator[Fault]:
    exchange = config.exchange
    if (exchange.api_key is None) != (exchange.api_secret is None):
        missing = "api_key" if exchange.api_key is None else "api_secret"
        yield (
            ("exchange", missing),
            f"is missing: a key and its secret go together ({missing}_file)",
        )


def _http(config: Config) -> Iterator[Fault]:
    http = config.http
    if http.enabled and not is_loopback(http.host) and not http.allow_remote:
        message = f"{http.host} can be reached by other machines and nothing asks for a password"
        remedy = 'listen on "127.0.0.1" behind a proxy, or set http.allow_remote = true'
        yield ("http", "host"), f"{message}: {remedy}"


def _telegram(config: Config) -> Iterator[Fault]:
    telegram = config.alerts.telegram
    path = ("alerts", "telegram")
    if telegram.token is not None and telegram.chat_id is None:
        yield (*path, "chat_id"), "is missing: where should alerts go? (docs/alerts.md)"
    for name in ("chat_id", "users", "card"):
        if getattr(telegram, name) and telegram.token is None:
            yield (*path, name), "says what to do, but there is no token (token_file)"


def _risk(config: Config) -> Iterator[Fault]:
    names = [profile.name for profile in config.risk]
    for index, profile in enumerate(config.risk):
        if profile.name in names[:index]:
            yield ("risk", index, "name"), f"the name {profile.name!r} is taken by another profile"
        limits = profile.model_dump(exclude={"name"}, exclude_none=True)
        if not any(limits.values()):
            yield ("risk", index), f"profile {profile.name!r} has no limit: it would allow all"


def _strategies(config: Config) -> Iterator[Fault]:
    if not config.strategies:
        yield ("strategies",), "none is configured: add a [[strategies]] table"
    names = [strategy.name for strategy in config.strategies]
    profiles = [profile.name for profile in config.risk]
    for index, strategy in enumerate(config.strategies):
        path: KeyPath = ("strategies", index)
        if strategy.name in names[:index]:
            yield (*path, "name"), f"the name {strategy.name!r} is taken by another strategy"
        for name in strategy.risk:
            if name not in profiles:
                hint = did_you_mean(name, profiles) or "Add a [[risk]] table of this name"
                yield (*path, "risk"), f"there is no risk profile {name!r}. {hint}"
        for name, value in strategy.params.items():
            if is_secret_name(name) and isinstance(value, str):
                message = "looks like a secret, which does not belong here"
                remedy = "let the strategy read it from a file or the environment"
                yield (*path, "params", name), f"{message}: {remedy}"
    count = sum(len(strategy.symbols) for strategy in config.strategies)
    if count > config.daemon.tasks_max:
        limit = config.daemon.tasks_max
        yield ("strategies",), f"ask for {count} tasks, daemon.tasks_max allows {limit}"


def _sandbox(config: Config) -> Iterator[Fault]:
    sandbox = config.sandbox
    pairs = [pair.symbol for pair in sandbox.pairs]
    for index, symbol in enumerate(pairs):
        path = ("sandbox", "pairs", index, "symbol")
        if symbol in pairs[:index]:
            yield path, f"{symbol} stands there twice: keep one"
        if ":" in symbol:
            yield path, f'{symbol} is no spot market: write it as in "BTC/USDT"'
    is_replay = sandbox.replay is not None
    offered = [sandbox.replay_symbol] if is_replay else pairs
    remedy = "See sandbox.replay_symbol" if is_replay else "Add it to sandbox.pairs"
    for index, strategy in enumerate(config.strategies):
        for symbol in strategy.symbols:
            if symbol not in offered:
                hint = remedy if is_replay else did_you_mean(symbol, offered) or remedy
                yield (
                    ("strategies", index, "symbols"),
                    f"the sandbox has no {symbol}, only {', '.join(offered)}. {hint}",
                )
    if not sandbox.faults.plan:
        return
    # Few configurations have one, and all commands read a configuration.
    from daemon.simulation.fault_file import (  # noqa: PLC0415 - see above
        FaultPlanError,
        parse_fault_plan,
    )

    try:
        parse_fault_plan(sandbox.faults.model_dump())
    except FaultPlanError as error:
        yield ("sandbox", "faults"), str(error)
