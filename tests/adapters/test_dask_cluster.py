"""Work on a cluster of real processes, one of which is killed in the middle."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.adapters.dask_cluster import open_cluster
from daemon.core.errors import WorkerError


def test_a_cluster_gives_the_bytes_of_one_core_and_of_two_also_when_workers_are_killed(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.app.cluster_child", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == [
        "killed True True",
        "as one core True True",
        "as two cores True",
        "strategies 12 trials 15",
    ]


async def test_a_cluster_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.adapters.dask_cluster.CONNECT_S", 0.2)

    with pytest.raises(WorkerError, match=r"the cluster at .* cannot be reached") as caught:
        async with open_cluster("tcp://127.0.0.1:9", start, None, []):
            pass

    assert "\n" not in str(caught.value)


def start(material: None, parts: list[memoryview]) -> Callable[[str], str]:
    return str.upper
