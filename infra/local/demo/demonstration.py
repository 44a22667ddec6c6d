"""Start the local stack, connect partners over HTTP and by the queue, show what happened to each.

Exit code 0 only when every partner ended as it should: one organization for each.
"""

import asyncio
import contextlib
import json
import time
from contextlib import AsyncExitStack
from typing import Any

import httpx
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from infra.local.child import ROOT, DidNotStartError
from infra.local.demo.partners import FILE, QUEUE, Partner, read_partners
from infra.local.demo.story import story
from infra.local.stack import Options, Stack

LOG = ROOT / ".local" / "demo.log"
ONBOARDING_QUEUE = "onboarding"
TERMINAL = {"Succeeded", "Failed", "Canceled"}
PATIENCE = 120  # seconds; a machine under load included

# Shorter than in production, where a POST of unknown fate is looked up for longer.
SETTINGS = {"CONNORG_ATTEMPT_SECONDS": "4", "CONNORG_SETTLE_SECONDS": "4"}
# The seeds are such that the first partners are served, so that both can be seen.
SOMETIMES = {
    "method": "POST",
    "path": "connectedOrganizations",
    "times": 1,
    "probability": 0.4,
}
FAULTS = [
    {**SOMETIMES, "seed": 0, "fault": "throttle", "retryAfter": 2},
    {**SOMETIMES, "seed": 19, "fault": "commit_then_reset"},
    {**SOMETIMES, "seed": 34, "fault": "status", "status": 503},
    {**SOMETIMES, "seed": 5, "fault": "reset"},
]

_ROOM = 120  # columns, in which names and domains are whole

console = Console(highlight=False)

type Json = dict[str, Any]
type Sent = tuple[Partner, int | None]
"""A partner, and the HTTP status of the answer if there was one."""


def main() -> int:
    try:
        return asyncio.run(_demonstrate())
    except DidNotStartError as failure:
        console.print(f"[red]{failure}[/]")
        return 1


async def _demonstrate() -> int:
    started = time.monotonic()
    async with AsyncExitStack() as ending:
        with console.status("Starting storage, Graph, managed identity and the functions …"):
            stack = Stack(Options(settings=SETTINGS, log=LOG), ending)
            await stack.start()
        where = stack.addresses
        headers = {"x-functions-key": where["key"]}
        http = await ending.enter_async_context(
            httpx.AsyncClient(headers=headers, timeout=httpx.Timeout(60))
        )
        await http.put(f"{where['graph']}/_emulator/faults", json=FAULTS)
        partners = read_partners()
        console.print(
            f"{len({partner.name for partner in partners})} partners ask to be connected, over HTTP"
            " and by the queue; two of them twice. Graph throttles once, loses an answer, resets a"
            " connection and answers 503.\n"
        )
        answers = await _send(http, where, partners)
        onboardings = await _watch(http, where["functions"], answers)
        organizations = (await http.get(f"{where['graph']}/_emulator/organizations")).json()
        requests = (await http.get(f"{where['graph']}/_emulator/requests")).json()
    console.print(_table(answers, onboardings))
    wrong = _faults(answers, onboardings, organizations)
    if wrong:
        for sentence in wrong:
            console.print(f"[red]Not as it should be: {sentence}.[/]")
        return 1
    # A 404 is the answer to a lookup: the domain belongs to no tenant.
    failed = sum(1 for request in requests if request["status"] not in {200, 201, 204, 404})
    console.print(
        f"\n[bold]Every partner has one organization: none is missing, none was created twice.[/]"
        f"\n{len(answers)} requests, {len(requests)} calls to Graph of which {failed} failed,"
        f" {len(organizations)} organizations, {time.monotonic() - started:.0f} s."
        "\nNext: make run, which prints the address of the console, and calls to paste."
        f"\nPartners: {FILE.relative_to(ROOT)}. Log: {LOG.relative_to(ROOT)}"
    )
    return 0


async def _send(
    http: httpx.AsyncClient, where: dict[str, str], partners: list[Partner]
) -> list[Sent]:
    """Send each partner by its way in. Return the HTTP status of the answers that there are."""
    queue = QueueClient.from_connection_string(
        where["storage"], ONBOARDING_QUEUE, message_encode_policy=TextBase64EncodePolicy()
    )
    answers: list[Sent] = []
    async with queue:
        with contextlib.suppress(Exception):  # it is there when the functions made it first
            await queue.create_queue()
        for partner in partners:
            if partner.way_in == QUEUE:
                await queue.send_message(json.dumps(partner.body))
                answers.append((partner, None))
                continue
            address = f"{where['functions']}/api/connected-organizations"
            answer = await http.post(address, json=partner.body)
            answers.append((partner, answer.status_code))
    return answers


async def _watch(http: httpx.AsyncClient, functions: str, answers: list[Sent]) -> dict[str, Json]:
    """Wait until every partner's onboarding is done, and show how far it is.

    Return each with its history, by the partner's name.
    """
    wanted = {partner.name for partner, _ in answers}
    address = f"{functions}/api/onboardings"
    deadline = time.monotonic() + PATIENCE
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as progress:
        task = progress.add_task("Connecting partners", total=len(wanted))
        while True:
            page = (await http.get(address, params={"top": 100})).json()["value"]
            onboardings: dict[str, Json] = {_name(onboarding): onboarding for onboarding in page}
            done = {name for name, o in onboardings.items() if o["status"] in TERMINAL}
            progress.update(task, completed=len(done & wanted))
            if wanted <= done or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.3)
    return {
        name: (await http.get(f"{address}/{onboarding['id']}")).json()
        for name, onboarding in onboardings.items()
    }


def _table(answers: list[Sent], onboardings: dict[str, Json]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("Partner", "Domain or tenant", "Sent"):
        table.add_column(column, overflow="fold", no_wrap=console.width >= _ROOM)
    table.add_column("What happened", overflow="fold")
    seen: set[str] = set()
    for partner, status in answers:
        onboarding = onboardings.get(partner.name, {})
        told = story(onboarding.get("history", ()))
        if partner.name in seen:
            told = "asked for twice, one organization"
        seen.add(partner.name)
        colour = "green" if onboarding.get("status") == "Succeeded" else "red"
        sent = f"{partner.way_in} {status}" if status else partner.way_in
        table.add_row(partner.name, partner.identity, sent, f"[{colour}]{told}[/]")
    return table


def _faults(
    answers: list[Sent], onboardings: dict[str, Json], organizations: list[Json]
) -> list[str]:
    names = sorted({partner.name for partner, _ in answers})
    created = sorted(organization["displayName"] for organization in organizations)
    wrong = []
    if names != created:
        wrong.append("an organization is missing, or there twice")
    if {onboardings.get(name, {}).get("status") for name in names} != {"Succeeded"}:
        wrong.append("an onboarding did not succeed")
    if not {status for _, status in answers} <= {200, 201, 202, None}:
        wrong.append("a request over HTTP was refused")
    return wrong


def _name(onboarding: Json) -> str:
    return str((onboarding["request"] or {}).get("displayName"))
