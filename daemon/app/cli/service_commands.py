"""`tickd install-service` and `report-failure`: their options; the work is in what they import."""

# ruff: noqa: PLC0415 - late imports, so that `tickd --help` starts in a moment

import re
from pathlib import Path
from typing import Annotated

import typer

from daemon.app.cli.options import ConfigOption, open_config
from daemon.app.cli.terminal import finish, terminal_of

_UNIT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def install_service(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    *,
    config: ConfigOption = None,
    user: Annotated[
        bool, typer.Option("--user", help="A service of your own, without root.")
    ] = False,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="What the service is called.")
    ] = "tickd",
    into: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write there, not where systemd looks.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the units, or what would change; write none.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Write a systemd unit for this machine: this program, this configuration, hardened."""
    from daemon.app.cli.install import InstallRequest, stored_secrets
    from daemon.app.cli.install import install_service as install

    if not _UNIT_NAME.fullmatch(name):
        raise typer.BadParameter(f"{name!r} is no name of a service: letters, digits, _ and -")
    terminal = terminal_of(context)
    request = InstallRequest(
        name=name, is_user_unit=user, into=into, is_dry_run=dry_run, is_forced=force
    )
    secrets = [] if user else stored_secrets(name)
    install(terminal, open_config(terminal, config, secrets), request)


def report_failure(
    context: typer.Context,
    unit: Annotated[str, typer.Argument(help="The unit that failed: tickd.service.")],
    *,
    config: ConfigOption = None,
) -> None:
    """Tell the log and every alert sink that the service failed for good: for OnFailure=."""
    from daemon.app.cli.failure import report_failure as report

    terminal = terminal_of(context)
    raise finish(report(terminal, open_config(terminal, config, None).config, unit))
