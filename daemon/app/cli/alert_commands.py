"""`tickd alerts`: options and help; the work is in the module that it imports."""

# ruff: noqa: PLC0415 - late imports, so that `tickd --help` starts in a moment

import typer

from daemon.app.cli.options import ConfigOption, SetOption, open_config
from daemon.app.cli.terminal import found, terminal_of

alerts = typer.Typer(help="Try the channels that alerts go to.", no_args_is_help=True)


@alerts.command("test", epilog="Example: [bold]tickd alerts test[/]")
def alerts_test(
    context: typer.Context, *, config: ConfigOption = None, settings: SetOption = None
) -> None:
    """Send one test message to every configured channel."""
    from daemon.app.cli.alerts import send_test

    terminal = terminal_of(context)
    loaded = open_config(terminal, config, settings)
    raise found(is_good=send_test(terminal, loaded.config))


@alerts.command("chats", epilog="Example: [bold]tickd alerts chats[/]")
def alerts_chats(
    context: typer.Context, *, config: ConfigOption = None, settings: SetOption = None
) -> None:
    """List the chats that wrote to the Telegram bot lately, with their ids."""
    from daemon.app.cli.alerts import list_chats

    terminal = terminal_of(context)
    # Who looks for the id of the chat has not set it yet, and a token without one is a fault.
    loaded = open_config(terminal, config, ["alerts.telegram.chat_id=1", *(settings or ())])
    raise found(is_good=list_chats(terminal, loaded.config))
