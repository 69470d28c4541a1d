"""A folder to compare and to search in: a strategy with parameters, candles, a configuration."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.app.cli.tickd import ROOT, Ended, Shell
from tests.app.samples import write

START_MS = 1_767_225_600_000
ROWS = 1_200
SWING = """
import asyncio
from pathlib import Path

from daemon import Int, Signal, Strategy, View


class Swing(Strategy):
    interval = "15m"
    params = {"target": 10, "stop": 20, "side": "long", "eager": True}
    spaces = {"target": Int(6, 20), "stop": Int(10, 40)}

    def __init__(self) -> None:
        with Path("begun").open("a") as made:
            made.write(".")

    async def get_signal(self, view: View) -> Signal | None:
        # Only where a test wants to end a run in its middle.
        if Path("stall").exists() and len(Path("begun").read_text()) > 3:
            await asyncio.sleep(0.05)
        sign = 1 if view.params.text("side") == "long" else -1
        return Signal(
            position="long" if sign > 0 else "short",
            price_take_profit=view.price * (1 + sign * view.params.integer("target") / 1000),
            price_stop_loss=view.price * (1 - sign * view.params.integer("stop") / 1000),
            minute_estimated_time=45,
        )
"""
CONFIG = """
[rules]
schedule_await_minutes = 30
max_signal_lifetime_minutes = 60

[[risk]]
name = "one"
max_positions = 1

[[strategies]]
name = "swing"
path = "./swing.py:Swing"
symbols = ["ETH/USDT", "BTC/USDT"]

[[strategies]]
name = "eager"
path = "./swing.py:Swing"
symbols = ["BTC/USDT"]
interval = "5m"
risk = ["one"]
params = { target = 6 }
"""


def lay_out(shell: Shell) -> Shell:
    """Fill the folder of `shell`."""
    rows = ["timestamp,open,high,low,close,volume\n"]
    for minute in range(ROWS):
        close = 100 + abs(minute % 70 - 35) / 12 + (minute * 37 % 101) / 200
        stamp = START_MS + minute * 60_000
        rows.append(f"{stamp},{close:.4f},{close + 0.1:.4f},{close - 0.1:.4f},{close:.4f},1\n")
    (shell.folder / "btc.csv").write_text("".join(rows))
    (shell.folder / "swing.py").write_text(SWING)
    write(shell.folder, CONFIG)
    return shell


def interrupted(
    folder: Path, *arguments: str, count: int = 5, number: signal.Signals = signal.SIGINT
) -> Ended:
    """Run a command as a process; send it a signal when `count` strategies have been made."""
    begun = folder / "begun"
    begun.unlink(missing_ok=True)
    (folder / "stall").touch()
    process = subprocess.Popen(
        [sys.executable, "-m", "daemon", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and not (begun.exists() and len(begun.read_text()) >= count):
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    (folder / "stall").unlink()
    return Ended(process.returncode, out, err)
