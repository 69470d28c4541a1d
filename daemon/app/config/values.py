"""Checks of single values. Each returns the value, or raises ValueError with what to write."""

import ipaddress
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, SecretStr

Item = TypeVar("Item")

MASK = "**********"
NAME_LENGTH_MAX = 100
YEAR_MIN, YEAR_MAX = 1971, 2200
_SYMBOL = re.compile(r"[^\s/:]{1,40}/[^\s/:]{1,40}(:[^\s/:]{1,40}(-[^\s/:]{1,40})*)?")
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_QUOTES = ("USDT", "USDC", "FDUSD", "BUSD", "TUSD", "USD", "EUR", "BTC", "ETH", "BNB")
_HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(\.(?!-)[A-Za-z0-9-]{1,63})*")
_BOT_TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]{10,200}")
_TIME = r"((?:[01]\d|2[0-3]):[0-5]\d)"
_HOURS = re.compile(f"{_TIME}-{_TIME}")


def check_path(path: object) -> object:
    """Return a path with `~` replaced; what is no path is left to the check of types."""
    if not isinstance(path, str | Path):
        return path
    if not str(path).strip() or "\0" in str(path):
        raise ValueError("must be a path, not an empty text")
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ValueError(f"names a home folder that is not known: {path}") from None


def check_name(name: str) -> str:
    """Return a name that can stand in a file name, a log line and a metric label."""
    if not name.strip() or name != name.strip():
        raise ValueError("must not be empty or begin or end with a space")
    if not name.isprintable() or len(name) > NAME_LENGTH_MAX:
        raise ValueError(f"must be printable and at most {NAME_LENGTH_MAX} characters long")
    return name


def check_symbol(symbol: str) -> str:
    """Return a market as ccxt writes it: base/quote, or base/quote:settle."""
    if not symbol.isprintable() or not _SYMBOL.fullmatch(symbol):
        likely = likely_symbol(symbol)
        hint = f'did you mean "{likely}"?' if likely else 'write it as in "BTC/USDT"'
        raise ValueError(f"{symbol!r} is no market: {hint}")
    if symbol.islower():
        raise ValueError(f'{symbol!r} is no market: did you mean "{symbol.upper()}"?')
    return symbol


def likely_symbol(text: str) -> str:
    """Return what "btcusdt", "BTC-USDT" or "BTC_USDT" was meant to be, or an empty text."""
    plain = re.sub(r"[\s_/-]", "", text).upper()
    if not plain.isalnum():
        return ""
    for quote in _QUOTES:
        if plain.endswith(quote) and len(plain) > len(quote):
            return f"{plain.removesuffix(quote)}/{quote}"
    return ""


def check_unique(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """Return a list in which nothing stands twice."""
    twice = sorted(item for item, count in Counter(map(str, items)).items() if count > 1)
    if twice:
        raise ValueError(f"{', '.join(twice)} stands there twice: keep one")
    return items


def check_reference(text: str) -> str:
    """Return the place of a class or a function: `module:Name` or `file.py:Name`."""
    place, colon, name = text.rpartition(":")
    if not colon or not _IDENTIFIER.fullmatch(name):
        raise ValueError('must be "module:Name" or "./file.py:Name"')
    if place.endswith(".py"):
        check_path(place)
    elif not _MODULE.fullmatch(place):
        raise ValueError(
            f"{place!r} is neither a module (package.module) nor a file that ends in .py"
        )
    return text


def check_url(url: str) -> str:
    """Return a plain http(s) or ws(s) address without a user or a password in it."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https", "ws", "wss"} or not parts.hostname:
        raise ValueError("must be an address as in https://host/path")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or a password")
    if not url.isprintable() or " " in url:
        raise ValueError("must not hold spaces or control characters")
    return url


def check_secret_url(url: SecretStr) -> SecretStr:
    """Return an http(s) address; it is never told in an error."""
    try:
        scheme = urlsplit(check_url(url.get_secret_value())).scheme
    except ValueError as error:
        raise ValueError(str(error)) from None
    if not scheme.startswith("http"):
        raise ValueError("must be an address as in https://host/path")
    return url


def masked_url(url: SecretStr | None) -> str | None:
    """Return an address without what may be a password: its scheme and its host alone."""
    if url is None:
        return None
    parts = urlsplit(url.get_secret_value())
    return f"{parts.scheme}://{parts.hostname}/{MASK}"


def check_exchange_id(text: str) -> str:
    """Return an exchange's id in the form that ccxt gives them."""
    if not re.fullmatch("[a-z0-9]{2,40}", text):
        raise ValueError('must be a ccxt id in lower case, as in "binance"')
    return text


def check_host(host: str) -> str:
    """Return an address or a name to listen on."""
    if not is_ip(host) and not _HOST.fullmatch(host):
        raise ValueError('must be an address as in "127.0.0.1" or "::1", without a port')
    return host


def is_ip(host: str) -> bool:
    """Say whether `host` is an address rather than a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach `host`."""
    return host == "localhost" or (is_ip(host) and ipaddress.ip_address(host).is_loopback)


def as_utc(moment: datetime) -> datetime:
    """Return a moment in UTC; one without a time zone is UTC.

    Raises ValueError for a year in which no market was ever traded.
    """
    if not YEAR_MIN <= moment.year <= YEAR_MAX:
        raise ValueError(f"must lie in the years {YEAR_MIN} to {YEAR_MAX}")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def check_bot_token(token: SecretStr) -> SecretStr:
    """Return a token of Telegram's form; it is never told in an error."""
    if not _BOT_TOKEN.fullmatch(token.get_secret_value()):
        raise ValueError("is no token as @BotFather gives them: digits, a colon, letters")
    return token


def check_hours(text: str) -> str:
    """Return a span of the day as "22:00-07:00"."""
    found = _HOURS.fullmatch(text)
    if found is None or found[1] == found[2]:
        raise ValueError('must be two different times as in "22:00-07:00"')
    return text


def check_time_zone(name: str) -> str:
    """Return the name of a time zone that this machine knows."""
    try:
        time_zone_of(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"{name!r} is no time zone that this machine knows"
        raise ValueError(f'{message}: as in "Europe/Berlin" (is tzdata installed?)') from None
    return name


def time_zone_of(name: str) -> tzinfo:
    """Return a time zone; UTC is there also where the machine has no list of zones."""
    return UTC if name == "UTC" else ZoneInfo(name)


def _refuse_live(value: object) -> object:
    if value == "live":
        raise ValueError(
            "live trading is not in this version: no orders are placed"
            ' (write "signal", and act on its events yourself)'
        )
    return value


LIVE_IS_REFUSED = BeforeValidator(_refuse_live)


def joined(items: Sequence[str]) -> str:
    """Return "a, b or c"."""
    return " or ".join(filter(None, (", ".join(items[:-1]), items[-1]))) if items else ""
