"""The log of a daemon inside another program: that program says where lines go, if anywhere.

Lines go to the standard library's logger "tickd" as people read them. As with any library, without
a word of the program's own only warnings and errors show, on the standard error output.
"""

import logging

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from daemon.adapters.sinks.structured_log.console import ConsoleLine
from daemon.core.redaction import Redactor

LOGGER_NAME = "tickd"


class ProgramLogging:
    """`log` takes lines, as that of `Logging` does; none of them is ours to lose."""

    drops = 0

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._line = ConsoleLine(has_colors=False)
        log: FilteringBoundLogger = structlog.wrap_logger(
            logging.getLogger(LOGGER_NAME),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                self._render,
            ],
            wrapper_class=structlog.make_filtering_bound_logger(logging.NOTSET),
        )
        self.log = log

    def close(self) -> None:
        """Nothing was taken that would have to be given back."""

    def _render(self, _: WrappedLogger, _method: str, event: EventDict) -> str:
        clean = {
            self._redactor.redact(str(key)): self._redactor.scrub(value)
            for key, value in event.items()
        }
        # The program's own format says when it was.
        return self._line(clean).partition(" ")[2]
