"""Every command: its options, its help with an example, and a late import of what does the work.

What a command prints and returns is written in the module that it imports.
"""

# ruff: noqa: PLC0415 - late imports, so that `tickd --help` starts in a moment

import os
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from daemon.app.cli.alert_commands import alerts
from daemon.app.cli.backtest_commands import backtest
from daemon.app.cli.control_commands import register
from daemon.app.cli.data import data as data_app
from daemon.app.cli.history_commands import events, explain, trades
from daemon.app.cli.lookahead_commands import lookahead
from daemon.app.cli.new_commands import new
from daemon.app.cli.options import (
    ConfigOption,
    JsonOption,
    SetOption,
    TimeoutOption,
    UrlOption,
    open_config,
    parse_duration,
)
from daemon.app.cli.parity_commands import parity
from daemon.app.cli.report_commands import report
from daemon.app.cli.service_commands import install_service, report_failure
from daemon.app.cli.state_commands import journal, state
from daemon.app.cli.terminal import finish, found, terminal_of
from daemon.app.cli.walk_commands import optimize, walk

EPILOG = (
    "Exit codes: 0 all is well, 1 the answer is bad, 2 wrong command line, 69 nobody answers,"
    " 70 a bug, 75 try again later, 78 wrong configuration. --debug shows the traceback."
)

app = typer.Typer(
    name="tickd",
    help="A trading daemon: one supervised task per symbol and strategy.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
config_app = typer.Typer(
    help="Show the settings, where they come from, and what may be set.", no_args_is_help=True
)
app.add_typer(config_app, name="config")
app.add_typer(state, name="state")
app.command(epilog="Example: [bold]tickd backtest breakout --sandbox --html[/]")(backtest)
app.command(epilog="Example: [bold]tickd report --html[/]")(report)
app.command(epilog="Example: [bold]tickd walk breakout --vary lookback=10,20,40 --sandbox[/]")(walk)
app.command(epilog="Example: [bold]tickd optimize breakout --trials 24 --sandbox[/]")(optimize)
app.command(epilog="Example: [bold]tickd trades --since 24h[/]")(trades)
app.command(epilog="Example: [bold]tickd events --since 1h --kind opened --kind closed[/]")(events)
app.command(epilog="Example: [bold]tickd explain 5f0c1a[/]")(explain)
app.add_typer(journal, name="journal")
app.add_typer(alerts, name="alerts")
app.add_typer(new, name="new")
app.add_typer(data_app, name="data")
register(app)


@app.callback()
def _options(
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """A trading daemon: one supervised task per symbol and strategy."""


@app.command(epilog="Example: [bold]tickd run --for 60s --set sandbox.speed=600[/]")
def run(
    context: typer.Context,
    *,
    config: ConfigOption = None,
    settings: SetOption = None,
    stop_after: Annotated[
        str | None,
        typer.Option("--for", metavar="TIME", help="Stop after 60s, 5m or 2h of your time."),
    ] = None,
    safe: Annotated[
        bool,
        typer.Option("--safe", help="Run no strategy and open nothing; watch what is open."),
    ] = False,
) -> None:
    """Run the daemon until Ctrl-C, SIGTERM or the end of --for."""
    from daemon.adapters.hardening import keep_memory_private, show_place_at_abort
    from daemon.adapters.systemd import take_manager

    keep_memory_private()
    show_place_at_abort()
    # Before any foreign code is loaded: it must not find the manager's address.
    manager = context.with_resource(closing(take_manager(os.environ)))
    settings = [*(settings or ()), "daemon.safe_mode=true"] if safe else settings
    stop_after_s = None if stop_after is None else parse_duration(stop_after)
    loaded = open_config(terminal_of(context), config, settings)
    from daemon.app.config.environment import take_environment
    from daemon.app.loading import load_code_to_run

    # Neither strategies nor programs that they start have any use for them.
    environ = take_environment(os.environ)
    load_code_to_run(loaded.config, loaded.sources.origin)
    from daemon.app.reloading import loader_of
    from daemon.app.service import run_service

    load = loader_of(config, environ, settings or ())
    code = run_service(loaded.config, stop_after_s=stop_after_s, load=load, manager=manager)
    raise finish(code)


@app.command(epilog="Example: [bold]tickd check --config /etc/tickd/config.toml[/]")
def check(
    context: typer.Context,
    *,
    config: ConfigOption = None,
    settings: SetOption = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Leave out what needs the exchange.")
    ] = False,
) -> None:
    """Check settings, strategies, state folder and exchange, one line each."""
    from daemon.app.cli.check import check_all

    raise finish(check_all(terminal_of(context), config, settings, offline=offline))


@app.command(epilog="Example: [bold]tickd status --json | jq .tasks[/]")
def status(
    context: typer.Context,
    *,
    config: ConfigOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
    timeout_s: TimeoutOption = 5.0,
) -> None:
    """Show how the running daemon stands: its tasks, its sinks, what is wrong."""
    from daemon.app.cli.probe import find_daemon
    from daemon.app.cli.status import show_status

    address = find_daemon(config, url)
    raise found(is_good=show_status(terminal_of(context), address, timeout_s, as_json=as_json))


@app.command(epilog="Example: [bold]tickd healthcheck --live[/]")
def healthcheck(
    context: typer.Context,
    *,
    config: ConfigOption = None,
    url: UrlOption = None,
    live: Annotated[
        bool,
        typer.Option("--live", help="Ask whether the process lives, not whether it is ready."),
    ] = False,
    timeout_s: TimeoutOption = 3.0,
) -> None:
    """Exit with 0 if the running daemon is healthy, else with 1: for containers."""
    from daemon.app.cli.probe import NoAnswerError, ask_probe_page, find_daemon, summary

    terminal = terminal_of(context)
    try:
        answer = ask_probe_page(
            find_daemon(config, url), "/livez" if live else "/readyz", timeout_s
        )
    except NoAnswerError as error:
        terminal.fail(f"tickd: {error}")
        raise found(is_good=False) from None
    terminal.say(summary(answer))
    raise found(is_good=answer.status == 200)


@app.command(epilog="Example: [bold]tickd sandbox --port 8090 --speed 60 --symbols BTC/USDT[/]")
def sandbox(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    *,
    config: ConfigOption = None,
    settings: SetOption = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="The loopback port; 0 takes any.")
    ] = None,
    speed: Annotated[float | None, typer.Option(help="Market seconds per second of yours.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed makes the same market.")] = None,
    replay: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Replay these one-minute candles.")
    ] = None,
    symbols: Annotated[
        str | None, typer.Option(metavar="A/B,C/D", help="Only these pairs.")
    ] = None,
    fault_plan: Annotated[
        Path | None, typer.Option(metavar="TOML", help="A file with a \\[faults] table.")
    ] = None,
    stop_after: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="Stop after 60s, 5m or 2h.")
    ] = None,
) -> None:
    """Run the sandbox exchange alone: a Binance-like server to practise on."""
    from daemon.app.cli.sandbox import SandboxFlags, serve, with_flags

    stop_after_s = None if stop_after is None else parse_duration(stop_after)
    loaded = open_config(terminal_of(context), config, settings)
    flags = SandboxFlags(
        port=port, speed=speed, seed=seed, replay=replay, symbols=symbols, fault_plan=fault_plan
    )
    section = with_flags(loaded.config.sandbox, flags)
    state_dir = loaded.config.daemon.state_dir
    raise finish(serve(terminal_of(context), section, state_dir, stop_after_s))


@app.command(epilog="Example: [bold]tickd version --json[/]")
def version(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Print the version."""
    from daemon.app.version import version_text

    terminal_of(context).say(version_text(as_json=as_json))


app.command(epilog="Example: [bold]tickd lookahead breakout --sandbox[/]")(lookahead)
app.command(epilog="Example: [bold]tickd parity --limit 10[/]")(parity)


app.command("install-service", epilog="Example: [bold]tickd install-service --user --dry-run[/]")(
    install_service
)
app.command("report-failure", epilog="Example: [bold]tickd report-failure tickd.service[/]")(
    report_failure
)


@config_app.command("show", epilog="Example: [bold]tickd config show --origin[/]")
def config_show(
    context: typer.Context,
    *,
    config: ConfigOption = None,
    settings: SetOption = None,
    origin: Annotated[
        bool, typer.Option("--origin", help="Say where each value comes from.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show every setting as it counts, secrets masked."""
    from daemon.app.cli.config import show_config

    terminal = terminal_of(context)
    loaded = open_config(terminal, config, settings)
    show_config(terminal, loaded, with_origin=origin, as_json=as_json)


@config_app.command("schema", epilog="Example: [bold]tickd config schema > tickd.schema.json[/]")
def config_schema(context: typer.Context) -> None:
    """Print the JSON schema of the configuration, for editors."""
    from daemon.app.cli.config import schema_text

    terminal_of(context).say(schema_text())


@config_app.command("default", epilog="Example: [bold]tickd config default > config.toml[/]")
def config_default(context: typer.Context) -> None:
    """Print the packaged default: a config.toml with every key explained."""
    from daemon.app.config.document import render_toml

    terminal_of(context).say(render_toml().rstrip("\n"))


@config_app.command(
    "reference", epilog="Example: [bold]tickd config reference > docs/configuration.md[/]"
)
def config_reference(context: typer.Context) -> None:
    """Print the reference page of all settings as Markdown."""
    from daemon.app.config.document import render_markdown

    terminal_of(context).say(render_markdown().rstrip("\n"))
