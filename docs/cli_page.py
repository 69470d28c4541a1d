"""Makes `cli.md` from the commands themselves: their help, their options, the exit codes."""
# ruff: noqa: INP001 - a script beside the pages that it writes, not a package

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import typer

from daemon.app.cli.commands import app_for
from daemon.app.exit_codes import ExitCode

_HEAD = """\
# Command line

Generated from the code by `python -m docs.generate`; a test compares the two.

`tickd --help` lists the commands, `tickd COMMAND --help` the options of one, with an example.
`python -m daemon` is the same program. In a checkout it stands in `.venv/bin/tickd`.

| command | what it does |
|---|---|
"""

_SHARED = """
## Options that many commands have

- `--config FILE` (`-c`): the configuration; else `$TICKD_CONFIG`, else `./config.toml`, else the
  packaged default, which is then said.
- `--set section.key=value`: overrides one setting, before the environment and the file; may be
  given several times. A list or a table is written as JSON. Secrets are refused here: every user of
  the machine can read a command line.
- `--json`: output for programs. Without it the output is for people and may change.
- `--folder PATH` (state and journal): that folder, whatever the configuration says.
- `--debug` (before or after any command): shows the traceback of an error. Without it no error is
  more than a line, which says what is wrong, where, and how to mend it.
"""

_CODES_HEAD = """
## Exit codes

| code | meaning | try again? |
|---|---|---|
"""

_MEANING: Mapping[ExitCode, tuple[str, str]] = MappingProxyType(
    {
        ExitCode.OK: ("All is well.", ""),
        ExitCode.FINDINGS: (
            "The question was answered, and the answer is bad: unhealthy, failed, damaged.",
            "no",
        ),
        ExitCode.DISHONEST: (
            "`tickd lookahead` caught the strategy: it knows what it must not know.",
            "no",
        ),
        ExitCode.USAGE: ("The command line is wrong.", "no"),
        ExitCode.UNAVAILABLE: (
            "Nobody answers: no daemon runs there, or the exchange refuses for good.",
            "no",
        ),
        ExitCode.INTERNAL: (
            "A bug in tickd. Run it again with `--debug` and report what it prints.",
            "yes",
        ),
        ExitCode.TEMPORARY: (
            "Later: another daemon holds the state folder, the network is away, the disk is full.",
            "yes",
        ),
        ExitCode.CONFIG: (
            "The configuration cannot be used: a setting, a strategy, a folder, a taken port.",
            "no",
        ),
        ExitCode.INTERRUPTED: ("Stopped by Ctrl-C before the command was done.", ""),
    }
)

_FOOT = """
`tickd run` ends with 0 after a graceful stop (SIGTERM, Ctrl-C, `--for`); a second signal ends it
at once, which loses nothing but the grace. `tickd check` ends with 78 where the configuration
cannot be used and with 1 where anything else fails. A strategy that cannot be loaded keeps no other
from starting: `tickd run` ends with 78 only where none can, and reports the broken one as switched
off; `tickd check` fails for each. For systemd:
`RestartPreventExitStatus=2 69 78`.
"""

# Commands and options are of classes that typer keeps to itself: hence `Any`.
_SHARED_NAMES = {"config", "settings", "folder", "as_json", "help"}


def render_cli() -> str:
    """Return `cli.md`."""
    commands = list(_commands(typer.main.get_command(app_for()), "tickd"))
    parts = [_HEAD]
    parts += [f"| `{name}` | {_plain(command.help)} |\n" for name, command in commands]
    parts.append(_SHARED)
    parts += [_section(name, command) for name, command in commands]
    parts.append(_CODES_HEAD)
    for code in ExitCode:
        meaning, again = _MEANING[code]
        parts.append(f"| {code.value} | {meaning} | {again} |\n")
    parts.append(_FOOT)
    return "".join(parts)


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - click's
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for child_name, child in children.items():
        yield from _commands(child, f"{name} {child_name}")


def _section(name: str, command: Any) -> str:  # noqa: ANN401 - as above
    own = [param for param in command.params if param.name not in _SHARED_NAMES]
    example = _plain(command.epilog).removeprefix("Example: ")
    rows = "".join(f"| {_option(param)} | {_plain(param.help)} |\n" for param in own)
    table = f"\n| option | what it does |\n|---|---|\n{rows}" if rows else ""
    return f"\n### `{name}`\n\n{_plain(command.help)} Example:\n\n```text\n{example}\n```\n{table}"


def _option(param: Any) -> str:  # noqa: ANN401 - as above
    if param.param_type_name == "argument":
        return f"`{param.name.upper()}`"
    value = "" if param.is_flag else f" {param.metavar or param.name.upper()}"
    return ", ".join(f"`{name}{value}`" for name in param.opts)


def _plain(text: str | None) -> str:
    """Return a help text on one line, without the marks that colour it."""
    words = " ".join((text or "").split()).replace("\\[", "\0")
    return re.sub(r"\[/?[a-z ]*\]", "", words).replace("\0", "[")
