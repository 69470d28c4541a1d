"""A process is copied only where the copy can work on."""

import sys
import threading
import types

import pytest

from daemon.adapters.processes import copies
from daemon.adapters.processes.copies import may_be_copied


def test_a_process_is_copied_only_where_it_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(sys, "platform", "linux")
    alone = may_be_copied()

    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "polars", types.ModuleType("polars"))
        has_threaded_library = may_be_copied()
    with monkeypatch.context() as patch:
        patch.setattr(threading, "active_count", lambda: 2)
        has_thread = may_be_copied()
    with monkeypatch.context() as patch:
        patch.setattr(copies, "get_start_method", lambda *, allow_none: "spawn")
        is_unwanted = may_be_copied()

    assert alone
    assert (has_threaded_library, has_thread, is_unwanted) == (False, False, False)
