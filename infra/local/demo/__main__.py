"""Start the local stack, onboard partners through HTTP and the queue, show what became of them.

Exit code 0 only when every partner ended as it should: one organization for each.
"""

import asyncio
import contextlib
import json
import sys
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
from infra.local.demo.partners import QUEUE, Partner, read_partners
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

console = Console()

type Json = dict[str, Any]
type Sent = tuple[Partner, int | None]
"""A partner, and the HTTP status of the answer if there was one."""


async def main() -> int:
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("w", encoding="utf-8") as log, contextlib.redirect_stderr(log):
        try:
            return await _demonstrate()
        except DidNotStartError as failure:
            console.print(f"[red]{failure}[/]")
            return 1


async def _demonstrate() -> int:
    started = time.monotonic()
    async with AsyncExitStack() as ending:
        with console.status("Starting storage, Graph, managed identity and the functions host …"):
            stack = Stack(Options(settings=SETTINGS), ending)
            await stack.start()
        where = stack.addresses
        console.print(f"The functions listen on {where['functions']}, Graph on {where['graph']}.")
        headers = {"x-functions-key": where["key"]}
        http = await ending.enter_async_context(
            httpx.AsyncClient(headers=headers, timeout=httpx.Timeout(60))
        )
        await http.put(f"{where['graph']}/_emulator/faults", json=FAULTS)
        console.print("Graph will throttle once, and fail in some other ways.\n")
        partners = read_partners()
        answers = await _send(http, where, partners)
        onboardings = await _watch(http, where["functions"], answers)
        organizations = (await http.get(f"{where['graph']}/_emulator/organizations")).json()
        requests = (await http.get(f"{where['graph']}/_emulator/requests")).json()
    console.print(_table(answers, onboardings))
    # A 404 is the answer to a lookup: the domain belongs to no tenant.
    done = {200, 201, 204, 404}
    failed_calls = sum(1 for request in requests if request["status"] not in done)
    console.print(
        f"{len(organizations)} organizations stand in Graph, after {len(requests)} calls of which"
        f" {failed_calls} failed. {time.monotonic() - started:.0f} s in all."
        f" What the parts said: {LOG.relative_to(ROOT)}"
    )
    return _verdict(answers, onboardings, organizations)


async def _send(
    http: httpx.AsyncClient, where: dict[str, str], partners: list[Partner]
) -> list[Sent]:
    """Send each partner by its way in; give the HTTP status of the answers that there are."""
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
            console.print(f"  {partner.name}: {answer.status_code} {answer.reason_phrase}")
    return answers


async def _watch(http: httpx.AsyncClient, functions: str, answers: list[Sent]) -> list[Json]:
    """Wait until every partner's onboarding is done, and show how far it is."""
    wanted = {partner.name for partner, _ in answers}
    deadline = time.monotonic() + PATIENCE
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    ) as progress:
        task = progress.add_task("Onboarding", total=len(wanted))
        while True:
            page = (await http.get(f"{functions}/api/onboardings?top=100")).json()
            onboardings: list[Json] = page["value"]
            done = {_name(o) for o in onboardings if o["status"] in TERMINAL}
            waiting = sum(1 for o in onboardings if o["status"] == "Waiting")
            progress.update(
                task, completed=len(done & wanted), description=f"Onboarding ({waiting} to retry)"
            )
            if wanted <= done or time.monotonic() > deadline:
                return onboardings
            await asyncio.sleep(0.3)


def _table(answers: list[Sent], onboardings: list[Json]) -> Table:
    table = Table(title="What became of them", title_justify="left", box=None, pad_edge=False)
    table.add_column("Partner", max_width=15, no_wrap=True)
    for column in ("Sent", "Became", "Tries"):
        table.add_column(column, no_wrap=True)
    table.add_column("Id in Graph", no_wrap=True, min_width=36)
    for partner, status in answers:
        onboarding = _onboarding(partner, onboardings)
        succeeded = onboarding.get("status") == "Succeeded"
        became = onboarding.get("conclusion") or onboarding.get("status", "unknown")
        table.add_row(
            partner.name,
            f"{partner.way_in} {status or ''}",
            f"[{'green' if succeeded else 'red'}]{became}[/]",
            str(onboarding.get("attempts", "")),
            (onboarding.get("result") or {}).get("id", ""),
        )
    return table


def _verdict(
    answers: list[Sent],
    onboardings: list[Json],
    organizations: list[Json],
) -> int:
    names = sorted({partner.name for partner, _ in answers})
    created = sorted(organization["displayName"] for organization in organizations)
    ended = {_onboarding(partner, onboardings).get("status") for partner, _ in answers}
    wrong = []
    if names != created:
        wrong.append("an organization is missing, or there twice")
    if ended != {"Succeeded"}:
        wrong.append("an onboarding did not succeed")
    if not {status for _, status in answers} <= {200, 201, 202, None}:
        wrong.append("a request over HTTP was refused")
    for sentence in wrong:
        console.print(f"[red]Not as it should be: {sentence}.[/]")
    return 1 if wrong else 0


def _onboarding(partner: Partner, onboardings: list[Json]) -> Json:
    return next((o for o in onboardings if _name(o) == partner.name), {})


def _name(onboarding: Json) -> str:
    return str((onboarding["request"] or {}).get("displayName"))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
