"""The daemon as a child: its own command line, with a configuration made for a benchmark."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import orjson

from benchmarks.process import Child, ChildError

STRATEGIES = Path(__file__).parent / "strategies.py"
TAPE = "TICKD_BENCH_TAPE"
POSITIONS_S_MAX = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Where the exchange's process listens."""

    rest: str
    ws: str
    root: str

    @classmethod
    def of(cls, told: dict[str, object]) -> "Outside":
        """Return the addresses that the exchange's child has told."""
        return cls(rest=str(told["rest"]), ws=str(told["ws"]), root=str(told["root"]))

    @property
    def ccxt_options(self) -> dict[str, object]:
        """Return constructor arguments for a plain ccxt client."""
        return {
            "urls": {"api": {"public": self.rest, "ws": {"spot": self.ws}}},
            "options": {
                "defaultType": "spot",
                "fetchMarkets": {"types": ["spot"]},
                "fetchCurrencies": False,
                "fetchMargins": False,
            },
        }

    @property
    def ccxt_json(self) -> str:
        """Return the same as JSON, for a child's arguments."""
        return orjson.dumps(self.ccxt_options).decode()

    def requests(self) -> int:
        """Return how many REST requests the exchange has answered so far."""
        counted = fetch(f"{self.root}/sandbox/requests")["requests"]
        return sum(count for path, count in counted.items() if path.startswith("/api/"))


def write_config(
    folder: Path, outside: Outside, symbols: Sequence[str], strategies: Sequence[tuple[str, str]]
) -> Path:
    """Write the configuration of a daemon that trades every symbol by every (name, class)."""
    quoted = ", ".join(f'"{symbol}"' for symbol in symbols)
    tables = "".join(
        f'[[strategies]]\nname = "{name}"\npath = "{STRATEGIES}:{kind}"\nsymbols = [{quoted}]\n'
        for name, kind in strategies
    )
    text = f"""
[exchange]
id = "binance"
urls = {{ public = "{outside.rest}", "ws.spot" = "{outside.ws}" }}
[rules]
align = false  # ask at once, not at the next minute
[daemon]
state_dir = "{folder / "dump"}"
[http]
port = 0
[log]
format = "json"
{tables}"""
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


@contextmanager
def daemon(
    config: Path, tape: Path | None = None, *, runner: Sequence[str] = ("-m", "daemon")
) -> Iterator[Child]:
    """Run `tickd run` on `config`; what it emits goes to the file `tape` when it ends."""
    arguments = [*runner, "run", "--config", str(config)]
    started = Child(arguments, config.parent, {TAPE: str(tape)} if tape else {})
    try:
        yield started
    finally:
        started.end()


def pages_of(started: Child) -> str:
    """Return where the daemon's pages are, from its log line."""
    while True:
        told = started.hear()
        if told.get("event") == "started":
            return str(told["pages"])


def wait_for_positions(pages: str, count: int) -> None:
    """Wait until so many tasks hold their position. Raises ChildError."""
    until_s = time.monotonic() + POSITIONS_S_MAX
    while sum(task["state"] == "active" for task in fetch(f"{pages}/status")["tasks"]) < count:
        if time.monotonic() > until_s:
            raise ChildError(f"the positions did not open in {POSITIONS_S_MAX:.0f} s")
        time.sleep(0.2)


def fetch(url: str) -> dict[str, Any]:
    """Return a page of JSON."""
    with urlopen(url, timeout=5.0) as answer:
        page: dict[str, Any] = orjson.loads(answer.read())
    return page
