"""The commands of the daemon itself: options and help; the work is in what they import."""

# ruff: noqa: PLC0415 - late imports, so that `tickd --help` starts in a moment

import os
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from daemon.app.cli.options import (
    ConfigOption,
    JsonOption,
    SetOption,
    TimeoutOption,
    UrlOption,
    open_config,
    parse_duration,
)
from daemon.app.cli.terminal import finish, found, terminal_of


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


def version(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Print the version."""
    from daemon.app.version import version_text

    terminal_of(context).say(version_text(as_json=as_json))
