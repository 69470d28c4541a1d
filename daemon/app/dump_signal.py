"""Keeping the trail of a language model's signal: one Markdown file per message."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from daemon.reports.as_json import as_json
from daemon.research.optimizer import Message


async def dump_signal(
    signal_id: str,
    history: Sequence[Message],
    signal: object,
    path: str | Path = "dump/strategy",
) -> Path:
    """Write the conversation that led to a signal into a folder of its own; return the folder.

    `00_system_prompt.md`, then `01_user_message.md` and so on; the last file holds the signal. A
    folder that is there already is left as it is.
    """
    folder = Path(path) / quote(signal_id, safe="")
    await asyncio.to_thread(_write, folder, history, signal)
    return folder


def _write(folder: Path, history: Sequence[Message], signal: object) -> None:
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        return
    system = [each.content for each in history if each.role == "system"]
    texts = {"00_system_prompt.md": "\n\n".join(system)} if system else {}
    spoken = [each for each in history if each.role != "system"]
    for number, message in enumerate(spoken, start=1):
        texts[f"{number:02d}_{message.role}_message.md"] = message.content
    body = json.dumps(as_json(signal), ensure_ascii=False, indent=2)
    texts[f"{len(spoken) + 1:02d}_llm_output.md"] = f"```json\n{body}\n```"
    for name, text in texts.items():
        (folder / name).write_text(text.rstrip("\n") + "\n", encoding="utf-8")
