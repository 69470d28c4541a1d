"""The memory limit is read where systemd and containers put it."""

from pathlib import Path

import pytest

from daemon.adapters.memory_limit import NO_LIMIT, memory_limit_bytes


def limit(folder: Path, groups: str, files: dict[str, str]) -> float:
    (folder / "proc" / "self").mkdir(parents=True)
    (folder / "proc" / "self" / "cgroup").write_text(groups)
    for name, text in files.items():
        path = folder / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return memory_limit_bytes(folder / "proc", folder / "cgroup")


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        pytest.param(
            "0::/system.slice/tickd.service\n",
            {
                "system.slice/tickd.service/memory.max": "536870912",
                "system.slice/memory.max": "max",
            },
            536870912,
            id="a service",
        ),
        pytest.param("0::/\n", {"memory.max": "268435456"}, 268435456, id="a container"),
        pytest.param(
            "0::/a/b\n", {"a/b/memory.max": "900", "a/memory.max": "800"}, 800, id="the least"
        ),
        pytest.param(
            "9:cpu:/\n8:memory:/x\n0::/\n",
            {"memory/x/memory.limit_in_bytes": "67108864"},
            67108864,
            id="an older kernel",
        ),
        pytest.param(
            "8:memory:/\n",
            {"memory/memory.limit_in_bytes": "9223372036854771712"},
            NO_LIMIT,
            id="an older kernel without a limit",
        ),
        pytest.param("0::/\n", {"memory.max": "max"}, NO_LIMIT, id="no limit"),
        pytest.param(
            "8:memory:/docker/abc\n",
            {"memory/memory.limit_in_bytes": "1000"},
            1000,
            id="a group whose name is that of another root",
        ),
    ],
)
def test_p6_the_limit_is_the_least_of_all_groups(
    tmp_path: Path, groups: str, files: dict[str, str], expected: float
) -> None:
    assert limit(tmp_path, groups, files) == expected


def test_p6_where_there_are_no_groups_there_is_no_limit(tmp_path: Path) -> None:
    assert memory_limit_bytes(tmp_path, tmp_path) == NO_LIMIT
