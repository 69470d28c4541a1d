"""Reports are whole files; a page is drawn where its library is."""

from pathlib import Path

from daemon.app.extras import MissingLibraryError
from daemon.app.report_files import write_page_if_drawn, write_report


def test_a_report_stands_beside_its_record(tmp_path: Path) -> None:
    write_report(tmp_path / "walker" / "all.md", "# All\n", "{}\n")

    names = sorted(path.name for path in (tmp_path / "walker").iterdir())
    assert names == ["all.json", "all.md"]


def test_a_page_stands_beside_its_report(tmp_path: Path) -> None:
    write_page_if_drawn(tmp_path / "all.md", lambda: "<html>")

    assert (tmp_path / "all.html").read_text() == "<html>"


def test_without_the_library_of_charts_there_is_no_page(tmp_path: Path) -> None:
    def draw() -> str:
        raise MissingLibraryError("the HTML report needs the research libraries")

    write_page_if_drawn(tmp_path / "all.md", draw)

    assert list(tmp_path.iterdir()) == []
