"""Closed trades of a run in a spreadsheet, under the names that the journal's have, too."""

import csv
from io import StringIO

from daemon.app.trade_rows import COLUMNS, trades_csv
from tests.core.some_events import a_closed


def test_each_value_stands_below_its_name() -> None:
    event = a_closed(pnl_percent=0.5)

    rows = list(csv.DictReader(StringIO(trades_csv([event]))))

    assert [name for name in COLUMNS if name not in rows[0]] == ["state", "levels"]
    assert [name for name in rows[0] if name not in COLUMNS] == []
    assert rows[0]["id"] == event.signal.id
    assert rows[0]["opened_at"] == str(event.signal.pending_at)
    assert rows[0]["price_close"] == str(event.current_price)
    assert rows[0]["reason"] == event.close_reason
    assert rows[0]["pnl_percentage"] == "0.5"
    assert rows[0]["note"] == event.signal.note
