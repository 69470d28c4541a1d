"""What is around every page."""

from daemon.reports.html.shell import heading, remarks, whole_page


def test_a_page_has_its_script_only_where_something_is_drawn() -> None:
    plain = whole_page("a <title>", [heading("a", "b")], is_drawn=False)
    drawn = whole_page("a <title>", [heading("a", "b")], is_drawn=True)

    assert "<script>" not in plain
    assert "Plotly" in drawn
    assert "<title>a &lt;title&gt;</title>" in plain


def test_nothing_to_remark_is_no_empty_frame() -> None:
    assert remarks(()) == ""
    assert "<p>mind</p>" in remarks(("mind",))
