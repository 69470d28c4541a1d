"""The readings that a daemon is asked for at each scrape."""

from daemon.adapters.sinks.prometheus.metrics import Metrics
from daemon.app.outlets import watch_daemon
from daemon.simulation.loop import run_virtual
from tests.live.scene import a_scene
from tests.live.scripted import Buyer, a_market


def test_a_scrape_shows_what_the_daemon_counts_by_itself() -> None:
    scene = a_scene(Buyer)
    scene.market = a_market([100.0])
    metrics = Metrics()

    daemon = run_virtual(scene.run(30))
    watch_daemon(metrics, daemon)
    page = metrics.render(daemon.status.snapshot()).decode()

    shown = page.splitlines()
    assert len(scene.disk.entries) >= 2
    assert f"tickd_journal_entries_total {len(scene.disk.entries)}.0" in shown
    assert "tickd_storage_failing_writers 0.0" in shown
    assert "tickd_exchange_clock_skew_seconds 0.0" in shown
    assert "tickd_flat_candles_total 0.0" in shown
    assert "tickd_callbacks_left_behind_total 0.0" in shown


def test_a_write_that_fails_is_on_the_page_until_it_gets_through() -> None:
    scene = a_scene(Buyer)
    scene.market = a_market([100.0])
    metrics = Metrics()
    daemon = run_virtual(scene.run(5))
    watch_daemon(metrics, daemon)

    def page() -> list[str]:
        return metrics.render(daemon.status.snapshot()).decode().splitlines()

    daemon.health.failed("journal", "no space left on device")
    assert "tickd_storage_failing_writers 1.0" in page()
    daemon.health.recovered("journal")
    assert "tickd_storage_failing_writers 0.0" in page()
