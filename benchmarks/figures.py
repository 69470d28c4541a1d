"""What was measured, beside its target and its reference, as a table and as JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value. `target` is the most that it may be, None where it is for information.

    `reference` is what the least program that does the same kind of work needs, in the same
    unit and from the same run; `reference_name` says what that program is.
    """

    bench: str
    name: str
    value: float
    unit: str
    target: float | None = None
    reference: float | None = None
    reference_name: str = ""

    @property
    def ratio(self) -> float | None:
        """Return how many times the reference the value is, None without one."""
        return self.value / self.reference if self.reference else None

    @property
    def is_met(self) -> bool | None:
        """Say whether the target is met, None where there is none."""
        return None if self.target is None else self.value <= self.target


def quantile(values: Iterable[float], part: float) -> float:
    """Return the smallest value that at least `part` (0 to 1) of all are not above."""
    ranked = sorted(values)
    if not ranked:
        raise ValueError("there is no quantile of nothing")
    return ranked[max(0, ceil(part * len(ranked)) - 1)]


def render(console: Console, title: str, figures: Sequence[Figure], notes: Sequence[str]) -> None:
    """Print one bench: its figures, then what must be known to read them."""
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("figure")
    for heading in ("measured", "target", "reference", "ratio"):
        table.add_column(heading, justify="right")
    table.add_column("", justify="center")
    for figure in figures:
        table.add_row(
            figure.name,
            _with_unit(figure.value, figure.unit),
            "" if figure.target is None else f"<= {_with_unit(figure.target, figure.unit)}",
            "" if figure.reference is None else _with_unit(figure.reference, figure.unit),
            "" if figure.ratio is None else f"x {figure.ratio:.2f}",
            _mark(figure),
        )
    console.print(table)
    for name in dict.fromkeys(figure.reference_name for figure in figures):
        if name:
            console.print(f"  reference: {name}")
    for note in notes:
        console.print(f"  {note}", highlight=False)
    console.print()


def summary(figures: Sequence[Figure]) -> str:
    """Return one line: how many targets are met, and which are not."""
    judged = [figure for figure in figures if figure.is_met is not None]
    missed = [f"{figure.bench} {figure.name}" for figure in judged if not figure.is_met]
    if not judged:
        return "no targets at this size"
    told = f"{len(judged) - len(missed)} of {len(judged)} targets met"
    return f"{told}; missed: {', '.join(missed)}" if missed else told


def plain(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """Return the figures as plain data."""
    return [
        {**asdict(figure), "ratio": figure.ratio, "is_met": figure.is_met} for figure in figures
    ]


def _mark(figure: Figure) -> str:
    match figure.is_met:
        case None:
            return ""
        case True:
            return "[green]ok[/]"
        case False:
            return "[bold red]MISSED[/]"


def _with_unit(value: float, unit: str) -> str:
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2
    return f"{value:.{digits}f} {unit}".rstrip()
