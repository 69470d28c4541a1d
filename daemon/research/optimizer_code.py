"""Writes what an optimizer gathered as one Python file that runs: strategies, frames, a walker.

A prompt that is code (the body of a strategy class, with a `get_signal(self, view)`) becomes a
strategy as it stands. Any other prompt becomes one that hands it to `ask`, which the author writes.
Nothing of it is run here: it is only parsed.
"""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from textwrap import dedent, indent

from daemon.research.columns import moment_text
from daemon.research.optimizer import OptimizerError, OptimizerStrategy, TrainRange

_FENCED = re.compile(r"\A\s*```(?:python|py)?[ \t]*\n(.*?)\n?```\s*\Z", re.DOTALL)

_HEAD = '''\
"""Strategies for {symbol_words}, proposed by optimizer {optimizer}. Read them before you run them.

    python THIS_FILE CANDLES.csv

compares them on the test range, which none of the conversations is about. One of them is traded
with `path = "THIS_FILE:{first}"` in the configuration.
"""

import asyncio
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from daemon import (
    Frame,
    Signal,
    Strategy,
    View,
    Walker,
    WalkerSchema,
    add_frame,
    add_history,
    add_strategy,
    add_walker,
)

SYMBOL = {symbol!r}
WALKER = {walker!r}


async def ask(messages: list[dict[str, str]], prompt: str, view: View) -> Signal | None:
    """Ask your model for a signal. Until you write this, nothing is asked or traded."""
    return None

'''

_CODE = '''
class {name}(Strategy):
    """From {source}, {start} to {end}."""

    strategy_name = {strategy_name!r}
    interval = "5m"

{body}

'''

_PROMPT = '''
class {name}(Strategy):
    """From {source}, {start} to {end}."""

    strategy_name = {strategy_name!r}
    interval = "5m"
    history: ClassVar[Mapping[str, int]] = MappingProxyType({{"1m": 60, "5m": 60, "1h": 48}})
    prompt = {prompt!r}
    messages: ClassVar[list[dict[str, str]]] = {messages}

    async def get_signal(self, view: View) -> Signal | None:
        """Return what the model says."""
        return await ask(self.messages, self.prompt, view)

'''

_TAIL = '''
STRATEGIES = ({classes})
FRAMES = (
{frames})


async def main(candles: str) -> None:
    """Compare the strategies on the test range and print the report."""
    for strategy in STRATEGIES:
        add_strategy(strategy)
    for frame in FRAMES:
        add_frame(frame)
    add_history(SYMBOL, candles)
    names = [strategy.strategy_name for strategy in STRATEGIES]
    add_walker(WalkerSchema(walker_name=WALKER, frame_name=FRAMES[-1].frame_name, strategies=names))
    async for event in Walker.run(SYMBOL, walker_name=WALKER):
        print(event.strategy_name, event.metric_value, file=sys.stderr)
    print(Walker.get_report(SYMBOL, WALKER))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePlan:
    """What a file of code is made of."""

    optimizer_name: str
    symbol: str
    strategies: Sequence[OptimizerStrategy]
    ranges: Sequence[TrainRange]
    test: TrainRange


def code_of(plan: CodePlan) -> str:
    """Return the text of the file: the same inputs give the same text. Raises OptimizerError."""
    if not plan.strategies:
        raise OptimizerError(f"optimizer {plan.optimizer_name!r} has no strategies to write")
    about = repr((plan.optimizer_name, plan.symbol, plan.strategies, plan.test))
    prefix = blake2b(about.encode("utf-8", "replace"), digest_size=4).hexdigest()
    names = [f"Proposed{number}" for number, _ in enumerate(plan.strategies, start=1)]
    parts = [
        _HEAD.format(
            symbol=plan.symbol,
            symbol_words=_words(plan.symbol),
            optimizer=_words(plan.optimizer_name),
            first=names[0],
            walker=f"{prefix}_walker",
        )
    ]
    for number, (name, strategy) in enumerate(zip(names, plan.strategies, strict=True), start=1):
        parts.append(_strategy(name, f"{prefix}_strategy_{number}", strategy))
    frames = [
        *((f"{prefix}_train_{number}", each) for number, each in enumerate(plan.ranges, start=1)),
        (f"{prefix}_test", plan.test),
    ]
    listed = "".join(f"    {_frame(name, each)},\n" for name, each in frames)
    parts.append(_TAIL.format(classes="".join(f"{name}, " for name in names), frames=listed))
    # Half a surrogate pair is no text that a file can hold.
    text = "".join(parts).encode("utf-8", "replace").decode("utf-8")
    try:
        ast.parse(text)
    except SyntaxError as error:
        raise OptimizerError(f"what was proposed makes no Python file: {error}") from error
    return text


def proposed_body(text: str) -> str | None:
    """Return the body of a strategy class that `text` is, without its fence, or None."""
    fenced = _FENCED.match(text)
    body = dedent(fenced[1] if fenced else text).strip("\n")
    try:
        parsed = ast.parse(f"class _:\n{indent(body, '    ')}\n")
    except (SyntaxError, ValueError):
        return None
    (made,) = parsed.body if len(parsed.body) == 1 else (None,)
    if not isinstance(made, ast.ClassDef):
        return None
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    asks = any(isinstance(each, functions) and each.name == "get_signal" for each in made.body)
    return body if asks else None


def _strategy(name: str, strategy_name: str, strategy: OptimizerStrategy) -> str:
    body = proposed_body(strategy.strategy)
    facts = {
        "name": name,
        "strategy_name": strategy_name,
        "source": _words(strategy.name),
        "start": moment_text(strategy.train.start_ms),
        "end": moment_text(strategy.train.end_ms),
    }
    if body is not None:
        return _CODE.format(body=indent(body, "    "), **facts)
    messages = [{"role": each.role, "content": each.content} for each in strategy.messages]
    return _PROMPT.format(prompt=strategy.strategy, messages=repr(messages), **facts)


def _frame(name: str, train: TrainRange) -> str:
    return (
        f'Frame(frame_name={name!r}, interval="1m", start_ms={train.start_ms}, '
        f"end_ms={train.end_ms})"
    )


def _words(text: str) -> str:
    """Return `text` as words that may stand in a docstring."""
    return re.sub(r"[^\w,.:/()-]+", " ", text).strip()
