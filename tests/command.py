"""`connorg` as a person runs it: a process, with or without a terminal; or within this one."""

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO

import pytest

from connorg.command import commands
from infra.local.child import ROOT
from tests.terminal import CODES, Terminal

PATIENCE_SECONDS = 90  # nothing waits that long unless something is broken
WIDE, NARROW = 200, 80  # columns


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str
    seen: str = ""
    """Both, in the order in which they were written; of a command within this process."""


async def run(
    *arguments: object, env: Mapping[str, str] | None = None, module: str = "connorg.command"
) -> Ended:
    process = await asyncio.create_subprocess_exec(
        *_command(arguments, module),
        cwd=ROOT,
        env=_environment(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        out, err = await process.communicate()
    ended = Ended(process.returncode or 0, out.decode(), err.decode())
    assert "Traceback" not in ended.err, ended.err
    return ended


def run_here(*arguments: object, env: Mapping[str, str], columns: int | None = None) -> Ended:
    """The same without a process of its own, which takes longer than all that ends at once.

    As at a terminal with so many columns, or as in a pipe. It is called `connorg`.
    """
    terminal = {"TTY_COMPATIBLE": "1", "NO_COLOR": "1"} if columns else {}
    both = StringIO()
    with pytest.MonkeyPatch.context() as patch, _Copied(both) as out, _Copied(both) as err:
        patch.setattr(sys, "argv", ["connorg", *map(str, arguments)])
        patch.delenv("UV", raising=False)
        size = {"COLUMNS": str(columns or WIDE)}
        for name, value in {**size, **terminal, **env}.items():
            patch.setenv(name, value)
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            commands.run()
        code = int(ended.value.code or 0)
        told = [CODES.sub("", text.getvalue()) for text in (out, err, both)]
        return Ended(code, *told)


class _Copied(StringIO):
    def __init__(self, copy: StringIO) -> None:
        super().__init__()
        self._copy = copy

    def write(self, text: str, /) -> int:
        self._copy.write(text)
        return super().write(text)


def at_terminal(
    *arguments: object, env: Mapping[str, str] | None = None, columns: int = WIDE
) -> Terminal:
    """The command at a pseudo-terminal."""
    return Terminal(_command(arguments), columns, _environment(env))


def _command(arguments: tuple[object, ...], module: str = "connorg.command") -> list[str]:
    return [sys.executable, "-m", module, *map(str, arguments)]


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    return {**os.environ, "COLUMNS": str(WIDE), **(more or {})}
