"""Measure a batch: 2,500 rows, a Graph that takes 50 calls a second, single requests meanwhile.

python -m tests.campaign.bulk --rows 2500 --limit 50 --kills 3

Exit code 1 when a row did not end well, an organization is missing or doubled, more than
MOST_REFUSED of the calls were answered 429, it took longer than LONGEST times what the limit
allows, or, while nothing was killed, a single request or webhook was held up for MOST_DELAY.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
from rich.console import Console

from tests import senders
from tests.campaign.evidence import PATIENCE_SECONDS, in_graph
from tests.campaign.outages import Outages
from tests.campaign.plan import LATENCY_SECONDS
from tests.end_to_end.client import TERMINAL, Connorg, Json, Partner

MOST_REFUSED = 0.02
LONGEST = 1.25
MOST_DELAY = 1.0  # seconds
LONGEST_ACCEPTANCE = 10.0  # seconds until the 202
EVERY = 2.0  # seconds between two looks, and between two single requests
REFUSED = 429

console = Console(highlight=False)


@dataclass
class Singles:
    """How long single requests took, in seconds."""

    submits: list[float] = field(default_factory=list)
    """Until the 201."""
    webhooks: list[float] = field(default_factory=list)
    """Until the 202."""
    concluded: list[float] = field(default_factory=list)
    """From a webhook until its onboarding had ended."""
    partners: list[Partner] = field(default_factory=list)
    lost: int = 0
    """Requests to which a killed process gave no answer."""


@dataclass(frozen=True)
class Measurement:
    rows: int
    limit: int
    lookups: bool
    kills: int
    accepted_after: float
    ended: Json
    results: Sequence[Json]
    organizations: Sequence[Json]
    calls: Sequence[Json]
    before: Singles
    meanwhile: Singles

    @property
    def seconds(self) -> float:
        """From the first call until the last that was taken, those of single requests too."""
        times = [call["time"] for call in self.calls if call["status"] != REFUSED]
        return float(max(times) - min(times))

    @property
    def allowed(self) -> float:
        """The seconds that the limit takes for the calls that had to be made."""
        return self.needed / self.limit

    @property
    def needed(self) -> int:
        return (self.rows + len(self.meanwhile.partners)) * (2 if self.lookups else 1)

    @property
    def refused(self) -> float:
        refused = [call for call in self.calls if call["status"] == REFUSED]
        return len(refused) / len(self.calls)

    def broken_promises(self) -> list[str]:
        """What went wrong, however long it took."""
        by_domain = Counter(_domain(found) for found in self.organizations)
        statuses = Counter(result["status"] for result in self.results)
        expected = [result["name"] for result in self.results]
        expected += [partner.domain for partner in self.meanwhile.partners]
        told = {
            f"the batch ended {self.ended['status']}": self.ended["status"] != "Succeeded",
            f"rows ended as {statuses}": statuses != {"Succeeded": self.rows},
            "an organization is missing": any(by_domain[domain] == 0 for domain in expected),
            "an organization is there twice": any(count > 1 for count in by_domain.values()),
        }
        return [fault for fault, is_so in told.items() if is_so]

    def missed_goals(self) -> list[str]:
        """Which figures are worse than they should be; kills cost time, and answers."""
        told = {
            f"the 202 came after {self.accepted_after:.1f} s": (
                self.accepted_after > LONGEST_ACCEPTANCE
            ),
            f"{self.refused:.1%} of the calls were answered 429": self.refused > MOST_REFUSED,
            f"it took {self.seconds / self.allowed:.2f} times what the limit allows": (
                self.seconds > LONGEST * self.allowed and not self.kills
            ),
            f"a single request was held up for {self.delay:.1f} s": (
                self.delay > MOST_DELAY and not self.kills
            ),
        }
        return [fault for fault, is_so in told.items() if is_so]

    def singles(self) -> Sequence[tuple[Sequence[float], Sequence[float]]]:
        """How long each kind of single request took during the batch, and before it."""
        return (
            (self.meanwhile.submits, self.before.submits),
            (self.meanwhile.webhooks, self.before.webhooks),
            (self.meanwhile.concluded, self.before.concluded),
        )

    @property
    def delay(self) -> float:
        """How much longer than without a batch the slowest answer to one took.

        What a webhook asked for waits at the gate like a row, also when Graph asks for silence.
        """
        answers = self.singles()[:2]
        return max(max(slow, default=0.0) - _median(usual) for slow, usual in answers)


def _median(numbers: Sequence[float]) -> float:
    return sorted(numbers)[len(numbers) // 2] if numbers else 0.0


def _domain(organization: Json) -> str:
    return str(organization["displayName"]).removeprefix("Partner ")


@dataclass
class Run:
    connorg: Connorg
    outages: Outages
    rows: int
    limit: int
    lookups: bool
    kills: int

    async def measure(self) -> Measurement:
        # The rows fill a tenant; the single requests come on top.
        graph = {"latencySeconds": LATENCY_SECONDS, "organizationLimit": 2 * self.rows + 1000}
        await self.connorg.graph.configure(**graph)
        before = Singles()
        for _ in range(3):
            await self._send_singles(before)
        await self.connorg.graph.configure(throttle={"requests": self.limit, "seconds": 1}, **graph)
        known = len(await in_graph(self.connorg, "requests"))
        partners = [Partner(f"partner-{number}.example") for number in range(self.rows)]
        started = time.monotonic()
        batch = await self._submit(partners)
        accepted_after = time.monotonic() - started
        meanwhile = Singles()
        async with asyncio.TaskGroup() as work:
            over = asyncio.Event()
            work.create_task(self._keep_sending(meanwhile, over))
            killing = work.create_task(self._kill(batch))
            ended = await self._ended(batch)
            over.set()
            await killing
        answer = await self._read(f"batches/{batch}/results")
        return Measurement(
            rows=self.rows,
            limit=self.limit,
            lookups=self.lookups,
            kills=self.kills,
            accepted_after=accepted_after,
            ended=ended,
            results=answer["value"],
            organizations=await in_graph(self.connorg, "organizations"),
            calls=(await in_graph(self.connorg, "requests"))[known:],
            before=before,
            meanwhile=meanwhile,
        )

    async def _submit(self, partners: Sequence[Partner]) -> str:
        body = json.dumps([partner.body() for partner in partners]).encode()
        headers = {"content-type": "application/json"}
        answer = await self.connorg.call("POST", "batches", content=body, headers=headers)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def _ended(self, batch: str) -> Json:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            told = await self._read(f"batches/{batch}")
            if told["status"] in TERMINAL or time.monotonic() > deadline:
                return told
            console.print(
                f"  {told['counts']['Succeeded']} of {told['rows']},"
                f" {told['perSecond']} a second, {told['secondsLeft']} s left"
            )
            await asyncio.sleep(EVERY)

    async def _kill(self, batch: str) -> None:
        """Kill the functions each time that another part of the rows is done."""
        for number in range(1, self.kills + 1):
            due = self.rows * number // (self.kills + 1)
            while (await self._read(f"batches/{batch}"))["counts"]["Succeeded"] < due:  # noqa: ASYNC110  it lies in other processes
                await asyncio.sleep(EVERY / 4)
            await self.outages.kill_functions()

    async def _keep_sending(self, singles: Singles, over: asyncio.Event) -> None:
        while not over.is_set():
            await self._send_singles(singles)
            await asyncio.sleep(EVERY)

    async def _send_singles(self, singles: Singles) -> None:
        try:
            started = time.monotonic()
            await self._send_one(singles)
            singles.submits.append(time.monotonic() - started)
            started = time.monotonic()
            onboarding = await self._send_webhook(singles)
            singles.webhooks.append(time.monotonic() - started)
            while (await self._read(f"onboardings/{onboarding}"))["status"] not in TERMINAL:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
            singles.concluded.append(time.monotonic() - started)
        except httpx.TransportError:
            singles.lost += 1

    async def _send_one(self, singles: Singles) -> None:
        partner = Partner()
        answer = await self.connorg.submit(partner.body())
        assert answer.status_code in {201, 202}, answer.text
        singles.partners.append(partner)

    async def _send_webhook(self, singles: Singles) -> str:
        partner = Partner()
        ticket = senders.Ticket(partner.domain, name=f"Partner {partner.domain}")
        body = ticket.typed()
        headers = senders.headers("servicenow", body, ticket.delivery)
        answer = await self.connorg.call(
            "POST", "webhooks/servicenow", content=body, headers=headers, key=False
        )
        assert answer.status_code == 202, answer.text
        singles.partners.append(partner)
        return str(answer.json()["id"])

    async def _read(self, path: str) -> Json:
        while True:
            try:
                answer = await self.connorg.call("GET", path)
                return dict(answer.raise_for_status().json())
            except (httpx.TransportError, httpx.HTTPStatusError):
                await asyncio.sleep(EVERY / 4)


async def measure(rows: int, limit: int, *, lookups: bool, kills: int) -> Measurement:
    settings = {**senders.SETTINGS, "CONNORG_TENANT_LOOKUP": str(lookups)}
    if kills:
        # What a killed process held in hand comes back after this, not after ten minutes.
        settings["LOCAL_HOST_QUEUE_LEASE_SECONDS"] = "4"
    async with (
        Outages.of_a_stack(None, lambda strike: console.print(f"  {strike.what}"), settings) as out,
        Connorg(out.stack) as connorg,
    ):
        return await Run(connorg, out, rows, limit, lookups, kills).measure()


def table(measured: Measurement) -> str:
    """A row for docs/bulk.md."""
    cells = (
        f"{measured.rows}{', with lookups' if measured.lookups else ''}",
        str(measured.kills or "none"),
        f"{measured.accepted_after:.1f} s",
        f"{measured.seconds:.0f} s of {measured.allowed:.0f} s",
        f"{measured.seconds / measured.allowed:.2f}",
        f"{measured.refused:.1%}",
        *(
            f"{_median(usual):.2f} s, {_median(slow):.2f} s, {max(slow, default=0):.2f} s"
            for slow, usual in measured.singles()
        ),
        ", ".join(f"{load:.1f}" for load in os.getloadavg()[:1]),
    )
    return f"| {' | '.join(cells)} |"


HEADER = """\
| Rows | Kills | 202 after | Took, of what the limit allows | Times | 429 \
| Single request: without a batch, meanwhile, slowest | Webhook's answer | Webhook's organization \
| Load |
|---|---|---|---|---|---|---|---|---|---|"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.bulk")
    parser.add_argument("--rows", type=int, default=2500)
    parser.add_argument("--limit", type=int, default=50, help="calls per second")
    parser.add_argument("--kills", type=int, default=0, help="how often the functions are killed")
    parser.add_argument("--lookups", action="store_true", help="look each partner's tenant up too")
    told = parser.parse_args()
    console.print(f"{told.rows} rows, and a Graph that takes {told.limit} calls a second …")
    measured = asyncio.run(measure(told.rows, told.limit, lookups=told.lookups, kills=told.kills))
    console.print(f"\nFor docs/bulk.md:\n{HEADER}\n{table(measured)}", markup=False, soft_wrap=True)
    wrong = [*measured.broken_promises(), *measured.missed_goals()]
    for fault in wrong:
        console.print(f"Not as promised: {fault}.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
