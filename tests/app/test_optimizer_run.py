"""A program lets a model propose strategies: pages, conversations, and one file that runs."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from daemon import (
    Message,
    Optimizer,
    OptimizerCallbacks,
    OptimizerError,
    OptimizerSchema,
    OptimizerStrategy,
    RegistrationError,
    Source,
    SourceRequest,
    TrainRange,
    UnknownNameError,
    add_optimizer,
    dump_signal,
    list_optimizers,
    listen_optimizer_progress,
)
from daemon.app import optimizer_run
from daemon.app.loading import load_strategy
from daemon.research.optimizer_code import CodePlan, code_of, proposed_body
from tests.app.walk_stage import MINUTES, SYMBOL, some_rows
from tests.core.samples import MINUTE, T0

FIRST = TrainRange(start_ms=T0, end_ms=T0 + 1000 * MINUTE)
SECOND = TrainRange(start_ms=T0 + 1000 * MINUTE, end_ms=T0 + 2000 * MINUTE)
TEST = TrainRange(start_ms=T0 + 2000 * MINUTE, end_ms=T0 + (MINUTES - 1) * MINUTE)

BODY = '''\
```python
"""Buys dips, {carefully}."""
interval = "15m"
BELOW = 0.99

async def get_signal(self, view):
    return Signal(
        position="long",
        price_take_profit=view.price * 1.02,
        price_stop_loss=view.price * self.BELOW,
        minute_estimated_time=60,
    )
```'''
REQUESTS: list[SourceRequest] = []


async def news(request: SourceRequest) -> list[dict[str, object]]:
    """Return 60 rows, of which two pages overlap."""
    REQUESTS.append(request)
    numbers = range(request.offset, min(request.offset + request.limit, 60))
    return [{"id": max(0, number - 1), "text": f"news {number}"} for number in numbers]


def trades(request: SourceRequest) -> list[dict[str, object]]:
    return [{"id": "a", "size": 1.0}]


def answer(symbol: str, messages: Sequence[Message]) -> str:
    return BODY if len(messages) == 2 else 'Buy "low", sell {high}.'


SCHEMA = OptimizerSchema(
    optimizer_name="think/er",
    range_train=[FIRST, SECOND],
    range_test=TEST,
    source=[
        Source(name="news", fetch=news),
        Source(name="trades", fetch=trades, user=lambda symbol, rows: f"{len(rows)} of {symbol}"),
    ],
    get_prompt=answer,
)


@pytest.fixture(autouse=True)
def _a_clean_registry() -> Iterator[None]:
    REQUESTS.clear()
    add_optimizer(SCHEMA)
    yield
    optimizer_run.OPTIMIZERS.clear()


async def the_data(name: str = "think/er") -> tuple[OptimizerStrategy, ...]:
    return await Optimizer.get_data(SYMBOL, optimizer_name=name)


async def test_sources_are_fetched_page_by_page_into_a_conversation_per_range() -> None:
    heard: list[tuple[int, int, float]] = []
    forget = listen_optimizer_progress(
        lambda event: heard.append((event.processed_sources, event.total_sources, event.progress))
    )
    found = await the_data()
    forget()

    assert [(each.name, each.train) for each in found] == [
        ("news", FIRST),
        ("trades", FIRST),
        ("news", SECOND),
        ("trades", SECOND),
    ]
    assert [request.offset for request in REQUESTS] == [0, 25, 50] * 2
    assert [len(each.messages) for each in found] == [2, 4, 2, 4]
    asked = found[0].messages[0].content
    assert asked.startswith("news of BTC/USDT from 2023-11-14 22:20 UTC to ")
    # Rows 0 and 1 share an id.
    assert asked.count('"id"') == 59
    assert found[1].messages[2].content == "1 of BTC/USDT"
    assert [message.role for message in found[1].messages] == ["user", "assistant"] * 2
    assert heard == [(0, 4, 0.0), (1, 4, 0.25), (2, 4, 0.5), (3, 4, 0.75), (4, 4, 1.0)]


async def test_hooks_hear_data_code_and_file_and_none_can_break_it(tmp_path: Path) -> None:
    heard: list[tuple[object, ...]] = []

    def broken(*_: object) -> None:
        raise RuntimeError("mine")

    callbacks = OptimizerCallbacks(
        on_source_data=lambda symbol, name, rows, *_: heard.append(("rows", name, len(rows))),
        on_data=broken,
        on_code=lambda symbol, code: heard.append(("code", code.count("class "))),
        on_dump=lambda symbol, path: heard.append(("dump", Path(path).name)),
    )
    optimizer_run.OPTIMIZERS["think/er"] = replace(SCHEMA, range_train=[FIRST], callbacks=callbacks)
    place = await Optimizer.dump(SYMBOL, optimizer_name="think/er", path=tmp_path)

    assert place == tmp_path / "optimizer" / "think%2Fer_BTC%2FUSDT.py"
    assert heard == [
        ("rows", "news", 59),
        ("rows", "trades", 1),
        ("code", 2),
        ("dump", "think%2Fer_BTC%2FUSDT.py"),
    ]


def test_the_file_runs_and_compares_what_was_proposed(tmp_path: Path) -> None:
    place = asyncio.run(Optimizer.dump(SYMBOL, optimizer_name="think/er", path=tmp_path))
    candles = tmp_path / "candles.csv"
    lines = ["timestamp,open,high,low,close,volume"]
    lines += [",".join(map(str, row)) for row in some_rows()]
    candles.write_text("\n".join(lines))

    done = subprocess.run(
        [sys.executable, str(place), str(candles)], capture_output=True, text=True, check=False
    )
    strategy = load_strategy(f"{place}:Proposed1")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("# Walker Comparison Report: ")
    assert "Strategies Tested:** 4 of 4" in done.stdout
    assert strategy.interval == "15m"
    assert strategy.__doc__ is not None
    assert place.read_text() == asyncio.run(Optimizer.get_code(SYMBOL, optimizer_name="think/er"))


@pytest.mark.parametrize(
    ("text", "is_code"),
    [
        (BODY, True),
        ("def get_signal(self, view):\n    return None", True),
        ("  def get_signal(self, view): ...", True),
        ("Here it is:\n" + BODY, False),
        ("def other(self): ...", False),
        ("def get_signal(self, view):\n  return (", False),
        ("", False),
        ("x = 1\0", False),
        ('x = """\ndef get_signal(self, view): ...\n"""', False),
    ],
)
def test_a_proposal_is_code_only_if_it_is_the_body_of_a_strategy(text: str, is_code: bool) -> None:
    assert (proposed_body(text) is not None) is is_code


@pytest.mark.parametrize("text", ['"""', "\\", "}{", "'''\n\"\"\"", "\ud800", "\r\n\x00", "{name}"])
def test_whatever_a_model_says_the_file_is_one_that_python_reads(text: str) -> None:
    strategy = OptimizerStrategy(
        symbol=SYMBOL,
        name=f"{text}news",
        train=FIRST,
        messages=(Message(role="user", content=text),),
        strategy=f"{text} words",
    )
    plan = CodePlan(
        optimizer_name=text, symbol=SYMBOL, strategies=[strategy], ranges=[FIRST], test=TEST
    )

    compile(code_of(plan).encode("utf-8", "replace"), "proposed.py", "exec")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fetch": lambda _: 1 / 0}, r"source 'bad', offset 0: ZeroDivisionError: .* \(at test_op"),
        ({"fetch": lambda _: "rows"}, "it must return rows, not str"),
        ({"fetch": lambda _: [{"text": 1}]}, 'each row must be a table with an "id"'),
        ({"fetch": lambda _: [{"id": n} for n in range(25)]}, "offset 25 holds nothing new"),
        ({"user": lambda *_: None}, "source 'bad': user must return a text, not NoneType"),
    ],
)
async def test_a_source_that_fails_is_one_clear_line(change: dict[str, Any], message: str) -> None:
    source = replace(SCHEMA.source[1], name="bad", user=None)
    add_optimizer(replace(SCHEMA, optimizer_name="bad", source=[replace(source, **change)]))

    with pytest.raises(OptimizerError, match=message):
        await the_data("bad")


async def test_what_cannot_be_registered_is_one_clear_line() -> None:
    for change, message in (
        ({}, "optimizer 'think/er' already exists"),
        ({"optimizer_name": ""}, "needs an optimizer_name"),
        ({"optimizer_name": "x", "range_train": []}, "there is no train range"),
        ({"optimizer_name": "x", "source": []}, "there is no source"),
        (
            {"optimizer_name": "x", "source": [*SCHEMA.source, SCHEMA.source[0]]},
            "source 'news' is named twice",
        ),
        ({"optimizer_name": "x", "range_test": TrainRange(start_ms=5, end_ms=5)}, "range ends"),
    ):
        changed: dict[str, Any] = change
        with pytest.raises(RegistrationError, match=message):
            add_optimizer(replace(SCHEMA, **changed))
    with pytest.raises(UnknownNameError, match="no optimizer 'x'; registered: 'think/er'"):
        await the_data("x")
    assert len(list_optimizers()) == 1


async def test_the_trail_of_a_signal_is_kept_once(tmp_path: Path) -> None:
    history = [
        Message(role="system", content="You trade."),
        Message(role="user", content="Candles"),
        Message(role="assistant", content="Seen."),
    ]
    folder = await dump_signal("../s1", history, {"position": "long"}, tmp_path)
    await dump_signal("../s1", [], {"position": "short"}, tmp_path)

    names = sorted(path.name for path in await asyncio.to_thread(lambda: list(folder.iterdir())))
    assert folder == tmp_path / "..%2Fs1"
    assert names == [
        "00_system_prompt.md",
        "01_user_message.md",
        "02_assistant_message.md",
        "03_llm_output.md",
    ]
    output = await asyncio.to_thread((folder / "03_llm_output.md").read_text)
    assert json.loads(output.strip("`json\n")) == {"position": "long"}
