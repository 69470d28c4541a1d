"""Files of strategies that hold what harms whoever asks what it is."""

from pathlib import Path

from daemon.app.loading import load_strategy, load_validation

ODD = """
from daemon.core.strategy import Strategy
class Mine(Strategy):
    def get_signal(self, view):
        return None
def calm(payload):
    return None
class Odd:
    @property
    def __class__(self):
        raise SystemExit(9)
odd = Odd()
"""


def test_what_else_a_file_holds_is_asked_nothing(tmp_path: Path) -> None:
    file = tmp_path / "odd.py"
    file.write_text(ODD)

    assert load_strategy(f"{file}:Mine").__name__ == "Mine"
    assert load_validation(f"{file}:calm").note == "calm"
