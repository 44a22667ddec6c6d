"""python -m tests.newcomer: do what README says in a fresh clone, with a clock.

Its commands are typed at a pseudo-terminal of 80 columns and then at one of 200, where all is set
up. It shows what a newcomer sees, and the seconds that each step took. Exit code 1 when a step
does not come to what README says, or a process is left.
"""

import asyncio
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.local.child import ROOT
from tests.console.browser import browsing
from tests.console.installed import find_browser
from tests.terminal import Terminal

README = ROOT / "README.md"
WIDTHS = (80, 200)
PATIENCE = 900  # seconds, in which everything is downloaded
COMMAND = re.compile(r"^(make [a-z-]+) ", re.MULTILINE)
EXPORT = re.compile(r"^ *(export CONNORG_URL=\S+ CONNORG_KEY=(\S+))$", re.MULTILINE)
CONSOLE = re.compile(r"^ *Console +(\S+)", re.MULTILINE)
# What a newcomer's shell does not have.
OURS = ("VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL")


@dataclass
class Clock:
    """What ended when, in seconds since the clone began."""

    began: float = field(default_factory=time.monotonic)
    steps: list[tuple[str, float]] = field(default_factory=list)

    def note(self, step: str) -> None:
        self.steps.append((step, time.monotonic() - self.began))

    @property
    def lines(self) -> Iterator[str]:
        before = 0.0
        for step, seconds in self.steps:
            yield f"{seconds:7.1f} s  {step}: {seconds - before:.1f} s"
            before = seconds


def blocks(language: str = "") -> Sequence[str]:
    """Return the blocks of README's "Try it" that are written in a language."""
    _, _, section = README.read_text().partition("## Try it\n")
    fenced = re.findall(r"```(\w*)\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    return [text for written, text in fenced if written == language]


def commands() -> Sequence[str]:
    """Return what README has a newcomer type, in its order."""
    [block] = blocks()
    return COMMAND.findall(block)


def call() -> str:
    """Return what README has a newcomer paste."""
    [block] = blocks("sh")
    return block


async def main() -> int:
    demo, run = commands()[:2]
    with tempfile.TemporaryDirectory() as empty:
        clock, folder = Clock(), Path(empty) / "connorg"
        await _output("git", "clone", "--quiet", ROOT, folder)
        clock.note("the clone is there")
        for columns in WIDTHS:
            await _see_demo(demo, columns, folder, clock)
            await _see_run(run, columns, folder, clock)
        processes = (await _output("ps", "-eo", "args")).splitlines()
    left = [process for process in processes if str(folder) in process]
    _say("", *clock.lines, *(f"Left: {process}" for process in left))
    return 1 if left else 0


async def _see_demo(command: str, columns: int, folder: Path, clock: Clock) -> None:
    async with _typed(command, columns, folder) as terminal:
        await terminal.shows("ask to be connected")
        clock.note(f"{command} at {columns} columns is set up and has started its parts")
        code = await terminal.ended()
        clock.note(f"{command} at {columns} columns has ended")
    _show(command, columns, terminal)
    assert code == 0


async def _see_run(command: str, columns: int, folder: Path, clock: Clock) -> None:
    async with _typed(command, columns, folder) as terminal:
        await terminal.shows("Ctrl-C stops it.")
        clock.note(f"{command} at {columns} columns is up")
        said = terminal.seen
        export, console = EXPORT.search(said), CONSOLE.search(said)
        assert export
        assert console
        output = await _output("bash", "-euc", f"{export[1]}\n{call()}", folder=folder)
        assert json.loads(output)["status"] == "Succeeded"
        clock.note("the first organization is created")
        await _look(console[1], export[2], clock)
        terminal.presses_ctrl_c()
        await terminal.ended()  # make's own exit code says that it was interrupted
        clock.note("everything is stopped")
    _show(command, columns, terminal)
    _say(output)
    assert "***" not in terminal.seen


async def _look(console: str, key: str, clock: Clock) -> None:
    path = find_browser()
    if path is None:
        _say("No browser is here: nobody looks at the console.")
        return
    async with browsing(path) as browser:
        page = await browser.new_page()
        await page.goto(console)
        await page.get_by_label("Function key").wait_for()
        clock.note("the console shows its first page")
        await page.get_by_label("Function key").fill(key)
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("navigation", name="Pages").wait_for()
        clock.note("the console shows its overview")


def _typed(command: str, columns: int, folder: Path) -> Terminal:
    env = {name: value for name, value in os.environ.items() if name not in OURS}
    return Terminal(["bash", "-c", command], columns, env, PATIENCE, folder)


async def _output(*command: str | Path, folder: Path = ROOT) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, command
    return output.decode()


def _show(command: str, columns: int, terminal: Terminal) -> None:
    """Print what is left on the screen: what moved has been wiped away."""
    lines = (line.rpartition("\r")[2].rstrip() for line in terminal.seen.split("\n"))
    _say(f"\n$ {command}    ({columns} columns)", *lines)


def _say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
