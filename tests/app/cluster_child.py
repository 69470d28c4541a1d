"""Walks on a cluster of worker processes, kills one of them in the middle, and compares."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from distributed import LocalCluster

from daemon import (
    Search,
    SearchSchema,
    Walker,
    WalkerSchema,
    WalkForward,
    add_search,
    add_strategy,
    add_walker,
    variants,
)
from daemon.app.search_run import search_json
from daemon.app.walker_run import walker_json
from tests.app.walk_stage import SYMBOL, Swing, a_registry


async def the_walk(cluster: str, victims: list[int]) -> str:
    run = Walker.run(SYMBOL, walker_name="grid", cores=None if cluster else 1, cluster=cluster)
    async for _ in run:
        if victims:
            os.kill(victims.pop(), signal.SIGKILL)
    return walker_json(Walker.get_result(SYMBOL, "grid"))


async def the_search(cluster: str, folder: str) -> str:
    run = Search.run(
        SYMBOL, search_name="find", cores=None if cluster else 1, folder=folder, cluster=cluster
    )
    async for _ in run:
        pass
    return search_json(Search.get_data(SYMBOL, "find"))


class Own(Swing):
    """A strategy that no worker has installed."""

    strategy_name = "own"


async def main(folder: str) -> None:
    add_strategy(Own)
    grid = variants("own", target=list(range(5, 11)), side=["long", "short"])
    add_walker(WalkerSchema(walker_name="grid", frame_name="all", strategies=grid))
    half_days = WalkForward(train_days=0.5, test_days=0.5, purge_minutes=60)
    add_search(
        SearchSchema(
            search_name="find",
            strategy_name="own",
            frame_name="all",
            trials=4,
            walk_forward=half_days,
        )
    )
    cluster = await LocalCluster(  # type: ignore[no-untyped-call]  # it ships no types
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        asynchronous=True,
        dashboard_address=None,
    )
    address = cluster.scheduler_address
    victims = [nanny.pid for nanny in cluster.workers.values()][:1]
    far = await the_walk(address, victims), await the_search(address, str(Path(folder) / "far"))
    await cluster.close()  # type: ignore[misc]  # it is one where it is asynchronous
    near = await the_walk("", []), await the_search("", str(Path(folder) / "near"))
    print("killed", not victims, "walk", far[0] == near[0], "search", far[1] == near[1])
    print("strategies", near[0].count('"rank": '))


if __name__ == "__main__":
    with a_registry():
        asyncio.run(main(sys.argv[1]))
