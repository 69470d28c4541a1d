"""Sets logging up once for the process: our own lines and those of every library, one way out.

Whatever goes out has passed the redactor: fields, texts, and tracebacks, which never show local
variables.
"""

import atexit
import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping, MutableMapping
from types import MappingProxyType, TracebackType
from typing import Any, Literal

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from daemon.adapters.sinks.structured_log.clean import visible_deep
from daemon.adapters.sinks.structured_log.console import ConsoleLine
from daemon.adapters.sinks.structured_log.writer import LineWriter
from daemon.core.redaction import Redactor

LogFormat = Literal["auto", "console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]
_Render = Callable[[str, MutableMapping[str, Any]], str]

_LEVELS: Mapping[LogLevel, int] = MappingProxyType(
    {
        "debug": logging.DEBUG,
        "info": logging.INFO,
        "warning": logging.WARNING,
        "error": logging.ERROR,
    }
)
_QUIET_LOGGERS = ("aiohttp.access", "asyncio", "ccxt", "urllib3")
"""Libraries that log whole requests, or their own life, below a warning."""


def configure_logging(
    log_format: LogFormat = "auto",
    level: LogLevel = "info",
    *,
    redactor: Redactor | None = None,
    identity: Mapping[str, str] = MappingProxyType({}),
    fd: int = 1,
) -> "Logging":
    """Route all logging of the process to `fd` and return the handle to it.

    "auto" is for people on a terminal and JSON otherwise. `identity` (exchange, mode, version)
    stands in each JSON line.
    """
    is_terminal = os.isatty(fd)
    is_console = log_format == "console" or (log_format == "auto" and is_terminal)
    cleaner = redactor or Redactor()
    processors = _processors(cleaner, identity, is_console=is_console, is_terminal=is_terminal)
    return Logging(fd, processors, _LEVELS[level])


class Logging:
    """Logging while it is set up. `log` takes lines; `drops` counts those that got lost."""

    def __init__(self, fd: int, processors: list[Processor], level: int) -> None:
        self._processors = processors
        self._writer = LineWriter(fd, self._gap_line)
        self._outlet = _Outlet(self._writer)
        structlog.configure(
            processors=processors,
            wrapper_class=structlog.make_filtering_bound_logger(level),
            logger_factory=lambda *_: _LineLogger(self._outlet),
            cache_logger_on_first_use=False,
        )
        # Not that of structlog's settings, which a strategy may change for itself.
        self.log: FilteringBoundLogger = structlog.wrap_logger(
            _LineLogger(self._outlet),
            processors=processors,
            wrapper_class=structlog.make_filtering_bound_logger(level),
        )
        self._handler = _Handler(self._outlet, self.render)
        self._root_handlers = logging.root.handlers
        self._root_level = logging.root.level
        logging.root.handlers = [self._handler]
        logging.root.setLevel(level)
        for name in _QUIET_LOGGERS:
            logging.getLogger(name).setLevel(max(level, logging.WARNING))
        logging.captureWarnings(capture=True)
        self._hooks = (sys.excepthook, sys.unraisablehook, threading.excepthook)
        sys.excepthook = self._on_uncaught
        sys.unraisablehook = self._on_unraisable
        threading.excepthook = self._on_uncaught_in_thread
        # What is logged last matters most, and the writer's thread does not outlive the main one.
        atexit.register(self.close)

    @property
    def drops(self) -> int:
        """Return how many lines could not be written since the start."""
        return self._writer.drops

    def tap(self, hear: Callable[[str], None]) -> None:
        """Hand every finished line to `hear` too, on whichever thread it comes from."""
        self._outlet.taps.append(hear)

    def render(self, method: str, event: MutableMapping[str, Any]) -> str:
        """Return the line for `event` as it would be written."""
        result: Any = event
        for processor in self._processors:
            result = processor(None, method, result)
        return str(result)

    def close(self, timeout_s: float = 2.0) -> None:
        """Write what is queued, for at most `timeout_s`, and give the process's hooks back."""
        sys.excepthook, sys.unraisablehook, threading.excepthook = self._hooks
        logging.captureWarnings(capture=False)
        logging.root.handlers = self._root_handlers
        logging.root.setLevel(self._root_level)
        atexit.unregister(self.close)
        self._writer.close(timeout_s)

    def _gap_line(self, count: int) -> str:
        return self.render("warning", {"event": "log_lines_dropped", "count": count})

    def _on_uncaught(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        self.log.critical("uncaught", exc_info=(kind, error, trace))

    def _on_unraisable(self, given: "sys.UnraisableHookArgs") -> None:
        if isinstance(given.exc_value, Warning):
            # Somebody makes errors of warnings; where nobody can catch it, it is still a warning.
            self.log.warning("warning", message=str(given.exc_value))
            return
        self.log.error("unraisable", exc_info=given.exc_value, message=given.err_msg or "")

    def _on_uncaught_in_thread(self, given: threading.ExceptHookArgs) -> None:
        name = given.thread.name if given.thread else ""
        self.log.error("uncaught_in_thread", exc_info=given.exc_value, thread=name)


class _Outlet:
    """Where finished lines go: to the writer, and to whoever listens to them."""

    def __init__(self, writer: LineWriter) -> None:
        self._writer = writer
        self.taps: list[Callable[[str], None]] = []

    def write(self, line: str) -> None:
        self._writer.write(line)
        for hear in self.taps:
            hear(line)


class _LineLogger:
    """Where structlog hands its finished lines to."""

    def __init__(self, writer: _Outlet) -> None:
        self._writer = writer

    def msg(self, line: str) -> None:
        self._writer.write(line)

    debug = info = warning = error = critical = msg


class _Handler(logging.Handler):
    """Where the standard library hands its records to."""

    def __init__(self, writer: _Outlet, render: _Render) -> None:
        super().__init__()
        self._writer = writer
        self._render = render

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except (TypeError, ValueError, KeyError):
            # A library's own slip in its arguments; the bare text still says where it was.
            text = str(record.msg)
        event: dict[str, Any] = {"event": text, "logger": record.name}
        if record.exc_info:
            event["exc_info"] = record.exc_info
        if record.stack_info:
            event["stack"] = record.stack_info
        self._writer.write(self._render(record.levelname.lower(), event))


def _processors(
    redactor: Redactor, identity: Mapping[str, str], *, is_console: bool, is_terminal: bool
) -> list[Processor]:
    def identify(_: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return event if is_console else {**identity, **event}

    def scrub(_: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {redactor.redact(str(key)): redactor.scrub(value) for key, value in event.items()}

    # Local variables hold keys; the library's default prints them.
    frames = structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        identify,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.ExceptionRenderer()
        if is_console
        else structlog.processors.ExceptionRenderer(frames),
        scrub,
        _ConsoleRenderer(ConsoleLine(has_colors=_has_colors(is_terminal=is_terminal)))
        if is_console
        else _render_json,
    ]


class _ConsoleRenderer:
    def __init__(self, line: ConsoleLine) -> None:
        self._line = line

    def __call__(self, _: WrappedLogger, _method: str, event: EventDict) -> str:
        return self._line(event)


def _render_json(_: WrappedLogger, _method: str, event: EventDict) -> str:
    first = {key: event[key] for key in ("timestamp", "level", "event") if key in event}
    fields = visible_deep({**first, **event})
    try:
        return orjson.dumps(fields).decode("utf-8")
    except TypeError:
        # A whole number of more than 64 bits; the standard library writes it at any length.
        return json.dumps(fields, default=str)


def _has_colors(*, is_terminal: bool) -> bool:
    """Follow the two conventions that other programs follow, else the kind of terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_terminal and os.environ.get("TERM") != "dumb"
