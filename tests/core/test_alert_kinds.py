"""The names of alerts are those of the log, and a configuration loads nothing more for them."""

import subprocess
import sys
from typing import get_args

from daemon.core.alert_kinds import AlertKind, AlertLevel
from daemon.core.alerts import LEVELS, kind_of
from tests.core.some_events import every_transition


def test_every_transition_has_a_kind_that_can_be_named() -> None:
    found = {kind_of(event) for event in every_transition()}

    assert found <= set(get_args(AlertKind))
    assert get_args(AlertLevel) == LEVELS


def test_the_names_bring_nothing_of_the_journal_with_them() -> None:
    code = "import sys, daemon.core.alert_kinds; print('daemon.core.records' in sys.modules)"

    told = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)

    assert told.stdout == b"False\n"
