"""The page for people at `/`: what it shows of the last while, and the files it is made of."""

from daemon.adapters.http.page.recent import Recent
from daemon.adapters.http.page.site import Site

__all__ = ["Recent", "Site"]
