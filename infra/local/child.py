"""A child process of the stack: when it is ready, what it says, how it ends."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Self, TextIO

ROOT = Path(__file__).parents[2]
LOOPBACK = "127.0.0.1"
TETHER = Path(__file__).parent / "tether.py"
# Far more than a cold start on a busy machine takes: for a part that hangs.
START_SECONDS = 120
# Azurite writes its data on SIGTERM, a functions host lets invocations end.
END_SECONDS = 10
LONGEST_LINE = 2**24


class DidNotStartError(Exception):
    """A part of the stack ended, or stayed silent, before it was ready."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(part, reason)
        self.part = part
        self.reason = reason

    @property
    def is_port_taken(self) -> bool:
        return "address already in use" in self.reason

    def __str__(self) -> str:
        advice = f"; give another --{self.part}-port, or 0 for any free one"
        return f"{self.part} did not start: {self.reason}{advice if self.is_port_taken else ''}"


class Child:
    """One running part. Its standard error goes to the log, each line with the part's name."""

    def __init__(self, part: str, process: asyncio.subprocess.Process, log: TextIO) -> None:
        self.part = part
        self.pid = process.pid
        self._process = process
        self._log = log
        self._output = _lines(process.stdout)
        self._last_words = ""
        self._relay = asyncio.create_task(self._relay_errors())
        self._drain: asyncio.Task[None] | None = None

    @classmethod
    async def spawn(
        cls, part: str, command: Sequence[str], environment: Mapping[str, str], log: TextIO
    ) -> Self:
        process = await asyncio.create_subprocess_exec(
            *tethered(command),
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE,
            process_group=0,  # Ctrl-C is for the stack, which ends its parts in order
        )
        return cls(part, process, log)

    async def ready(self, is_announcement: Callable[[str], bool]) -> str:
        """The first line on standard output that is the announcement.

        Raise DidNotStartError when the process ends, or START_SECONDS pass, without one.
        """
        try:
            async with asyncio.timeout(START_SECONDS):
                async for line in self._output:
                    if is_announcement(line):
                        self._drain = asyncio.create_task(_exhaust(self._output))
                        return line
                code = await self.ended()
                await self._relay
        except TimeoutError:
            raise DidNotStartError(self.part, f"no answer for {START_SECONDS} s") from None
        raise DidNotStartError(self.part, self._last_words or f"it ended with exit code {code}")

    async def ended(self) -> int:
        """Wait for the end of the process; its exit code, or minus the signal that ended it."""
        return await self._process.wait()

    async def end(self) -> None:
        if self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(END_SECONDS):
                await self.ended()
        except TimeoutError:
            self._process.kill()
            await self.ended()

    async def _relay_errors(self) -> None:
        async for line in _lines(self._process.stderr):
            self._last_words = line or self._last_words
            with contextlib.suppress(
                OSError
            ):  # our output is not read any more: the part continues
                print(f"{self.part}: {line}", file=self._log, flush=True)


def tethered(command: Sequence[str]) -> list[str]:
    """The same command, in a process that ends with this one. Start it in the main thread."""
    return [sys.executable, "-IS", str(TETHER), str(os.getpid()), *command]


async def _lines(stream: asyncio.StreamReader | None) -> AsyncIterator[str]:
    assert stream is not None
    async for line in stream:
        yield line.decode(errors="replace").rstrip()


async def _exhaust(lines: AsyncIterator[str]) -> None:
    """Read on, so that a full pipe does not stop the process."""
    async for _ in lines:
        pass
