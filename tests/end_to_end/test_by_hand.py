"""`make demo` and `make run` on a terminal."""

import os
import re
import signal
import subprocess
import sys

import pytest

from infra.local.by_hand import LOG
from infra.local.child import ROOT
from infra.local.demo.__main__ import LOG as DEMO_LOG
from infra.local.demo.partners import read_partners
from tests.terminal import Terminal

pytestmark = pytest.mark.slow

RUN = [sys.executable, "-m", "infra.local", "run"]
QUIETLY = "--silent --max-time 60 -H 'Prefer: wait=5'"
PARTS = re.compile(r"^(functions|graph|identity|storage): ", re.MULTILINE)


@pytest.mark.xdist_group("demo")
@pytest.mark.parametrize("columns", [80, 200])
def test_the_demo_tells_what_happened_to_each_partner(columns: int) -> None:
    with Terminal([sys.executable, "-m", "infra.local.demo"], columns) as terminal:
        assert terminal.ended() == 0, terminal.text
        told = terminal.text
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


def test_what_run_says_can_be_pasted_and_what_it_hears_changes_graph() -> None:
    with Terminal(RUN) as terminal:
        said = terminal.shows("Ctrl-C stops it.")
        assert all(len(line) <= 80 for line in said.splitlines() if "export" not in line)
        export = re.search(r"^ *(export .*)$", said, re.MULTILINE)
        call = re.search(r"^curl .*?\}'", said, re.MULTILINE | re.DOTALL)
        assert export
        assert call
        script = f"{export[1]}\n{call[0]}"
        assert "201 Created" in pasted(f"{script} {QUIETLY}")
        terminal.type("outage\n")
        terminal.shows("From now on Graph answers 503")
        assert "202 Accepted" in pasted(
            f"{script} {QUIETLY}".replace("contoso.com", "fabrikam.com")
        )
        terminal.type("calm\n")
        terminal.shows("From now on Graph answers everything")
        examined = pasted(f'{export[1]}\n{sys.executable} -m infra.doctor --url "$CONNORG_URL/api"')
        assert "permission" in examined
        terminal.type("administrator\n")
        granting = re.findall(
            r"^  (.*)$",
            terminal.shows("--principal-id").split("administrator, who")[1],
            re.MULTILINE,
        )
        assert "Given and verified" in pasted("\n".join(granting) + " --yes")
        terminal.type("nonsense\n")
        terminal.shows("'nonsense' is none of")
        terminal.type("\n")
        terminal.shows("functions: ")
        terminal.interrupt(signal.SIGINT)
        assert terminal.ended() == 0
    assert PARTS.search(LOG.read_text())


def pasted(script: str) -> str:
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    return done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_can_be_stopped_before_it_is_up(number: signal.Signals) -> None:
    with Terminal([*RUN, "--graph", "throttling"]) as terminal:
        terminal.shows("Starting")
        terminal.interrupt(number)
        assert terminal.ended() == 0
        assert "Traceback" not in terminal.text
