"""The daemon's pages for scrapers, probes and people, on loopback."""

from daemon.adapters.http.api import Api
from daemon.adapters.http.errors import BindError, PortInUseError, PublicAddressError
from daemon.adapters.http.server import HttpServer

__all__ = ["Api", "BindError", "HttpServer", "PortInUseError", "PublicAddressError"]
