"""The channels of alerts that the configuration names: what each sends, and how it is ended."""

from dataclasses import dataclass

from daemon.adapters.clock import WallClock
from daemon.adapters.sinks.telegram.api import BotApi
from daemon.adapters.sinks.telegram.chat import Chat
from daemon.adapters.sinks.webhook import Target, WebhookAlertSink
from daemon.app.config.alert_sections import (
    AppriseSection,
    FilterSection,
    MessengerSection,
    TelegramSection,
    WebhookSection,
)
from daemon.app.config.settings import Config
from daemon.app.config.values import time_zone_of
from daemon.app.extras import apprise_library
from daemon.app.quiet_hours import ALWAYS_LOUD, QuietHours
from daemon.core.alerts import AlertFilter
from daemon.core.redaction import Redactor
from daemon.live.alert_lane import AlertLane, MessengerPreferences
from daemon.ports import AlertSink, Messenger


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """Everything that alerts go out by. `messengers` are those that people read, by name."""

    webhook: WebhookAlertSink | None = None
    api: BotApi | None = None
    chat: Chat | None = None
    messengers: tuple[tuple[str, Messenger, MessengerPreferences], ...] = ()

    @property
    def sinks(self) -> tuple[AlertSink, ...]:
        """Return the sinks that read the journal: two for each messenger."""
        webhook: tuple[AlertSink, ...] = () if self.webhook is None else (self.webhook,)
        lanes = tuple(
            AlertLane(
                f"{name}_critical" if is_urgent else name,
                messenger,
                preferences,
                is_urgent=is_urgent,
            )
            for name, messenger, preferences in self.messengers
            for is_urgent in (True, False)
        )
        return (*webhook, *lanes)

    async def aclose(self) -> None:
        """Give every connection back."""
        if self.webhook is not None:
            await self.webhook.close()
        if self.api is not None:
            await self.api.close()


def open_channels(config: Config, redactor: Redactor) -> Channels:
    """Return the channels of `config`; nothing is connected yet. Raises MissingLibraryError."""
    alerts = config.alerts
    messengers: list[tuple[str, Messenger, MessengerPreferences]] = []
    api = telegram_api(alerts.telegram)
    chat = None if api is None else telegram_chat(alerts.telegram, api, redactor)
    if chat is not None:
        messengers.append(("telegram", chat, _preferences(alerts.telegram)))
    if (apprise := _apprise(alerts.apprise, redactor)) is not None:
        messengers.append(("apprise", apprise, _preferences(alerts.apprise)))
    return Channels(
        webhook=_webhook(alerts.webhook, redactor),
        api=api,
        chat=chat,
        messengers=tuple(messengers),
    )


def telegram_api(section: TelegramSection) -> BotApi | None:
    """Return what calls Telegram, None without a token."""
    if section.token is None:
        return None
    token = section.token.get_secret_value()
    return BotApi(token, section.base_url, timeout_s=section.timeout_s)


def telegram_chat(section: TelegramSection, api: BotApi, redactor: Redactor) -> Chat | None:
    """Return the chat that alerts go to, None where none is named."""
    if section.chat_id is None:
        return None
    return Chat(api, section.chat_id, redactor.redact, thread_id=section.thread_id)


def _webhook(section: WebhookSection, redactor: Redactor) -> WebhookAlertSink | None:
    if section.url is None:
        return None
    secret = None if section.secret is None else section.secret.get_secret_value()
    target = Target(url=section.url.get_secret_value(), secret=secret, timeout_s=section.timeout_s)
    return WebhookAlertSink(target, WallClock(), redactor, _filter(section))


def _apprise(section: AppriseSection, redactor: Redactor) -> Messenger | None:
    if section.url is None:
        return None
    with apprise_library():
        from daemon.adapters.sinks.apprise_messenger import (  # noqa: PLC0415 - an extra
            AppriseMessenger,
        )
    return AppriseMessenger(section.url.get_secret_value(), redactor.redact, section.timeout_s)


def _filter(section: FilterSection) -> AlertFilter:
    return AlertFilter(
        level=section.level,
        kinds=frozenset(section.kinds),
        symbols=frozenset(section.symbols),
        strategies=frozenset(section.strategies),
    )


def _preferences(section: MessengerSection) -> MessengerPreferences:
    quiet_s = ALWAYS_LOUD
    if section.quiet_hours is not None:
        zone = time_zone_of(section.time_zone)
        quiet_s = QuietHours(section.quiet_hours, zone, WallClock()).wait_s
    return MessengerPreferences(
        wanted=_filter(section),
        sound_level=section.sound_level,
        digest_over=section.digest_over,
        quiet_s=quiet_s,
    )
