"""What each path says. No page changes anything, and none tells of an account."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from daemon.adapters.http.answers import JSON, TEXT, Page, json_text
from daemon.core.redaction import Redactor
from daemon.ports import DaemonStatus, Status, TaskStatus

METRICS_AGE_S_MAX = 0.5
"""Scrapers that come together share one rendering."""


class Exposition(Protocol):
    """Metrics as a scraper reads them."""

    @property
    def content_type(self) -> str: ...

    def render(self, snapshot: DaemonStatus) -> bytes:
        """Return all metrics, the gauges as of `snapshot`. Runs outside the event loop."""
        ...


Make = Callable[[], Awaitable[Page]]


class Pages:
    """Makes the answers from the status. Every text passes the redactor on its way out."""

    def __init__(self, status: Status, metrics: Exposition, redactor: Redactor) -> None:
        self._status = status
        self._metrics = metrics
        self._redactor = redactor
        # A thread of its own: rendering thousands of series must hold up neither the loop nor
        # whoever else waits for a worker.
        self._renderer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="metrics")
        self._rendering = asyncio.Lock()
        self._rendered: Page | None = None
        self._rendered_at_s = 0.0
        self.by_path: dict[str, Make] = {
            "/": self.index,
            "/livez": self.livez,
            "/readyz": self.readyz,
            "/status": self.status,
            "/metrics": self.metrics,
        }

    def close(self) -> None:
        self._renderer.shutdown(wait=False, cancel_futures=True)

    async def index(self) -> Page:
        now = self._status.snapshot()
        lines = [
            f"tickd {now.version}: {now.exchange}, {now.mode}",
            "",
            "/livez    200 while the event loop answers",
            "/readyz   200 while every task trades on fresh data, with the reasons if not",
            "/status   how everything stands, as JSON",
            "/metrics  for Prometheus",
            "",
        ]
        return Page(200, TEXT, self._clean("\n".join(lines).encode("utf-8", "replace")))

    async def livez(self) -> Page:
        now = self._status.snapshot()
        return self._json(200 if now.is_live else 503, {"live": now.is_live})

    async def readyz(self) -> Page:
        now = self._status.snapshot()
        is_ready = now.is_ready and all(task.is_ready for task in now.tasks)
        answer = {
            "ready": is_ready,
            "reasons": now.reasons,
            "tasks": [_readiness(task) for task in now.tasks],
        }
        return self._json(200 if is_ready else 503, answer)

    async def status(self) -> Page:
        return self._json(200, self._status.snapshot())

    async def metrics(self) -> Page:
        loop = asyncio.get_running_loop()
        async with self._rendering:
            if self._rendered and loop.time() - self._rendered_at_s < METRICS_AGE_S_MAX:
                return self._rendered
            snapshot = self._status.snapshot()
            self._rendered = await loop.run_in_executor(self._renderer, self._render, snapshot)
            self._rendered_at_s = loop.time()
            return self._rendered

    def _render(self, snapshot: DaemonStatus) -> Page:
        body = self._clean(self._metrics.render(snapshot))
        return Page(200, self._metrics.content_type, body)

    def _json(self, status: int, value: object) -> Page:
        return Page(status, JSON, self._redactor.redact(json_text(value)).encode())

    def _clean(self, body: bytes) -> bytes:
        return self._redactor.redact(body.decode("utf-8")).encode("utf-8")


def _readiness(task: TaskStatus) -> dict[str, object]:
    return {
        "symbol": task.symbol,
        "strategy": task.strategy_name,
        "ready": task.is_ready,
        "reason": task.reason,
        "condition": task.condition,
        "state": task.state,
        "data_age_s": task.price_age_s,
        "tick_age_s": task.tick_age_s,
        "last_decision_ms": task.last_decision_ms,
    }
