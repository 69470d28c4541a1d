"""One way out for all logging: redacted, sanitised, and harmless to whoever logs."""

import asyncio
import gc
import json
import logging
import os
import pty
import subprocess
import sys
import warnings
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import pytest
import structlog

from daemon.adapters.sinks.structured_log.setup import LogFormat, Logging, configure_logging
from daemon.core.redaction import Redactor

ROOT = Path(__file__).parents[4]
CANARY = "CANARY/9f8e7d6c5b4a+secret"


class Lines:
    """What was written to the log."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def text(self) -> str:
        return self._path.read_text(encoding="utf-8")

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@contextmanager
def logging_to(
    folder: Path, log_format: LogFormat = "json", **identity: str
) -> Iterator[tuple[Logging, Lines]]:
    """Log to a file; what was written is there when the block has ended."""
    fd = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    handle = configure_logging(
        log_format, "info", redactor=Redactor([CANARY]), identity=identity, fd=fd
    )
    try:
        yield handle, Lines(folder / "log")
    finally:
        handle.close(10.0)
        structlog.reset_defaults()
        os.close(fd)


def test_json_lines_carry_time_level_name_and_identity(tmp_path: Path) -> None:
    with logging_to(tmp_path, exchange="sandbox", mode="signal") as (handle, lines):
        handle.log.info("daemon_started", tasks=3)

    (event,) = lines.events
    assert event.pop("timestamp").endswith("Z")
    assert list(event) == ["level", "event", "exchange", "mode", "tasks"]
    assert event["event"] == "daemon_started"


def test_levels_below_the_configured_one_are_left_out(tmp_path: Path) -> None:
    with logging_to(tmp_path) as (handle, lines):
        handle.log.debug("hidden")
        logging.getLogger("anybody").debug("hidden")
        logging.getLogger("ccxt").info("hidden: the whole request")
        handle.log.warning("shown")

    assert [event["event"] for event in lines.events] == ["shown"]


def test_libraries_come_out_the_same_way(tmp_path: Path) -> None:
    with logging_to(tmp_path) as (_, lines):
        logging.getLogger("aiohttp.server").error("bad %s", "request")
        slipped = ("two %s %s", "one")
        logging.getLogger("slipped").error(*slipped)
        structlog.get_logger().info("from_a_library", a=1)
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("careful", stacklevel=1)

    assert [(event.get("logger"), event["event"][:14]) for event in lines.events] == [
        ("aiohttp.server", "bad request"),
        ("slipped", "two %s %s"),
        (None, "from_a_library"),
        ("py.warnings", lines.events[3]["event"][:14]),
    ]


def test_a_warning_that_was_made_an_error_is_a_line_and_no_traceback(tmp_path: Path) -> None:
    async def forgotten() -> None: ...

    with logging_to(tmp_path) as (_, lines), warnings.catch_warnings():
        warnings.simplefilter("error")
        forgotten()  # type: ignore[unused-coroutine]  # that is the mistake
        gc.collect()

    (event,) = lines.events
    assert event["level"] == "warning"
    assert event["message"].endswith("was never awaited")


@pytest.mark.may_block("the log is closed, and its thread waited for, inside the test")
async def test_what_asyncio_complains_of_is_in_the_log(tmp_path: Path) -> None:
    with logging_to(tmp_path) as (_, lines):
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": "lost", "exception": ValueError(CANARY)})

    assert lines.events[0]["logger"] == "asyncio"
    assert "ValueError" in lines.text
    assert CANARY not in lines.text


def leak(log: Any) -> None:
    """Try to get the canary out in every way that somebody found before."""
    password = CANARY
    text = f"text {CANARY}"
    log.info(text, field=CANARY, deep={"a": [CANARY, {CANARY: CANARY}]})
    log.info("request", url=f"https://x.example/order?signature={quote(CANARY, safe='')}")
    header = b64encode(f"user:{CANARY}".encode()).decode()
    log.info("header", headers={"Authorization": f"Basic {header}"})
    log.info("object", raised=ValueError(CANARY), data=CANARY.encode())
    try:
        try:
            int(password)
        except ValueError as error:
            raise ConnectionError(f"GET https://x.example/?key={CANARY}") from error
    except ConnectionError:
        log.exception("failed")
        log.info("stacked", stack_info=True)
    group = ExceptionGroup(CANARY, [ValueError(CANARY)])
    group.add_note(CANARY)
    log.error("grouped", exc_info=group)
    thread = Thread(target=int, args=(CANARY,), name=f"thread {CANARY}")
    thread.start()
    thread.join()
    logging.getLogger("aiohttp").error("%s", CANARY, exc_info=ValueError(CANARY))
    sys.excepthook(ValueError, ValueError(CANARY), None)


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_q1_a_secret_never_shows(
    tmp_path: Path, log_format: LogFormat, capfd: pytest.CaptureFixture[str]
) -> None:
    with logging_to(tmp_path, log_format) as (handle, lines):
        leak(handle.log)

    shown = lines.text + "".join(capfd.readouterr())
    assert shown.count("[redacted]") >= 15
    for form in (
        CANARY,
        quote(CANARY, safe=""),
        "9f8e7d6c5b4a",
        b64encode(CANARY.encode()).decode(),
    ):
        assert form not in shown


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_q1_tracebacks_show_no_local_variables(tmp_path: Path, log_format: LogFormat) -> None:
    def fail() -> None:
        balance = "local-value-" + "of-mine"
        assert balance
        raise ValueError("broken")

    with logging_to(tmp_path, log_format) as (handle, lines):
        try:
            fail()
        except ValueError:
            handle.log.exception("failed")

    assert "broken" in lines.text
    assert "local-value-of-mine" not in lines.text


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_q9_a_line_cannot_be_faked(tmp_path: Path, log_format: LogFormat) -> None:
    attack = 'x\n{"event":"fake"}\r\x1b[2J\x9b2J\u202e'
    with logging_to(tmp_path, log_format) as (handle, lines):
        handle.log.info(attack, field=attack, **{attack: attack})
        logging.getLogger("somebody").error(attack)

    assert len(lines.text.splitlines()) == 2
    assert not set(lines.text) & set("\x1b\x9b\r\u202e")


def test_nothing_that_is_logged_breaks_the_log(tmp_path: Path) -> None:
    class Broken:
        def __repr__(self) -> str:
            raise ValueError

    with logging_to(tmp_path) as (handle, lines):
        handle.log.info("odd", big=10**30, nan=float("nan"), half="\ud800", own=Broken())

    (event,) = lines.events
    assert event["big"] == 10**30
    assert event["half"] == "\\ud800"


@pytest.mark.parametrize(("settings", "is_colored"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_lines_for_people(
    settings: dict[str, str], is_colored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    ours, theirs = pty.openpty()
    handle = configure_logging("auto", fd=theirs)

    handle.log.info("daemon_started", tasks=3)
    handle.close(10.0)

    shown = os.read(ours, 4096).decode()
    assert "daemon_started" in shown
    assert "{" not in shown
    assert ("\x1b[" in shown) is is_colored
    os.close(ours)
    os.close(theirs)


def test_closing_gives_the_process_its_hooks_back(tmp_path: Path) -> None:
    before = sys.excepthook, sys.unraisablehook, logging.root.handlers, logging.root.level

    with logging_to(tmp_path):
        assert sys.excepthook is not before[0]

    assert (sys.excepthook, sys.unraisablehook) == before[:2]
    assert (logging.root.handlers, logging.root.level) == before[2:]


PROGRAM = """
from daemon.adapters.sinks.structured_log import configure_logging
import os, sys, time
handle = configure_logging("json")
for number in range(2000):
    handle.log.info("line", number=number)
handle.close(5.0)
sys.stderr.write(f"alive, {handle.drops} lines lost")
"""


@pytest.mark.parametrize(
    ("shell", "loses"),
    [("{} | true", True), ("{} > /dev/full", True), ("{} >&-", True), ("{} > /dev/null", False)],
)
def test_s8_the_process_outlives_its_standard_output(shell: str, loses: bool) -> None:
    command = shell.format('"$PYTHON" -c "$PROGRAM"')

    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env={**os.environ, "PYTHON": sys.executable, "PROGRAM": PROGRAM},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert result.returncode == 0
    assert result.stderr.startswith("alive, ")
    assert (" 0 lines lost" not in result.stderr) is loses


def test_the_last_words_of_a_process_are_written() -> None:
    program = (
        "from daemon.adapters.sinks.structured_log import configure_logging\n"
        "configure_logging('json')\n"
        "raise ValueError('the end')\n"
    )

    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert result.returncode == 1
    assert "the end" in result.stdout
    assert result.stderr == ""


def test_p16_a_strategy_that_sets_up_structlog_for_itself_does_not_take_our_lines(
    tmp_path: Path,
) -> None:
    with logging_to(tmp_path) as (handle, lines):
        structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), processors=[])
        handle.log.info("still_ours")

    assert [event["event"] for event in lines.events] == ["still_ours"]
