"""Whole files: old or new under every failing call, bounded reads, nothing followed or deleted."""

import errno
import os
from itertools import chain
from pathlib import Path

import pytest

from daemon.adapters.storage.files import (
    SWEEP_COUNT_MAX,
    UnreadableFileError,
    move_aside,
    read_whole,
    sweep,
    write_atomically,
)
from tests.adapters.storage.faulty_folder import CALLS, FaultyFolder, failing
from tests.adapters.storage.samples import NOW_MS

NAME = "signal_A_b.json"
OLD, NEW = b"old" * 500, b"new" * 400


@pytest.fixture
def folder(tmp_path: Path) -> FaultyFolder:
    return FaultyFolder(tmp_path / "state")


def names(folder: FaultyFolder) -> set[str]:
    return {file.name for file in folder.path.iterdir()}


def test_a_write_keeps_the_version_before(folder: FaultyFolder) -> None:
    for data in (b"1", b"2", b"3"):
        write_atomically(folder, NAME, data)

    assert read_whole(folder, NAME) == b"3"
    assert read_whole(folder, f"{NAME}.prev") == b"2"
    assert names(folder) == {NAME, f"{NAME}.prev"}


def test_h12_a_file_is_synced_before_its_name_and_its_name_before_the_return(
    folder: FaultyFolder,
) -> None:
    write_atomically(folder, NAME, OLD)
    folder.calls.clear()

    write_atomically(folder, NAME, NEW)

    assert folder.calls == [
        "create", "write", "sync", "link", "rename", "rename", "sync_folder",
    ]  # fmt: skip


def test_h12_nobody_else_may_read_a_file(folder: FaultyFolder) -> None:
    before = os.umask(0)
    try:
        write_atomically(folder, NAME, NEW)
    finally:
        os.umask(before)

    assert (folder.path / NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT, errno.EFBIG])
@pytest.mark.parametrize("call", CALLS)
def test_d1_d2_d3_d18_a_failing_call_leaves_the_old_file_and_no_litter(
    folder: FaultyFolder, call: str, code: int
) -> None:
    write_atomically(folder, NAME, OLD)
    folder.before = failing(call, code)

    with pytest.raises(OSError, match=os.strerror(code)):
        write_atomically(folder, NAME, NEW)

    # Only where the very last step failed is the new one there: it is just not known to stay.
    assert read_whole(folder, NAME) == (NEW if call == "sync_folder" else OLD)
    assert not [name for name in names(folder) if name.startswith(".tmp-")]
    folder.before = lambda call: None
    write_atomically(folder, NAME, NEW)
    assert read_whole(folder, NAME) == NEW


def test_d2_a_file_whose_sync_failed_is_not_synced_again(folder: FaultyFolder) -> None:
    folder.before = failing("sync", errno.EIO)

    with pytest.raises(OSError, match="Input/output"):
        write_atomically(folder, NAME, NEW)

    assert folder.calls == ["create", "write", "sync"]
    assert names(folder) == set()


def test_d19_short_writes_and_reads_are_gone_on_with(folder: FaultyFolder) -> None:
    folder.bytes_per_call = 7

    write_atomically(folder, NAME, NEW)

    assert read_whole(folder, NAME) == NEW
    assert folder.calls.count("write") == -(-len(NEW) // 7)


def test_a_file_system_without_hard_links_keeps_a_copy(folder: FaultyFolder) -> None:
    write_atomically(folder, NAME, OLD)
    folder.before = failing("link", errno.EPERM)

    write_atomically(folder, NAME, NEW)

    assert read_whole(folder, NAME) == NEW
    assert read_whole(folder, f"{NAME}.prev") == OLD
    assert len(names(folder)) == 2


def test_a_crash_between_the_two_renames_leaves_no_litter_behind(folder: FaultyFolder) -> None:
    write_atomically(folder, NAME, OLD)
    os.link(folder.path / NAME, folder.path / f"{NAME}.prev")

    write_atomically(folder, NAME, NEW)

    assert names(folder) == {NAME, f"{NAME}.prev"}
    assert read_whole(folder, f"{NAME}.prev") == OLD


def test_d12_a_planted_link_is_replaced_and_never_followed(
    folder: FaultyFolder, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (folder.path / NAME).symlink_to(victim)
    with pytest.raises(UnreadableFileError, match="symbolic link"):
        read_whole(folder, NAME)

    write_atomically(folder, NAME, NEW)

    assert victim.read_bytes() == b"precious"
    assert not (folder.path / NAME).is_symlink()
    assert read_whole(folder, NAME) == NEW


def test_d12_a_hard_link_is_replaced_and_its_other_name_untouched(
    folder: FaultyFolder, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    os.link(victim, folder.path / NAME)

    write_atomically(folder, NAME, NEW)
    write_atomically(folder, NAME, OLD)

    assert victim.read_bytes() == b"precious"


def test_d16_reading_is_bounded_and_never_waits(folder: FaultyFolder) -> None:
    os.mkfifo(folder.path / "fifo")
    (folder.path / "folder").mkdir()
    (folder.path / "big").write_bytes(bytes(101))
    (folder.path / "zero").symlink_to("/dev/zero")

    for name in ("fifo", "folder", "big", "zero"):
        with pytest.raises(UnreadableFileError, match=name):
            read_whole(folder, name, bytes_max=100)
    assert read_whole(folder, "nothing") is None


def test_a_host_that_is_short_of_descriptors_does_not_condemn_a_file(
    folder: FaultyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_atomically(folder, NAME, NEW)

    def out_of_descriptors(name: str) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(folder, "open_to_read", out_of_descriptors)

    with pytest.raises(OSError, match="Too many"):
        read_whole(folder, NAME)


def test_what_is_moved_aside_never_replaces_what_was(folder: FaultyFolder) -> None:
    targets = []
    for data in (b"1", b"2", b"3"):
        write_atomically(folder, NAME, data)
        targets.append(move_aside(folder, NAME, "corrupt", NOW_MS))

    assert targets[0] == f"{NAME}.corrupt-20261118T110640123Z"
    assert [read_whole(folder, target) for target in targets] == [b"1", b"2", b"3"]


def test_d21_only_our_own_temp_files_are_swept_and_counted(folder: FaultyFolder) -> None:
    ours = [".tmp-0123456789ab-signal_A_b.json", ".tmp-ffffffffffff-x.prev"]
    others = [".tmp-xyz", ".tmp-0123456789AB-a", "tmp-0123456789ab-a", ".tmp-0123456789ab-", NAME]
    for name in ours + others:
        (folder.path / name).write_bytes(b"")
    (folder.path / ".tmp-0123456789ab-dir").mkdir()

    count = sweep(folder)

    assert count == 2
    assert names(folder) == {*others, ".tmp-0123456789ab-dir"}


def test_d16_a_million_old_temp_files_do_not_delay_a_start(
    folder: FaultyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many are swept at one start, and as many at the next."""
    unlinked: list[str] = []
    million = (f".tmp-{number:012x}-signal_A_b.json" for number in range(1_000_000))
    monkeypatch.setattr(folder, "names", lambda: chain([NAME], million))
    monkeypatch.setattr(folder, "unlink", unlinked.append)

    count = sweep(folder)

    assert count == len(unlinked) == SWEEP_COUNT_MAX
    assert NAME not in unlinked
