"""Whether a copy of this process (`os.fork`) could work on, or would wait for what it has not."""

import sys
import threading
from multiprocessing import get_start_method

THREADED = frozenset(
    ("cupy", "duckdb", "grpc", "jax", "numba", "polars", "pyspark", "ray", "sklearn", "tensorflow")
) | {"torch", "xgboost", "lightgbm", "catboost"}
"""Libraries with threads of their own, for whose answer a copy would wait for ever."""


def may_be_copied() -> bool:
    """Say whether a copy of this process can work on: no other thread holds what it would need.

    A program that wants none says so by `multiprocessing.set_start_method("spawn")`.
    """
    is_alone = threading.active_count() == 1 and THREADED.isdisjoint(sys.modules)
    is_wanted = get_start_method(allow_none=True) in (None, "fork")
    return sys.platform == "linux" and is_alone and is_wanted
