"""Who may ask: a browser that a foreign page has lured here gives itself away by its Host."""

from collections.abc import Iterable
from urllib.parse import urlsplit

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


class AllowedHosts:
    """Names by which clients may call the daemon: the loopback names and `extra` ones."""

    def __init__(self, extra: Iterable[str] = ()) -> None:
        self._names = LOOPBACK_NAMES | {_canonical(name) for name in extra if name}

    def accepts(self, host_headers: list[str]) -> bool:
        """Say whether a request with these Host headers is meant for us; there must be one."""
        return len(host_headers) == 1 and _name_of(host_headers[0]) in self._names

    def accepts_origin(self, origin: str) -> bool:
        """Say whether a page of `origin` is one of ours."""
        try:
            return _name_of(urlsplit(origin).netloc) in self._names
        except ValueError:
            return False


def _canonical(name: str) -> str:
    bare = name.strip().lower().rstrip(".")
    return f"[{bare}]" if ":" in bare and not bare.startswith("[") else bare


def _name_of(authority: str) -> str:
    """Return the name in "name:port", lower case; empty where it is no such thing."""
    text = authority.strip().lower()
    if text.startswith("["):
        name, bracket, rest = text.partition("]")
        name += bracket
        colon, port = rest[:1], rest[1:]
    else:
        name, colon, port = text.partition(":")
    if colon not in ("", ":") or (port and not (port.isascii() and port.isdigit())):
        return ""
    return name.rstrip(".")
