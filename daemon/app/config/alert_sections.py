"""The tables of alerts: where they go, which of them, and when.

Every channel has the same keys for what it wants told.
"""

from typing import Annotated

from pydantic import AfterValidator, Field, PlainSerializer, SecretStr

from daemon.app.config import values
from daemon.app.config.sections import (
    FilePath,
    Names,
    Section,
    Symbols,
    Url,
    secret_field,
    secret_file_field,
)
from daemon.core.alert_kinds import AlertKind, AlertLevel

SecretUrl = Annotated[
    SecretStr,
    AfterValidator(values.check_secret_url),
    PlainSerializer(values.masked_url, when_used="json"),
]
Kinds = Annotated[tuple[AlertKind, ...], Field(strict=False), AfterValidator(values.check_unique)]
Ids = Annotated[tuple[int, ...], Field(strict=False), AfterValidator(values.check_unique)]
BotToken = Annotated[SecretStr, AfterValidator(values.check_bot_token)]

# The classes that others are made of defer their validators: nobody makes one of them by itself.


class FilterSection(Section, defer_build=True):
    """What a channel wants told."""

    level: AlertLevel = Field(
        default="info",
        description="The least grave alerts that are sent: signals waiting, levels and refusals are"
        " info; openings, closes, commands, start and stop are notice; troubles are warning; what"
        " needs a person now is critical.",
    )
    kinds: Kinds = Field(
        default=(),
        examples=[["signal_opened", "signal_closed", "error", "exit"]],
        description="Only these kinds of alerts; none named: all.",
    )
    symbols: Symbols = Field(
        default=(),
        examples=[["BTC/USDT"]],
        description="Only alerts of these markets, and those of the whole daemon; none named: all.",
    )
    strategies: Annotated[Names, AfterValidator(values.check_unique)] = Field(
        default=(),
        examples=[["breakout"]],
        description="Only alerts of these strategies, and those of the whole daemon; none named:"
        " all.",
    )


class MessengerSection(FilterSection):
    """A channel that people read."""

    quiet_hours: Annotated[str, AfterValidator(values.check_hours)] | None = Field(
        default=None,
        examples=["22:00-07:00"],
        description="When only critical alerts are sent. The others wait, and come as one message"
        " at the end.",
    )
    time_zone: Annotated[str, AfterValidator(values.check_time_zone)] = Field(
        default="UTC",
        description='Of quiet_hours, by its name, as in "Europe/Berlin".',
    )
    sound_level: AlertLevel = Field(
        default="notice",
        description="Less grave alerts are sent without a sound, where the channel can do that.",
    )
    digest_over: int = Field(
        default=10,
        ge=1,
        le=100,
        description="When more alerts than this wait, they come as one message; critical ones"
        " never.",
    )


class WebhookKeys(Section, defer_build=True):
    """Where posts go."""

    url: SecretUrl | None = Field(
        default=None,
        examples=["https://example.com/hook"],
        description="Where events are posted as JSON. Shown without its path, which is often"
        " the password.",
        json_schema_extra={"masked": True},
    )
    secret: SecretStr | None = secret_field("secret")
    secret_file: FilePath | None = secret_file_field(
        "secret",
        "tickd_webhook",
        "A file that holds the secret by which posts are signed, readable by its owner only.",
    )
    timeout_s: float = Field(
        default=10.0, ge=0.1, le=120, description="Seconds after which a post counts as lost."
    )


class TelegramKeys(Section, defer_build=True):
    """Which chat, and who may command."""

    token: BotToken | None = secret_field("token")
    token_file: FilePath | None = secret_file_field(
        "token",
        "tickd_telegram_token",
        "A file that holds the token that @BotFather gave, readable by its owner only.",
    )
    chat_id: int | None = Field(
        default=None,
        examples=[123456789],
        description="The chat that alerts go to; groups have negative ids.",
    )
    thread_id: int | None = Field(
        default=None, ge=1, examples=[4], description="The topic within a group that has topics."
    )
    base_url: Url = Field(
        default="https://api.telegram.org",
        description="The server of the Bot API: Telegram's, or one of your own.",
    )
    timeout_s: float = Field(
        default=10.0, ge=0.1, le=120, description="Seconds after which a request counts as lost."
    )
    users: Ids = Field(
        default=(),
        examples=[[123456789]],
        description="The ids of the people whose commands are taken; none named: no commands.",
    )
    command_chats: Ids = Field(
        default=(),
        examples=[[123456789]],
        description="The chats in which commands are taken; none named: chat_id alone.",
    )
    confirm_timeout_s: float = Field(
        default=60.0,
        ge=5,
        le=3600,
        description="Seconds after which the button that confirms a command is worth nothing.",
    )
    card: bool = Field(
        default=False,
        description="Keep one message in the chat that shows how the daemon stands, and edit it.",
    )
    card_interval_s: float = Field(
        default=60.0, ge=10, le=86_400, description="Seconds between two edits of the card."
    )


class AppriseKeys(Section, defer_build=True):
    """Which service."""

    url: SecretStr | None = secret_field("url")
    url_file: FilePath | None = secret_file_field(
        "url",
        "tickd_apprise_url",
        "A file that holds the service's address as apprise writes it, which is a password.",
    )
    timeout_s: float = Field(
        default=20.0, ge=0.1, le=120, description="Seconds after which a message counts as lost."
    )


# The bases are in this order so that where alerts go is written before what is wanted.
class WebhookSection(FilterSection, WebhookKeys):
    """Alerts sent to a URL as signed JSON, at least once each."""


class TelegramSection(MessengerSection, TelegramKeys):
    """Alerts to a Telegram chat, and commands from it. It needs a token and a chat_id."""


class AppriseSection(MessengerSection, AppriseKeys):
    """Alerts by any service that apprise knows (mail, Slack, Discord, ntfy, ...): an extra."""


class AlertsSection(Section):
    """Where alerts are sent: each channel reads the journal behind a place of its own."""

    webhook: WebhookSection = Field(default=WebhookSection(), description="A URL of your own.")
    telegram: TelegramSection = Field(default=TelegramSection(), description="A Telegram chat.")
    apprise: AppriseSection = Field(default=AppriseSection(), description="Any other service.")
