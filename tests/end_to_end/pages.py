"""Pages of the documentation: their blocks, and a shell to paste these into."""

import asyncio
import json
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.local.child import ROOT
from tests.stack import Stack

BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Page:
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text()

    def blocks(self, language: str) -> list[str]:
        return [text for kind, text in BLOCK.findall(self.text) if kind == language]

    @cached_property
    def json_blocks(self) -> list[Any]:
        return [json.loads(block) for block in self.blocks("json")]

    @cached_property
    def calls(self) -> list[str]:
        return [block for block in self.blocks("sh") if "curl" in block]


async def paste(stack: Stack, script: str) -> tuple[int, str]:
    """Run a page's block as it stands, in the repository's folder, after what `make run` prints.

    Return its exit code and its output.
    """
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euc", script),
        cwd=ROOT,
        env={**os.environ, "CONNORG_URL": stack.functions, "CONNORG_KEY": stack.key},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()
