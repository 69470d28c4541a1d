"""Every command: where it lives, and the example that its help shows.

What a command line names is loaded, and nothing of the others: their options alone would take
longer than many a command. Modules that do the work are imported inside the commands; what a
command prints and returns is written there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated

import typer

EPILOG = (
    "Exit codes: 0 all is well, 1 the answer is bad, 2 wrong command line, 69 nobody answers,"
    " 70 a bug, 75 try again later, 78 wrong configuration. --debug shows the traceback."
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command lives, below this package; without an `example` it is a group of commands."""

    name: str
    module: str
    example: str = ""

    def add_to(self, app: typer.Typer) -> None:
        """Load the command and add it to `app`."""
        home = import_module(f"{__package__}.{self.module}")
        found = getattr(home, self.name.replace("-", "_"))
        if self.example:
            app.command(self.name, epilog=f"Example: [bold]{self.example}[/]")(found)
        else:
            app.add_typer(found, name=self.name)


PLACES = (
    Place("backtest", "backtest_commands", "tickd backtest breakout --sandbox --html"),
    Place("report", "report_commands", "tickd report --html"),
    Place("walk", "walk_commands", "tickd walk breakout --vary lookback=10,20,40 --sandbox"),
    Place("optimize", "walk_commands", "tickd optimize breakout --trials 24 --sandbox"),
    Place("trades", "history_commands", "tickd trades --since 24h"),
    Place("events", "history_commands", "tickd events --since 1h --kind opened --kind closed"),
    Place("explain", "history_commands", "tickd explain 5f0c1a"),
    Place("pause", "control_commands", "tickd pause BTC/USDT breakout"),
    Place("resume", "control_commands", "tickd resume --all"),
    Place("stop-task", "control_commands", "tickd stop-task breakout"),
    Place("start-task", "control_commands", "tickd start-task breakout"),
    Place("close", "control_commands", "tickd close BTC/USDT breakout"),
    Place("cancel", "control_commands", "tickd cancel ETH/USDT pullback"),
    Place("reload", "control_commands", "tickd reload --drain"),
    Place("run", "daemon_commands", "tickd run --for 60s --set sandbox.speed=600"),
    Place("check", "daemon_commands", "tickd check --config /etc/tickd/config.toml"),
    Place("status", "daemon_commands", "tickd status --json | jq .tasks"),
    Place("healthcheck", "daemon_commands", "tickd healthcheck --live"),
    Place("sandbox", "daemon_commands", "tickd sandbox --port 8090 --speed 60 --symbols BTC/USDT"),
    Place("version", "daemon_commands", "tickd version --json"),
    Place("lookahead", "lookahead_commands", "tickd lookahead breakout --sandbox"),
    Place("parity", "parity_commands", "tickd parity --limit 10"),
    Place("install-service", "service_commands", "tickd install-service --user --dry-run"),
    Place("report-failure", "service_commands", "tickd report-failure tickd.service"),
    Place("config", "config_commands"),
    Place("state", "state_commands"),
    Place("journal", "state_commands"),
    Place("alerts", "alert_commands"),
    Place("new", "new_commands"),
    Place("data", "data"),
)
"""In the order of `tickd --help`."""


def app_for(arguments: Sequence[str] = ()) -> typer.Typer:
    """Return the command line with the command that `arguments` begin with, or with all of them."""
    app = typer.Typer(
        name="tickd",
        help="A trading daemon: one supervised task per symbol and strategy.",
        epilog=EPILOG,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.callback()(_options)
    named = [place for place in PLACES if arguments and place.name == arguments[0]]
    for place in named or PLACES:
        place.add_to(app)
    return app


def _options(
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """A trading daemon: one supervised task per symbol and strategy."""
