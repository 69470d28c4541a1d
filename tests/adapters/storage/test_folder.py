"""The state folder: private, ours, and still the same one."""

import os
import shutil
from pathlib import Path

import pytest

from daemon.adapters.storage.folder import open_folder
from daemon.core.errors import FatalError


def test_a_new_folder_is_private_with_its_parents(tmp_path: Path) -> None:
    folder = open_folder(tmp_path / "dump" / "sandbox-signal")

    assert folder.path.stat().st_mode & 0o777 == 0o700


def test_p16_a_mask_that_would_lock_us_out_of_our_own_file_does_not(tmp_path: Path) -> None:
    folder = open_folder(tmp_path / "state")
    before = os.umask(0o777)
    try:
        os.close(folder.create("record"))
    finally:
        os.umask(before)

    assert (folder.path / "record").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o720])
def test_d11_a_folder_that_others_may_write_to_is_refused_with_the_remedy(
    tmp_path: Path, mode: int
) -> None:
    path = tmp_path / "state"
    path.mkdir()
    path.chmod(mode)

    with pytest.raises(FatalError, match=f"chmod 700 {path}"):
        open_folder(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a folder away")
def test_root_is_told_to_be_the_owner_and_not_to_take_the_folder_from_the_daemon(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state"
    path.mkdir(mode=0o700)
    os.chown(path, 65534, 65534)

    with pytest.raises(FatalError, match="run it as that user") as refused:
        open_folder(path)

    assert "chown" not in str(refused.value)


def test_d12_a_link_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")

    with pytest.raises(FatalError, match="symbolic link"):
        open_folder(tmp_path / "link")


def test_d16_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"")

    with pytest.raises(FatalError, match="is not a folder"):
        open_folder(tmp_path / "state")


def test_a_folder_that_must_exist_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="No such file"):
        open_folder(tmp_path / "state", create=False)

    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("is_replaced", [True, False])
def test_d17_a_folder_that_was_deleted_or_replaced_is_noticed(
    tmp_path: Path, is_replaced: bool
) -> None:
    folder = open_folder(tmp_path / "state")
    folder.check_present()
    shutil.rmtree(folder.path)
    if is_replaced:
        (tmp_path / "keeps-the-inode-number-busy").mkdir()
        folder.path.mkdir(mode=0o700)

    with pytest.raises(FileNotFoundError, match="deleted, moved or unmounted"):
        folder.check_present()


def test_p16_a_changed_working_directory_leads_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = open_folder(Path("state"))
    monkeypatch.chdir("/")

    os.close(folder.create("file"))

    folder.check_present()
    assert (tmp_path / "state" / "file").exists()
