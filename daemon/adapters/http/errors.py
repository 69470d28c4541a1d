"""Why the pages cannot be served, each with its remedy."""

from daemon.core.errors import FatalError


class BindError(FatalError):
    """The daemon cannot listen on the address that it was given."""


class PortInUseError(BindError):
    """Somebody else listens there already."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"port {port} on {host} is in use: another program listens there, perhaps another"
            " tickd. Stop it, or choose another port: `port` under [http], or TICKD__HTTP__PORT;"
            " 0 takes any that is free."
        )
        self.host = host
        self.port = port


class PublicAddressError(BindError):
    """The address can be reached from other machines, and nothing asks for a password."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"other machines could reach {host or 'every address'!s}, and the pages ask for no"
            " password. Listen on 127.0.0.1, or set `allow_remote = true` under [http] and put a"
            " proxy in front."
        )
        self.host = host
