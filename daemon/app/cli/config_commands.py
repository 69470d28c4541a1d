"""`tickd config`: its options and help; the work is in the modules that it imports."""

# ruff: noqa: PLC0415 - late imports, so that `tickd --help` starts in a moment

from typing import Annotated

import typer

from daemon.app.cli.options import ConfigOption, JsonOption, SetOption, open_config
from daemon.app.cli.terminal import terminal_of

config = typer.Typer(
    help="Show the settings, where they come from, and what may be set.", no_args_is_help=True
)


@config.command("show", epilog="Example: [bold]tickd config show --origin[/]")
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


@config.command("schema", epilog="Example: [bold]tickd config schema > tickd.schema.json[/]")
def config_schema(context: typer.Context) -> None:
    """Print the JSON schema of the configuration, for editors."""
    from daemon.app.cli.config import schema_text

    terminal_of(context).say(schema_text())


@config.command("default", epilog="Example: [bold]tickd config default > config.toml[/]")
def config_default(context: typer.Context) -> None:
    """Print the packaged default: a config.toml with every key explained."""
    from daemon.app.config.document import render_toml

    terminal_of(context).say(render_toml().rstrip("\n"))


@config.command(
    "reference", epilog="Example: [bold]tickd config reference > docs/configuration.md[/]"
)
def config_reference(context: typer.Context) -> None:
    """Print the reference page of all settings as Markdown."""
    from daemon.app.config.document import render_markdown

    terminal_of(context).say(render_markdown().rstrip("\n"))
