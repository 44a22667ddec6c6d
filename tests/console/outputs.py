"""Pictures of what commands show at a terminal, as SVG, by rich."""

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

from connorg.command.profile import write_profile
from infra.local.child import ROOT
from tests.end_to_end.client import Connorg

COLUMNS = 120
DEMO = (sys.executable, "-m", "infra.local.demo")
# As it is called where it is installed.
STATUS = (
    *(sys.executable, "-c"),
    "import sys; sys.argv = ['connorg', 'status']; from connorg.command.commands import run; run()",
)
EMPTY_LINES = re.compile(r"\n{3,}")  # where something moved
CURSOR = re.compile(r"\x1b\[\?[0-9]+[hl]")
# Nothing is fetched from elsewhere by who looks at it: whatever monospaced font there is will do.
FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


async def demo() -> str:
    return await _picture("make demo", DEMO)


async def status(connorg: Connorg) -> str:
    with tempfile.TemporaryDirectory() as home:
        profile = {"url": connorg.stack.functions, "key": connorg.stack.key}
        write_profile(Path(home) / "connorg/profile.json", profile)
        return await _picture("connorg status", STATUS, {"XDG_CONFIG_HOME": home})


async def _picture(title: str, command: Sequence[str], env: Mapping[str, str] | None = None) -> str:
    """Run a command that has colours, but nothing that moves, and return what it showed."""
    size = {"TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "0", "COLUMNS": str(COLUMNS)}
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env={**os.environ, **size, **(env or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    console = Console(record=True, width=COLUMNS, file=StringIO())
    shown = EMPTY_LINES.sub("\n\n", CURSOR.sub("", output.decode()))
    console.print(Text.from_ansi(shown.strip()), end="\n\n")
    return FONTS.sub("", console.export_svg(title=f"$ {title}"))
