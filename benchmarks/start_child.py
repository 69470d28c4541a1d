"""A child: `tickd run`, which first imports all that it will need and says when it has.

The arguments are those of the command line.
"""

import sys
import time

import orjson

from daemon.adapters.exchange.loading import load_exchange_class
from daemon.app import service
from daemon.app.cli import commands, main, options

LATE_IMPORTS = (commands, options, service)
"""Imported by the command line only when a command needs them."""


def run() -> None:
    """Say when the imports were done, and run."""
    load_exchange_class("binance")
    sys.stdout.buffer.write(orjson.dumps({"imported_s": time.monotonic()}) + b"\n")
    sys.stdout.flush()
    main()


if __name__ == "__main__":
    run()
