"""Walks and searches on a cluster, kills one and then all workers in the middle, and compares."""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import dask
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


@dataclass(frozen=True)
class Place:
    """Where the work is done: on `cores` of this machine, or on a cluster."""

    folder: Path
    cores: int | None = None
    cluster: str = ""


async def the_walk(place: Place, victims: list[int]) -> str:
    run = Walker.run(SYMBOL, walker_name="grid", cores=place.cores, cluster=place.cluster)
    async for _ in run:
        kill(victims)
    return walker_json(Walker.get_result(SYMBOL, "grid"))


async def the_search(place: Place, victims: list[int]) -> str:
    run = Search.run(
        SYMBOL,
        search_name="find",
        cores=place.cores,
        folder=place.folder,
        cluster=place.cluster,
    )
    async for _ in run:
        kill(victims)
    return search_json(Search.get_data(SYMBOL, "find"))


def kill(victims: list[int]) -> None:
    """Kill workers, once; their nannies start others, which hold nothing of what was sent."""
    while victims:
        os.kill(victims.pop(), signal.SIGKILL)


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
    # An answer that lay on a worker is asked for so long after its death.
    dask.config.set({"distributed.comm.timeouts.connect": "2s"})
    cluster = await LocalCluster(  # type: ignore[no-untyped-call]  # it ships no types
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        asynchronous=True,
        dashboard_address=None,
    )
    there = Place(Path(folder) / "far", cluster=cluster.scheduler_address)
    nannies = cluster.workers.values()
    some = [nanny.pid for nanny in nannies][:1]
    far_walk = await the_walk(there, some)
    every = [nanny.pid for nanny in nannies if nanny.pid is not None]
    far = far_walk, await the_search(there, every)
    await cluster.close()  # type: ignore[misc]  # it is one where it is asynchronous
    one, two = Place(Path(folder) / "one", cores=1), Place(Path(folder) / "two", cores=2)
    near = await the_walk(one, []), await the_search(one, [])
    print("killed", not some, not every)
    print("as one core", far[0] == near[0], far[1] == near[1])
    print("as two cores", far[1] == await the_search(two, []))
    print("strategies", near[0].count('"rank": '), "trials", near[1].count('"number": '))


if __name__ == "__main__":
    with a_registry():
        asyncio.run(main(sys.argv[1]))
