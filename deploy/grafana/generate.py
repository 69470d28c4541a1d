"""Writes the dashboards that Grafana reads: `python -m deploy.grafana.generate`."""

from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.boards import BOARDS
from deploy.grafana.panels import Board, build

FOLDER = Path(__file__).parent / "dashboards"


def render(board: Board) -> str:
    """Return the JSON of a dashboard."""
    text: str = JSONEncoder(sort_keys=True, indent=1).encode(build(board))
    return text + "\n"


def main() -> None:
    """Write every dashboard into its place."""
    FOLDER.mkdir(exist_ok=True)
    for board in BOARDS:
        (FOLDER / f"{board.uid}.json").write_text(render(board), encoding="utf-8")


if __name__ == "__main__":
    main()
