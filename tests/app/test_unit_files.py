"""The shipped units are what the code gives, systemd finds nothing wrong, and little is exposed."""

import re
import shutil
from pathlib import Path

import pytest

from daemon.app.config.tree import walk
from daemon.app.unit_files import Place, Spans, render_notifier, render_service, shipped_units
from docs.generate import UNITS_FOLDER
from tests.machines.verdict import exposure_of, verify_unit

UNITS = sorted(shipped_units())
EXPOSURE_MAX = 1.1
"""Of 10; a unit without any hardening has 9.6."""

AT_HOME = Place(
    command="/home/you/tickd/.venv/bin/tickd",
    config="/home/you/bot/config.toml",
    state_dir="/home/you/bot/dump",
    working_dir="/home/you/bot",
    owner="you",
    visible=("/home/you/tickd", "/home/you/bot"),
    writable=("/home/you/bot/dump",),
)
OWN = Place(
    command="/home/you/tickd/.venv/bin/tickd",
    config="/home/you/bot/config.toml",
    state_dir="/home/you/bot/dump",
    working_dir="/home/you/bot",
    is_user_unit=True,
)

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze"
)


def test_the_shipped_units_are_those_that_the_code_gives() -> None:
    shipped = {path.name: path.read_text() for path in UNITS_FOLDER.iterdir()}

    assert shipped == dict(shipped_units()), "run: python -m docs.generate"


def test_every_secret_can_be_handed_over_by_a_file_alone() -> None:
    """A new secret setting must be in the units: `python -m docs.generate` puts it there."""
    keys = [".".join(setting.path) for setting in walk() if setting.is_secret]

    assert keys
    for unit, text in shipped_units().items():
        for key in keys:
            assert f"LoadCredential=tickd.{key}:tickd" in text, unit


@pytest.mark.parametrize("unit", UNITS)
def test_the_process_metrics_are_left_alone(unit: str) -> None:
    """With a subset of /proc every process_* metric would be gone, without a word."""
    assert "ProcSubset" not in shipped_units()[unit]


def test_p19_a_crash_loop_ends_and_is_told_once() -> None:
    text = render_service(AT_HOME)

    assert "StartLimitBurst=5\n" in text
    assert "OnFailure=tickd-failed.service\n" in text
    assert "RestartPreventExitStatus=2 69 78\n" in text


def test_p19_also_a_loop_of_hangs_is_fast_enough_to_be_ended() -> None:
    """Each round takes its start, the watchdog's patience and the pause before the next."""
    text = render_service(AT_HOME)
    watchdog_s, pause_s, minutes = (
        int(found[1])
        for name in ("WatchdogSec", "RestartSec", "StartLimitIntervalSec")
        if (found := re.search(rf"(?m)^{name}=(\d+)(min)?$", text))
    )

    assert 5 * (20 + watchdog_s + pause_s) < minutes * 60


def test_p6_memory_has_a_ceiling_and_a_kill_is_no_half_thing() -> None:
    text = render_service(AT_HOME)

    assert "MemoryMax=1G\n" in text
    assert "OOMPolicy=stop\n" in text
    assert "Restart=on-failure\n" in text


def test_the_limits_of_a_start_and_a_stop_follow_the_configuration() -> None:
    text = render_service(AT_HOME, Spans(start_s=300.0, stop_s=100.0))

    assert "TimeoutStartSec=390\n" in text
    assert "TimeoutStopSec=330\n" in text


@needs_systemd
@pytest.mark.parametrize("unit", UNITS)
def test_systemd_finds_nothing_wrong(unit: str) -> None:
    assert verify_unit(UNITS_FOLDER / unit, Path("/bin/true")) == ""


@needs_systemd
def test_a_mistyped_directive_would_be_seen(tmp_path: Path) -> None:
    path = tmp_path / "tickd.service"
    path.write_text(shipped_units()["tickd.service"].replace("ProtectSystem", "ProtectSytem"))

    assert "ProtectSytem" in verify_unit(path, Path("/bin/true"))


@needs_systemd
@pytest.mark.parametrize("unit", UNITS)
def test_little_is_exposed(unit: str) -> None:
    assert exposure_of(UNITS_FOLDER / unit) <= EXPOSURE_MAX


@needs_systemd
@pytest.mark.parametrize("place", [AT_HOME, OWN], ids=["in a home", "of a user"])
def test_a_unit_for_one_machine_is_whole_too(place: Place, tmp_path: Path) -> None:
    (tmp_path / "tickd.service").write_text(render_service(place))
    (tmp_path / "tickd-failed.service").write_text(render_notifier(place))

    for path in tmp_path.iterdir():
        assert verify_unit(path, Path("/bin/true")) == ""
    if not place.is_user_unit:
        assert exposure_of(tmp_path / "tickd.service") <= 1.2


def test_a_reload_needs_no_program_that_a_small_machine_lacks() -> None:
    """There /bin/kill is missing, but a shell is always there."""
    text = render_service(AT_HOME)

    assert """ExecReload=/bin/sh -c 'kill -HUP "$MAINPID"'\n""" in text
