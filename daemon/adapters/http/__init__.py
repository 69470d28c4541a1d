"""The daemon's pages for scrapers, probes and people, on loopback."""

from daemon.adapters.http.errors import BindError, PortInUseError, PublicAddressError
from daemon.adapters.http.server import HttpServer

__all__ = ["BindError", "HttpServer", "PortInUseError", "PublicAddressError"]
