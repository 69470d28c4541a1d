"""The embedded sandbox exchange: started with the daemon, and going on where it left off.

Its market is a function of seed and time, so all that must be kept is when it is: a small file
beside the state folders. The journal may know of a later time than that file; the later one wins,
or what happened before a crash would lie in the future.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.adapters.candles import read_candles
from daemon.adapters.storage.files import read_file, write_file
from daemon.app.config.sandbox import SandboxSection
from daemon.core.candles import DAY_MS, MINUTE_MS
from daemon.simulation.clock import SandboxClock
from daemon.simulation.fault_file import parse_fault_plan
from daemon.simulation.generator import GeneratedMarket
from daemon.simulation.market import Market, MarketSpec
from daemon.simulation.replay import ReplayedMarket, fill_gaps, spec_of_candles
from daemon.simulation.server.app import SandboxServer
from daemon.simulation.server.client import SandboxAddress

HISTORY_MS = 10 * DAY_MS
"""How much history a new market has before its first moment, for strategies that read back."""
