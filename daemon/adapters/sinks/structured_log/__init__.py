"""Logs: one line an event, for people on a terminal and for machines as JSON."""

from daemon.adapters.sinks.structured_log.library import ProgramLogging
from daemon.adapters.sinks.structured_log.setup import Logging, configure_logging
from daemon.adapters.sinks.structured_log.sink import LogSink

__all__ = ["LogSink", "Logging", "ProgramLogging", "configure_logging"]
