"""The tables of the configuration: each key with its unit, its bounds and its default.

Everything is strict (a number in quotes is no number) and frozen. A description is one or two
sentences; the reference page and the shipped `config.toml` are made from them.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
)

from daemon.app.config import values

STRICT = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)
FROZEN = ConfigDict(**STRICT, frozen=True)

FilePath = Annotated[Path, BeforeValidator(values.check_path)]
Names = Annotated[tuple[str, ...], Field(strict=False)]
Hours = Annotated[tuple[Annotated[int, Field(ge=0, le=23)], ...], Field(strict=False)]
Symbol = Annotated[str, AfterValidator(values.check_symbol)]
Symbols = Annotated[tuple[Symbol, ...], Field(strict=False), AfterValidator(values.check_unique)]
Name = Annotated[str, AfterValidator(values.check_name)]
ClassPath = Annotated[str, AfterValidator(values.check_reference)]
FunctionPaths = Annotated[tuple[ClassPath, ...], Field(strict=False)]
Url = Annotated[str, AfterValidator(values.check_url)]
Moment = Annotated[datetime, Field(strict=False), AfterValidator(values.as_utc)]
SignalInterval = Literal["1m", "3m", "5m", "15m", "30m", "1h"]


def secret_field(name: str) -> Any:  # noqa: ANN401 - as pydantic types its Field
    """Return the key `name`, a secret: the file of settings may only name the file it is in."""
    return Field(
        default=None,
        description=f"Never in this file: name a file in {name}_file or set the environment"
        " variable.",
        json_schema_extra={"secret": True},
    )


def secret_file_field(holds: str, example: str, description: str) -> Any:  # noqa: ANN401 - as above
    """Return the key that names the file of the secret `holds`."""
    return Field(
        default=None,
        examples=[f"/run/secrets/{example}"],
        description=description,
        json_schema_extra={"holds": holds},
    )


class Section(BaseModel):
    """A table of the file."""

    model_config = FROZEN


class DaemonSection(Section):
    """The process: its loop, its state, how it ticks, restarts and stops."""

    mode: Annotated[Literal["signal"], values.LIVE_IS_REFUSED] = Field(
        default="signal",
        description="What is done with a signal. `signal` follows it without placing orders.",
    )
    loop: Literal["uvloop", "asyncio"] = Field(
        default="uvloop",
        description="The event loop. `asyncio` is slower and has no compiled part.",
    )
    state_dir: FilePath = Field(
        default=Path("dump"),
        description="Where signals, the journal and the lock are kept, in a folder of its own"
        " per exchange and mode. Relative paths start at the working directory.",
    )
    tick_interval_ms: int = Field(
        default=1000,
        ge=10,
        le=60_000,
        description="A task ticks at most once per so many milliseconds.",
    )
    tick_quiet_max_ms: int = Field(
        default=5000,
        ge=10,
        le=600_000,
        description="A task ticks at least once per so many milliseconds, also when no price"
        " changes. Not below tick_interval_ms.",
    )
    start_timeout_s: float = Field(
        default=60.0,
        ge=1,
        le=3600,
        description="So many seconds after its state was recovered the daemon counts as started,"
        " also where tasks have not ticked yet: they are reported then.",
    )
    stop_timeout_s: float = Field(
        default=20.0,
        ge=1,
        le=600,
        description="How many seconds a graceful stop may take before it is forced.",
    )
    failures_in_a_row_max: int = Field(
        default=5,
        ge=1,
        le=1000,
        description="After so many failures in a row a task is switched off until it is tried"
        " again at the longest backoff.",
    )
    backoff_max_s: float = Field(
        default=60.0,
        ge=0.01,
        le=86_400,
        description="The wait before a failed task is started again doubles with each failure,"
        " up to so many seconds.",
    )
    strategy_stretch_max_ms: int = Field(
        default=250,
        ge=10,
        le=10_000,
        description="How many milliseconds a strategy may hold the event loop in one stretch"
        " before it is interrupted.",
    )
    strategy_callback_timeout_s: float = Field(
        default=5.0,
        ge=0.1,
        le=600,
        description="Seconds after which an awaited callback of a strategy is given up.",
    )
    strategy_threads: int = Field(
        default=8, ge=1, le=256, description="Worker threads for plain (not async) strategies."
    )
    strategy_threads_leaked_max: int = Field(
        default=3,
        ge=1,
        le=100,
        description="After so many calls that never came back the strategy's task is switched off.",
    )
    strategy_hangs_max: int = Field(
        default=3,
        ge=1,
        le=100,
        description="A strategy in whose code the daemon has hung or ended so many times in a row"
        " starts switched off, until `tickd start-task` or a reload that changes it.",
    )
    safe_mode: bool = Field(
        default=False,
        description="Run no strategy and open nothing; what is open is watched to its end. For a"
        " daemon that does not stay up (`tickd run --safe`).",
    )
    removed_tasks: Literal["refuse", "drain"] = Field(
        default="refuse",
        description="What a reload does with a task that left the configuration and holds a"
        " signal. `refuse` changes nothing at all, `drain` watches the signal to its end.",
    )
    tasks_max: int = Field(
        default=2000,
        ge=1,
        le=20_000,
        description="Most tasks (one per symbol and strategy) that a configuration may ask for.",
    )


class ExchangeSection(Section):
    """Where the prices come from."""

    id: Annotated[str, AfterValidator(values.check_exchange_id)] = Field(
        default="sandbox",
        description="`sandbox` is the embedded exchange; any ccxt id goes real, as in"
        ' `id = "binance"`.',
    )
    request_timeout_s: float = Field(
        default=10.0, ge=0.1, le=120, description="Seconds after which a request counts as lost."
    )
    clock_skew_max_ms: int = Field(
        default=500,
        ge=10,
        le=60_000,
        description="The exchange's clock is followed, with a warning, where it differs by more"
        " than so many milliseconds.",
    )
    urls: dict[str, Url] = Field(
        default={},
        examples=[{"public": "http://127.0.0.1:8090/api/v3"}],
        description="Other addresses than ccxt's own, by ccxt's name for them.",
    )
    api_key: SecretStr | None = secret_field("api_key")
    api_key_file: FilePath | None = secret_file_field(
        "api_key",
        "tickd_api_key",
        "A file that holds the API key alone, readable by its owner only.",
    )
    api_secret: SecretStr | None = secret_field("api_secret")
    api_secret_file: FilePath | None = secret_file_field(
        "api_secret",
        "tickd_api_secret",
        "A file that holds the API secret alone, readable by its owner only.",
    )


class HttpSection(Section):
    """What the daemon serves: /metrics, /livez, /readyz, /status, and the control API."""

    enabled: bool = Field(default=True, description="Serve them.")
    host: Annotated[str, AfterValidator(values.check_host)] = Field(
        default="127.0.0.1",
        description="The address to listen on. Other than loopback needs allow_remote.",
    )
    port: int = Field(
        default=8420,
        ge=0,
        le=65_535,
        description="The port to listen on; 0 takes any that is free.",
    )
    allowed_hosts: Names = Field(
        default=("127.0.0.1", "localhost", "[::1]"),
        min_length=1,
        description="Names by which clients may call the daemon (the Host header, without port).",
    )
    allow_remote: bool = Field(
        default=False,
        description="Allow an address that other machines can reach. Nothing asks for a"
        " password: put a proxy in front.",
    )
    control: bool = Field(
        default=True,
        description="Take commands too (tickd pause, close, reload ...), from whoever has the"
        " token.",
    )
    control_socket: FilePath | None = Field(
        default=None,
        examples=["/run/tickd/control.sock"],
        description="A Unix socket, for its owner alone, by which commands are taken instead of"
        " the port.",
    )
    token: SecretStr | None = secret_field("token")
    token_file: FilePath | None = secret_file_field(
        "token",
        "tickd_token",
        "A file that holds the token of the control API alone, readable by its owner"
        " only. Left out, the daemon makes one in its state folder.",
    )


class LogSection(Section):
    """What is told on the terminal or to the log collector."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe lines that are written."
    )
    format: Literal["auto", "console", "json"] = Field(
        default="auto", description="`auto` is for people on a terminal and JSON otherwise."
    )


class RiskSection(Section):
    """One risk profile. A limit that is left out does not hold."""

    name: Name = Field(description="The name by which strategies refer to the profile.")
    max_positions: int | None = Field(
        default=None, ge=1, le=100_000, examples=[2], description="Most open positions in all."
    )
    max_positions_per_symbol: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        examples=[1],
        description="Most open positions on one symbol.",
    )
    max_positions_per_side: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        examples=[2],
        description="Most open positions long, and most short.",
    )
    min_reward_risk: float | None = Field(
        default=None,
        gt=0,
        le=1000,
        examples=[1.5],
        description="Least way to the target over the way to the stop.",
    )
    max_loss_per_day_percent: float | None = Field(
        default=None,
        gt=0,
        le=100_000,
        examples=[5.0],
        description="No new positions once the closes of the UTC day add up to this loss, in"
        " percent.",
    )
    cooldown_after_loss_minutes: int | None = Field(
        default=None,
        ge=1,
        le=525_600,
        examples=[30],
        description="No new positions for so many minutes after a loss.",
    )
    allowed_hours: Hours | None = Field(
        default=None,
        min_length=1,
        examples=[[8, 9, 10]],
        description="The UTC hours (0 to 23) in which positions may be opened.",
    )
    python: FunctionPaths = Field(
        default=(),
        examples=[["./my_risk.py:only_calm_markets"]],
        description='Validations of your own: `"module:function"` or `"./file.py:function"`.',
    )


class StrategySection(Section):
    """One strategy and the symbols it trades: one task for each."""

    name: Name = Field(description="The name in state files, events and metrics.")
    path: ClassPath = Field(description='The class: `"module:Class"` or `"./file.py:Class"`.')
    symbols: Symbols = Field(min_length=1, description='Markets, as in `"BTC/USDT"`.')
    interval: SignalInterval | None = Field(
        default=None,
        examples=["15m"],
        description="How often it is asked for a signal; left out, as the class says.",
    )
    risk: Annotated[Names, AfterValidator(values.check_unique)] = Field(
        default=(),
        examples=[["careful"]],
        description="Risk profiles that must all allow a signal.",
    )
    params: dict[str, Any] = Field(
        default={},
        examples=[{"lookback": 20}],
        description="The strategy's own parameters, over those of its class.",
    )
