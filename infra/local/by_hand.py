"""`python -m infra.local run`: the stack for a person at a terminal, who tries it by hand."""

import asyncio
import sys
import textwrap
from collections import deque
from functools import partial
from pathlib import Path

from infra.local.azurite import is_free
from infra.local.child import ROOT
from infra.local.moods import ADMINISTRATOR, CALM, MOODS, set_mood
from infra.local.stack import CURL, FUNCTIONS, GRAPH, IDENTITY, Stack, print_addresses, say
from infra.local.tokens import LOCAL_IDENTITY_HEADER, PRINCIPAL_ID, TOKEN_PATH

LOG = ROOT / ".local/run.log"
_USUAL_PORT = 7071  # as Core Tools has it
_SHOWN = 20  # lines of the log


def usual_port() -> int:
    """Return the port of Core Tools if it is free, else 0: any other."""
    return _USUAL_PORT if is_free(_USUAL_PORT) else 0


async def welcome(mood: str, log: Path, stack: Stack) -> None:
    """Say what to do first, and listen for words about Graph."""
    if FUNCTIONS not in stack.addresses or GRAPH not in stack.addresses:
        await print_addresses(stack)
        return
    graph = stack.addresses[GRAPH]
    await set_mood(graph, mood)
    say(_welcome(stack, log), sys.stdout)
    if mood != CALM:
        say(f"\n{_about(mood, stack)}", sys.stdout)
    if sys.stdin.isatty():
        say(_LISTENING, sys.stdout)
        under_way: set[asyncio.Task[None]] = set()
        asyncio.get_running_loop().add_reader(sys.stdin, partial(_heard, stack, log, under_way))
    say("\nCtrl-C stops it.", sys.stdout)


def _welcome(stack: Stack, log: Path) -> str:
    url, key = stack.addresses[FUNCTIONS], stack.addresses["key"]
    shown = log.relative_to(ROOT) if log.is_relative_to(ROOT) else log
    return f"""connorg runs on this machine, with a Microsoft Graph that is emulated.

  Console    {url}/api/console  (its key: {key})
  API        {url}/api/docs
  Graph      {stack.addresses[GRAPH]}
  Log        {shown}

Paste this into another terminal, in this folder:

  export CONNORG_URL={url} CONNORG_KEY={key}

Then create a connected organization:

{CURL.format(url="$CONNORG_URL", key="$CONNORG_KEY")}

See what became of it in the console, or by the command connorg:

  .venv/bin/python -m connorg.command status"""


_LISTENING = f"""
Type a word and Enter to change how Graph behaves:
{textwrap.fill(", ".join(MOODS), 78, break_on_hyphens=False)}.
Enter alone shows the last lines of the log."""


def _heard(stack: Stack, log: Path, under_way: set[asyncio.Task[None]]) -> None:
    line = sys.stdin.readline()
    if not line:  # the terminal is gone
        asyncio.get_running_loop().remove_reader(sys.stdin)
        return
    word = line.strip().lower()
    if not word:
        with log.open(encoding="utf-8", errors="replace") as lines:
            say("".join(deque(lines, _SHOWN)).rstrip(), sys.stdout)
    elif word in MOODS:
        changing = asyncio.create_task(_change(stack, word))
        under_way.add(changing)
        changing.add_done_callback(under_way.discard)
    else:
        say(f"{word!r} is none of: {', '.join(MOODS)}.", sys.stdout)


async def _change(stack: Stack, mood: str) -> None:
    await set_mood(stack.addresses[GRAPH], mood)
    say(_about(mood, stack), sys.stdout)


def _about(mood: str, stack: Stack) -> str:
    told = f"From now on Graph {MOODS[mood].means}."
    if mood != ADMINISTRATOR:
        return told
    return f"""{told} Paste this into another terminal:

  export CONNORG_GRAPH_ROOT={stack.addresses[GRAPH]}
  export IDENTITY_ENDPOINT={stack.addresses[IDENTITY]}{TOKEN_PATH}
  export IDENTITY_HEADER={LOCAL_IDENTITY_HEADER}
  .venv/bin/python -m infra.grant --principal-id {PRINCIPAL_ID}
"""
