"""One seed, one schedule: who asks for what and when, and what goes wrong meanwhile."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

from connorg.contract.onboarding import Status
from connorg.contract.requests import OnboardingRequest
from connorg.core.domain.claims import Conflict, Submitted
from connorg.core.onboarding.idempotency import Submission
from connorg.core.onboarding.replay import cancel, replay
from connorg.core.onboarding.submit import submit
from connorg.core.policy.rules import Refusal
from connorg.core.ports import StorageUnavailableError
from connorg.core.retention import purge
from connorg.core.services import Services
from connorg.storage.entities import ONBOARDING
from tests.simulation.graph import FAULTS, Dialect
from tests.simulation.host import start_triggers
from tests.simulation.host_faults import HostFault
from tests.simulation.world import RETENTION, Change, Weather, World

_MINUTE, _HOUR = 60.0, 3600.0
_TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
_ADA, _NOBODY = "ada@contoso.example", "nobody@contoso.example"
PASSING_FAULTS = tuple(name for name in FAULTS if name != "refused")
_AMBIGUOUS_FAULTS = tuple(
    name for name, fault in FAULTS.items() if getattr(fault.setback, "ambiguous", False)
)
_LISTING_DELAY = 30.0  # seconds; timing.settle allows for it, and for graph.LATEST_COMMIT
RUSH = 40  # partners; fewer would be within the pace, however they come
_LONGEST = 80 * _HOUR  # three days of trying, and a bit
_LATER = RETENTION + _HOUR

type Answer = Submitted | Conflict | Refusal | None


@dataclass(frozen=True)
class Report:
    seed: int
    broken: str | None
    trace: list[tuple[float, str, str]]
    host_faults: Counter[HostFault]

    def __str__(self) -> str:
        lines = [f"{time:10.3f}  {who}  {what}" for time, who, what in self.trace]
        again = f"python -m tests.simulation --replay {self.seed}"
        return "\n".join([f"seed {self.seed}: {self.broken or 'holds'}", again, *lines])


def run(
    seed: int,
    change: Change = lambda services: services,
    weather: Weather | None = None,
    *,
    tracing: bool = False,
) -> Report:
    """Run a schedule; without `weather` the seed draws that too."""
    random = Random(seed)
    drawn = _draw_weather(random)
    # Of draws of their own, so that all else stays as it is.
    host = Random(f"the host in {seed}")
    drawn = replace(drawn, host=host.choice((0, 0, 0.02, 0.1, 0.3)))
    world = World(random, weather or drawn, change, host, tracing=tracing)
    minutes_ahead = Random(f"the clock of Graph in {seed}").choice((-4, -2, 0, 2, 4))
    world.graph.clock_ahead = timedelta(minutes=minutes_ahead)
    world.graph.dialect = _draw_dialect(
        Random(f"the dialect of Graph in {seed}"), is_throng=world.weather.rush > 0
    )
    schedule = _Schedule(world)
    try:
        start_triggers(world)
        schedule.begin()
        world.loop.run_to_rest(_LONGEST)
        world.invariants.at_rest()
        if world.invariants.broken is None:
            schedule.begin_again()
            world.loop.run_to_rest(_LATER + 2 * _LONGEST)
            world.invariants.at_rest()
    finally:
        world.loop.drop_everything()
    return Report(seed, world.invariants.broken, world.trace, world.host.seen)


def _draw_weather(random: Random) -> Weather:
    """Most schedules are short and stormy; a few last longer than an onboarding tries."""
    kind = random.random()
    if kind < 0.01:
        return Weather(ends=random.uniform(20, 30) * _HOUR, graph=1.0, faults=PASSING_FAULTS)
    if kind < 0.05:
        ends = random.uniform(10 * _MINUTE, 2 * _HOUR)
        return Weather(ends=ends, graph=random.uniform(0.7, 1), faults=PASSING_FAULTS)
    if kind < 0.07:
        return Weather(ends=2 * _HOUR, kill=random.uniform(0.5, 1))
    if kind < 0.08:
        limit, retry_after = random.choice((5, 10, 20)), random.choice((1.0, 7.0, 30.0))
        return Weather(ends=_MINUTE, rush=RUSH, limit=limit, retry_after=retry_after)
    ends = random.choice((30.0, _MINUTE, 3 * _MINUTE, 10 * _MINUTE))
    return Weather(
        ends=ends,
        blocked_until=random.uniform(0, ends) if random.random() < 0.1 else 0,
        crash=random.choice((0, 0, 0.005, 0.02, 0.1)),
        storage=random.choice((0, 0, 0.02, 0.1, 0.3, 1)),
        graph=random.choice((0, 0.1, 0.3, 0.7)),
        hang=random.choice((0, 0, 0.1, 0.5)),
        listing_delay=random.choice((0, 2, _LISTING_DELAY)),
        faults=random.choice((PASSING_FAULTS, _AMBIGUOUS_FAULTS)),
    )


def _draw_dialect(random: Random, *, is_throng: bool) -> Dialect:
    # A throng in pages of one, at a second each, is more than an attempt can list.
    return Dialect(
        filters=random.choice(("exact", "exact", "ignore case", "ignored", "refused", "empty")),
        page_size=max(random.choice((1, 2, 100)), 10 if is_throng else 1),
        empty_pages=random.random() < 0.3,
        capitals=random.random() < 0.3,
    )


class _Schedule:
    def __init__(self, world: World) -> None:
        self._world = world
        self._random = world.random
        self._numbers = 0
        self._partners: list[dict[str, Any]] = []

    def begin(self) -> None:
        world, random = self._world, self._random
        for _ in range(random.choice((1, 2, 3))):
            world.start_instance()
        domains = [f"partner{i}.example" for i in range(random.choice((1, 1, 2, 3)))]
        self._partners = [_domain(name) for name in domains]
        self._prepare_graph()
        self._take_in()
        for _ in range(random.choice((0, 0, 1, 3))):
            world.spawn(self._operate(random.choice((cancel, replay))))
        for number in range(world.weather.rush):
            asked = _request(random, _domain(f"rush{number}.example"), f"rush{number}")
            world.spawn(self._produce(f"rush{number}", asked, None))

    def begin_again(self) -> None:
        """In calm weather: all that was done is purged while the same is asked for again."""
        self._world.spawn(self._later())

    async def _later(self) -> None:
        world, random = self._world, self._random
        await asyncio.sleep(_LATER)
        for _ in range(random.choice((1, 1, 2))):
            world.spawn(self._purge())
        for _ in range(random.choice((0, 1))):
            world.spawn(self._operate(replay))
        self._take_in()

    def _take_in(self) -> None:
        for _ in range(self._random.choice((1, 2, 3, 5))):
            self._intake(self._random.choice(self._partners))

    async def _purge(self) -> None:
        await self._pause()
        instance = self._random.choice(self._world.living())
        await instance.run("purge", purge)

    def _prepare_graph(self) -> None:
        graph, random = self._world.graph, self._random
        if random.random() < 0.2:
            graph.tenant_of_domain["partner0.example"] = _TENANT
        if random.random() < 0.1:
            graph.refused.add("domain:partner0.example")
        graph.unknown_sponsors.add(_NOBODY)
        graph.may_look_up_tenants = random.random() < 0.9
        # Nobody knows whether Graph does; what it does not refuse must not be asked for.
        graph.tells_tenants_apart = not graph.may_look_up_tenants or random.random() < 0.5

    def _intake(self, source: dict[str, Any]) -> None:
        world, random = self._world, self._random
        self._numbers += 1
        name = f"caller{self._numbers}"
        if random.random() < 0.1 and world.graph.tenant_of_domain:
            source = _tenant(_TENANT)
        asked = _request(random, source, name)
        key = random.choice((None, None, "one key"))
        if random.random() < 0.25:
            world.spawn(self._produce(name, asked, key))
            return
        submission = Submission(asked, "http", "caller", key)
        for _ in range(random.choice((1, 1, 2)) if key else 1):
            world.spawn(self._call(name, submission, random.choice((0.0, 1.0, 20.0))))

    async def _pause(self) -> None:
        longest = self._random.choice((0.0, 1.0, 60.0, self._world.weather.ends))
        await asyncio.sleep(self._random.uniform(0, longest))

    async def _call(self, name: str, submission: Submission, wait: float) -> None:
        """A caller of the HTTP function, who calls again after a 503 or where no answer came."""
        await self._pause()
        for tries in range(4):
            answer = await self._answer(name, lambda services: submit(services, submission, wait))
            if answer is not None:
                repeated = tries > 0 and submission.idempotency_key is None
                self._world.invariants.answered(name, submission, answer, repeated=repeated)
                return
            await asyncio.sleep(self._random.uniform(1, 30))

    async def _operate(self, act: Callable[[Services, str], Coroutine[Any, Any, Answer]]) -> None:
        """An operator who lists onboardings, and replays or cancels one."""
        await asyncio.sleep(self._random.uniform(0, 1.5 * self._world.weather.ends))
        wanted = {Status.FAILED} if act is replay else {Status.NOT_STARTED, Status.WAITING}
        rows = self._world.table.rows
        ids = [
            f"{partition}-{name.removeprefix(ONBOARDING)}"
            for (partition, name), row in rows.items()
            if name.startswith(ONBOARDING) and row["Status"] in wanted
        ]
        if ids:
            chosen = self._random.choice(ids)
            name = f"{act.__name__} of {chosen}"
            await self._answer(name, lambda services: act(services, chosen))

    async def _answer(
        self, name: str, call: Callable[[Services], Coroutine[Any, Any, Answer]]
    ) -> Answer:
        """None: a 503, or no answer, as the instance died or there is none."""
        world = self._world
        living = world.living()
        if not living:
            return None
        instance = self._random.choice(living)
        task = world.spawn(self._guarded(name, instance.run(name, call)))
        patience = self._random.choice((10.0, 100.0))
        await asyncio.wait(
            {task, instance.death}, timeout=patience, return_when=asyncio.FIRST_COMPLETED
        )
        return task.result() if instance.alive and task.done() else None

    async def _guarded(self, name: str, answer: Awaitable[Answer]) -> Answer:
        try:
            return await answer
        except StorageUnavailableError:
            self._world.note(name, "is answered 503")
        except Exception as error:  # noqa: BLE001  nobody expects another
            self._world.invariants.failed(name, error)
        return None

    async def _produce(self, name: str, asked: OnboardingRequest, key: str | None) -> None:
        """Somebody else who puts messages on the queue, now and then twice or spoilt."""
        await self._pause()
        message = asked.model_dump(mode="json", exclude_none=True)
        if asked.callback_url is not None:
            message["callbackUrl"] = asked.callback_url
        if key is not None:
            message["idempotencyKey"] = key
        text = json.dumps(message)
        if self._random.random() < 0.1:
            text = text[:-9]
        elif asked.callback_url is not None:
            self._world.invariants.callbacks_asked.append((name, asked.callback_url))
        for _ in range(self._random.choice((1, 1, 2))):
            self._world.invariants.produced(name, text, asked)
            self._world.queue.send(text, 0)


def _request(random: Random, source: dict[str, Any], reference: str) -> OnboardingRequest:
    # By its name a domain may be taken for one whose tenant nobody may look up.
    shared = source in (_domain("partner0.example"), _tenant(_TENANT))
    return OnboardingRequest.model_validate(
        {
            "displayName": "Contoso" if shared else f"Contoso of {source['domainName']}",
            "description": random.choice(("A partner", "A partner", "Another description")),
            "identitySources": [source],
            "state": "configured",
            "reference": reference,
            "ifExists": random.choice((None, None, "return", "fail", "update")),
            "internalSponsors": random.choice((None, None, [_ADA], [_NOBODY, _ADA])),
            "callbackUrl": random.choice((None, f"https://prod-1.logic.azure.com/{reference}")),
            "externalSponsors": random.choice((None, None, None, [_ADA])),
        }
    )


def _domain(name: str) -> dict[str, Any]:
    return {"@odata.type": "#microsoft.graph.domainIdentitySource", "domainName": name}


def _tenant(tenant_id: str) -> dict[str, Any]:
    return {"@odata.type": "#microsoft.graph.azureActiveDirectoryTenant", "tenantId": tenant_id}
