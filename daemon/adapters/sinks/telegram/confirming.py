"""Buttons that confirm a change: each works once, for the one who asked, for a while."""

from collections.abc import Callable
from dataclasses import dataclass

from daemon.adapters.sinks.telegram.commands import Request

WAITING_MAX = 50
"""The oldest question is forgotten when there are more: its button has expired then."""


@dataclass(frozen=True, slots=True)
class _Asked:
    request: Request
    until_s: float


class Confirmations:
    """Keeps what was asked back for, in memory alone: no button outlives the process.

    So nothing can be done twice or late by a restart. `make_token` makes what nobody can guess.
    """

    def __init__(self, make_token: Callable[[], str], life_s: float) -> None:
        self._make_token = make_token
        self._life_s = life_s
        self._asked: dict[str, _Asked] = {}

    def ask(self, request: Request, now_s: float) -> str:
        """Return the token of a new question."""
        token = self._make_token()
        self._asked[token] = _Asked(request, now_s + self._life_s)
        while len(self._asked) > WAITING_MAX:
            self._asked.pop(next(iter(self._asked)))
        return token

    def take(self, token: str, user_id: int, chat_id: int, now_s: float) -> Request | None:
        """Return what the token confirms, once; None where it is worth nothing.

        Somebody else's press takes nothing away from the one who asked.
        """
        asked = self._asked.get(token)
        if asked is None or (asked.request.user_id, asked.request.chat_id) != (user_id, chat_id):
            return None
        del self._asked[token]
        return asked.request if now_s < asked.until_s else None
