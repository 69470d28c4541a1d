"""This process's end of the line to a worker process.

The event loop reads what comes by it. A thread that did would wait for the interpreter at every
turn, while this process is at work on an item of its own.
"""

import asyncio
import pickle
import socket
from typing import Any

from daemon.adapters.processes.packing import SIZE_BYTES


class Line:
    """Items go out by it in their order, and answers come in. It ends when either end does."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._size: int | None = None

    @classmethod
    async def over(cls, end: socket.socket) -> "Line":
        """Return the line of which `end` is ours."""
        return cls(*await asyncio.open_unix_connection(sock=end))

    def send(self, packed: bytes) -> None:
        """Send an item. Where nobody takes it, there will be no answer either."""
        self._writer.write(packed)

    async def answer(self, number: int) -> tuple[str, Any]:
        """Return the answer to item `number`: its kind, and what it is.

        Raises EOFError and OSError where none comes.
        """
        while True:
            # Who reads may be cancelled between the two: then the next one goes on from there.
            if self._size is None:
                self._size = int.from_bytes(await self._reader.readexactly(SIZE_BYTES))
            body = await self._reader.readexactly(self._size)
            self._size = None
            of, kind, answer = pickle.loads(body)  # noqa: S301 - from a process of ours
            # An earlier one is of an item that was given up.
            if of == number:
                return kind, answer

    def close(self) -> None:
        """Let go of it; a process at the other end ends when it looks for its next item."""
        self._writer.close()
