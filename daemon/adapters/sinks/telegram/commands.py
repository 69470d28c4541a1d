"""The commands that a chat may send: their names, other bots' names for the same, how they read."""

from dataclasses import dataclass
from typing import Protocol

from daemon.core.alert_words import Words
from daemon.core.plain_text import one_line

ARGUMENTS_MAX = 8
ARGUMENT_LENGTH_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command. `aliases` mean the same in freqtrade; a change is asked back for."""

    name: str
    help: str
    usage: str = ""
    aliases: tuple[str, ...] = ()
    is_change: bool = False


COMMANDS = (
    Command(name="status", help="how everything stands", aliases=("status_table", "table")),
    Command(name="positions", help="what is open, and what waits"),
    Command(name="profit", help="what the strategies earned"),
    Command(name="daily", usage="[days]", help="what each day earned"),
    Command(name="performance", help="what each symbol earned"),
    Command(name="trades", usage="[count]", help="the last closed positions"),
    Command(
        name="pause",
        usage="[who]",
        help="open nothing new",
        aliases=("stopentry", "stopbuy"),
        is_change=True,
    ),
    Command(name="resume", usage="[who]", help="end a pause", is_change=True),
    Command(
        name="stop",
        usage="who",
        help="stop a strategy: drop what waits, watch what is open to its end",
        is_change=True,
    ),
    Command(name="start", usage="who", help="start what was stopped", is_change=True),
    Command(
        name="close",
        usage="who",
        help="close open positions now",
        aliases=("forceexit", "forcesell", "fx"),
        is_change=True,
    ),
    Command(name="cancel", usage="who", help="drop waiting signals", is_change=True),
    Command(
        name="reload",
        help="take the configuration anew",
        aliases=("reload_config",),
        is_change=True,
    ),
    Command(name="logs", usage="[count]", help="the newest events"),
    Command(name="health", help="is it well? the reasons if not"),
    Command(name="version", help="which tickd this is"),
    Command(name="help", help="this list"),
)
BY_NAME = {name: command for command in COMMANDS for name in (command.name, *command.aliases)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asks for."""

    command: Command
    arguments: tuple[str, ...]
    user_id: int
    chat_id: int

    @property
    def text(self) -> str:
        """Return it as it could have been typed."""
        return " ".join((f"/{self.command.name}", *self.arguments))

    @property
    def identity(self) -> str:
        """Return who asks."""
        return f"user {self.user_id} chat {self.chat_id}"


class Responder(Protocol):
    """Who answers commands: it knows the daemon, and nothing of Telegram."""

    async def answer(self, request: Request) -> Words:
        """Answer a question. Raises TickdError, in words for people."""
        ...

    async def preview(self, request: Request) -> Words:
        """Say what a change would do. Raises TickdError where it cannot be done."""
        ...

    async def carry_out(self, request: Request) -> Words:
        """Do it, and say what came of it. Raises TickdError."""
        ...


def parse(text: str, bot_name: str) -> tuple[Command, tuple[str, ...]] | None:
    """Return the command of a text and its arguments; None for what is none, or another bot's.

    `/start` alone is what every client sends first: it asks for help.
    """
    words = one_line(text).split(" ")
    name, _, addressee = words[0].partition("@")
    if not name.startswith("/") or (addressee and addressee.lower() != bot_name.lower()):
        return None
    arguments = tuple(word[:ARGUMENT_LENGTH_MAX] for word in words[1 : ARGUMENTS_MAX + 1])
    command = BY_NAME.get(name[1:].lower())
    if command is None or (command.name == "start" and not arguments):
        return BY_NAME["help"], ()
    return command, arguments


def help_words() -> Words:
    """Return the list of commands."""
    lines = [
        f"/{command.name}{f' {command.usage}' if command.usage else ''}: {command.help}"
        for command in COMMANDS
    ]
    who = "who: a symbol, a strategy, both, a signal's id, or all"
    return Words("tickd", (*lines, who))
