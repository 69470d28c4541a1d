"""What Telegram tells a bot, read with suspicion: anything of another shape is nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Somebody wrote a text. `at_s` is Telegram's unix time."""

    update_id: int
    user_id: int
    chat_id: int
    text: str
    at_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """Somebody pressed a button under the message `message_id`."""

    update_id: int
    user_id: int
    chat_id: int
    query_id: str
    data: str
    message_id: int


Update = Said | Pressed


def update_id_of(update: object) -> int | None:
    """Return the number of an update."""
    return _number(update, "update_id")


def read_update(update: object) -> Update | None:
    """Return what an update says, None for what a person did not write or press."""
    update_id = update_id_of(update)
    if update_id is None:
        return None
    message, query = _part(update, "message"), _part(update, "callback_query")
    source = query or message
    user_id = _number(_part(source, "from"), "id")
    about = _part(query, "message") if query else message
    chat_id = _number(_part(about, "chat"), "id")
    if user_id is None or chat_id is None:
        return None
    if query:
        query_id, data = query.get("id"), query.get("data")
        message_id = _number(about, "message_id")
        if isinstance(query_id, str) and isinstance(data, str) and message_id is not None:
            return Pressed(
                update_id=update_id,
                user_id=user_id,
                chat_id=chat_id,
                query_id=query_id,
                data=data,
                message_id=message_id,
            )
        return None
    text, at_s = message.get("text"), _number(message, "date")
    if not isinstance(text, str) or at_s is None:
        return None
    return Said(update_id=update_id, user_id=user_id, chat_id=chat_id, text=text, at_s=at_s)


def _part(source: object, name: str) -> Mapping[str, Any]:
    part = source.get(name) if isinstance(source, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def _number(source: object, name: str) -> int | None:
    value = source.get(name) if isinstance(source, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
