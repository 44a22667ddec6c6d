"""One campaign, from the start of the stack to the evidence."""

import asyncio
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.campaign.evidence import Evidence, Watcher, in_graph
from tests.campaign.outages import Outages, Strike
from tests.campaign.plan import LATENCY_SECONDS, LISTING_SECONDS, Plan
from tests.campaign.traffic import Traffic
from tests.end_to_end.client import Connorg


async def carry_out(
    plan: Plan, tell: Callable[[Strike], None] = lambda _: None, log: Path | None = None
) -> Evidence:
    """Carry out a plan. What the processes said goes to `log`, what became of all beside it."""
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
        async with (
            Outages.of_a_stack(Path(folder), tell) as outages,
            Connorg(outages.stack) as connorg,
            Traffic.ready(connorg) as traffic,
        ):
            try:
                evidence = await _carry_out(plan, outages, traffic)
            finally:
                _keep(log, outages.stack.log)
    seen = {"onboardings": evidence.onboardings, "calls": evidence.calls}
    _keep(log and log.with_suffix(".json"), json.dumps(seen, indent=1))
    return evidence


def _keep(file: Path | None, text: str) -> None:
    if file is not None:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)


async def _carry_out(plan: Plan, outages: Outages, traffic: Traffic) -> Evidence:
    connorg, watcher = traffic.connorg, Watcher(traffic.connorg)
    await connorg.graph.configure(
        latencySeconds=LATENCY_SECONDS, consistencyDelaySeconds=LISTING_SECONDS
    )
    await connorg.graph.fail(*plan.faults)
    started = time.monotonic()
    async with asyncio.TaskGroup() as work:
        watching = work.create_task(watcher.watch())
        await asyncio.gather(outages.strike(plan), traffic.send(plan.sendings))
        await connorg.graph.fail()
        onboardings = await watcher.ended(plan.partners)
        watching.cancel()
    seconds = time.monotonic() - started
    ids = {accepted.onboarding_id for accepted in traffic.tally.accepted}
    return Evidence(
        plan=plan,
        tally=traffic.tally,
        strikes=tuple(outages.strikes),
        opened_twice=frozenset(watcher.opened_twice),
        onboardings=tuple(onboardings),
        by_id={id_: await watcher.read(f"onboardings/{id_}") for id_ in ids},
        organizations=await in_graph(connorg, "organizations"),
        calls=await in_graph(connorg, "requests"),
        seconds=seconds,
    )
