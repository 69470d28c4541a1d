"""The whole daemon with Telegram beside it, as a process: told, commanded, and keeping secrets."""

from pathlib import Path

from daemon.adapters.clock import wall_ms
from tests.adapters.sinks.telegram.bot_server import CHAT_ID, TOKEN, USER_ID, serving_apart
from tests.adapters.sinks.telegram.bot_stage import said
from tests.app.cli.tickd import tickd
from tests.app.samples import write

STRATEGY = """
[[strategies]]
name = "breakout"
path = "daemon.strategies.breakout:Breakout"
symbols = ["BTC/USDT"]
"""


def test_q5_a_daemon_tells_start_and_stop_answers_and_keeps_its_token(tmp_path: Path) -> None:
    with serving_apart() as server:
        section = (
            f"[alerts.telegram]\nchat_id = {CHAT_ID}\nusers = [{USER_ID}]\ncard = true\n"
            f'base_url = "{server.url}"\n'
        )
        write(tmp_path, STRATEGY + section + "[http]\nport = 0\n")
        server.updates.append(said("/version", at_s=wall_ms() // 1000))
        environ = {"TICKD__ALERTS__TELEGRAM__TOKEN": TOKEN}

        ended = tickd(tmp_path, "run", "--for", "4s", environ=environ)

    assert ended.code == 0, ended
    told = "\n".join(server.texts)
    assert "started" in told
    assert "tickd stopped" in told
    assert "sandbox (signal), up" in told
    assert server.edited[-1]["text"].startswith("tickd: ⏹ stopped")
    assert '"event":"telegram_command"' in ended.out + ended.err
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 3
    for text in (ended.out, ended.err, told, *(path.read_text("latin-1") for path in written)):
        assert TOKEN not in text
