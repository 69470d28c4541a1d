"""The options of `tickd walk` and `tickd optimize`, each with its help."""

from pathlib import Path
from typing import Annotated

import typer

from daemon.core.walker_statistics import WalkerMetric

MarketOption = Annotated[
    str | None,
    typer.Option("--symbol", metavar="A/B", help="The market, if not the first one configured."),
]
MetricOption = Annotated[WalkerMetric, typer.Option(help="By what to judge; larger is better.")]
CoresOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="How many to use. \\[default: all]")
]
ClusterOption = Annotated[
    str, typer.Option(metavar="ADDRESS", help="A Dask cluster: tcp://HOST:8786.")
]
VaryOption = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=A,B", help="Try all of these; several combine."),
]
TrialsOption = Annotated[int, typer.Option(min=1, help="How many sets to try per window.")]
TrainDaysOption = Annotated[
    float | None, typer.Option(min=0.01, help="Days of each window to search on.")
]
TestDaysOption = Annotated[float | None, typer.Option(min=0.01, help="Days after it that judge.")]
AnchoredOption = Annotated[
    bool, typer.Option("--anchored", help="Let all windows begin with the first.")
]
StudyOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Keeps every trial. Usual: below dump/search."),
]
SeedOption = Annotated[int, typer.Option(min=0, help="Another seed tries other sets.")]
StrategyArgument = Annotated[
    str, typer.Argument(help='A configured name, or a class: "./file.py:Class".')
]
