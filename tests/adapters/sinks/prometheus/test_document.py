"""The page on metrics is what the catalog says."""

from pathlib import Path

from daemon.adapters.sinks.prometheus.document import metrics_document

ROOT = Path(__file__).parents[4]

WRITE = (
    'python -c "from pathlib import Path; '
    "from daemon.adapters.sinks.prometheus.document import metrics_document; "
    "Path('docs/metrics.md').write_text(metrics_document(), encoding='utf-8')\""
)


def test_the_page_on_metrics_is_up_to_date() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8") == metrics_document(), (
        f"write it anew: {WRITE}"
    )
