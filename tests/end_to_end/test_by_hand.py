"""`make demo` and `make run` on a terminal."""

import asyncio
import os
import re
import signal
import sys

import pytest

from infra.local.by_hand import LOG
from infra.local.child import ROOT
from infra.local.demo.demonstration import LOG as DEMO_LOG
from infra.local.demo.partners import read_partners
from tests.terminal import Terminal

pytestmark = pytest.mark.slow

DEMO = [sys.executable, "-m", "infra.local.demo"]
RUN = [sys.executable, "-m", "infra.local", "run"]
PATIENCE = 150  # seconds, in which a stack starts on a busy machine
QUIETLY = "--silent --max-time 60 -H 'Prefer: wait=5'"
PARTS = re.compile(r"^(functions|graph|identity|storage): ", re.MULTILINE)


@pytest.mark.xdist_group("demo")
@pytest.mark.parametrize("columns", [80, 200])
async def test_the_demo_tells_what_happened_to_each_partner(columns: int) -> None:
    async with Terminal(DEMO, columns, patience=PATIENCE) as terminal:
        assert await terminal.ended() == 0, terminal.seen
    told = terminal.seen
    table = told[told.index("What happened") :]
    assert not PARTS.search(told)
    assert all(len(line) <= columns for line in table.splitlines())
    if columns == 200:
        # Which fault hits whom depends on who comes first.
        assert "throttled, tried again" in table or "while Graph was throttling" in table
        names = {name for p in read_partners() for name in (p.name, p.identity)}
        assert not {name for name in names if name not in table}, table
    assert "none is missing, none was created twice" in told
    assert len(PARTS.findall(DEMO_LOG.read_text())) > 50


async def test_what_run_says_can_be_pasted_and_what_it_hears_changes_graph() -> None:
    async with Terminal(RUN, 80, patience=PATIENCE) as terminal:
        await terminal.shows("Ctrl-C stops it.")
        said = terminal.seen
        assert all(len(line) <= 80 for line in said.splitlines() if "export" not in line)
        export = re.search(r"^ *(export .*)$", said, re.MULTILINE)
        call = re.search(r"^curl .*?\}'", said, re.MULTILINE | re.DOTALL)
        assert export
        assert call
        script = f"{export[1]}\n{call[0]}"
        assert "201 Created" in await pasted(f"{script} {QUIETLY}")
        [status] = re.findall(r"^  (\.venv.*)$", said, re.MULTILINE)
        assert "1 onboarding: 1 Succeeded" in await pasted(f"{export[1]}\n{status}")
        terminal.types("outage\n")
        await terminal.shows("From now on Graph answers 503")
        assert "202 Accepted" in await pasted(
            f"{script} {QUIETLY}".replace("contoso.com", "fabrikam.com")
        )
        terminal.types("calm\n")
        await terminal.shows("From now on Graph answers everything")
        examined = await pasted(
            f'{export[1]}\n{sys.executable} -m infra.doctor --url "$CONNORG_URL/api"'
        )
        assert "permission" in examined
        terminal.types("administrator\n")
        await terminal.shows("--principal-id")
        told = terminal.seen.split("administrator, who")[1]
        granting = re.findall(r"^  (.*)$", told, re.MULTILINE)
        assert "Given and verified" in await pasted("\n".join(granting) + " --yes")
        terminal.types("nonsense\n")
        await terminal.shows("'nonsense' is none of")
        terminal.types("\n")
        await terminal.shows("functions: ")
        terminal.interrupt(signal.SIGINT)
        assert await terminal.ended() == 0
    assert PARTS.search(LOG.read_text())


async def pasted(script: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", script),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"]},
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_run_can_be_stopped_before_it_is_up(number: signal.Signals) -> None:
    async with Terminal([*RUN, "--graph", "throttling"], 80, patience=PATIENCE) as terminal:
        await terminal.shows("Starting")
        terminal.interrupt(number)
        assert await terminal.ended() == 0
        assert "Traceback" not in terminal.seen


@pytest.mark.xdist_group("demo")
async def test_the_demo_can_be_stopped() -> None:
    async with Terminal(DEMO, 80, patience=PATIENCE) as terminal:
        await terminal.shows("Starting")
        terminal.interrupt()
        assert await terminal.ended() == 130
    assert terminal.seen.rstrip().endswith("Everything that it started has been stopped.")
