"""What there is to see in the console: onboardings of the past, failures, and what waits."""

import json
import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.data.tables.aio import TableClient

from connorg.contract.identifiers import new_onboarding_id
from connorg.contract.onboarding import Conclusion, Onboarding, OnboardingError, Status
from connorg.contract.organization import ConnectedOrganization
from connorg.contract.requests import OnboardingRequest
from connorg.contract.storage_names import LEDGER_TABLE
from connorg.storage.entities import onboarding_entity
from tests.end_to_end.client import Connorg, Json, Partner, eventually

NAMES = (
    *("Adatum", "Alpine Ski House", "Blue Yonder Airlines", "City Power & Light", "Coho Vineyard"),
    *("Contoso Suites", "Fabrikam Residences", "Fourth Coffee", "Graphic Design Institute"),
    *("Humongous Insurance", "Lamna Healthcare", "Litware", "Lucerne Publishing", "Nod Publishers"),
    *("Northwind Traders", "Proseware", "Relecloud", "School of Fine Art", "Southridge Video"),
    *("Tailspin Toys", "Trey Research", "The Phone Company", "VanArsdel", "Wingtip Toys"),
    *("Woodgrove Bank", "World Wide Importers", "Zava"),
)

PURPOSE = "Works with us on projects"


def partner(number: int) -> tuple[str, Partner]:
    """Return a name and its partner; the same number gives the same."""
    name = NAMES[number % len(NAMES)]
    word = "".join(letter for letter in name.lower() if letter.isalpha())
    return name, Partner(f"{word}-{number}.example")


async def remember(connorg: Connorg, count: int, days: int = 7) -> None:
    """Let the ledger hold onboardings of the last days, most of which succeeded."""
    drawn = random.Random(count)
    now = datetime.now(UTC)
    client = TableClient.from_connection_string(connorg.stack.storage, LEDGER_TABLE)
    async with client:
        with suppress(ResourceExistsError):
            await client.create_table()
        for number in range(count):
            office = drawn.choice((8, 9, 10, 11, 13, 14, 15, 16, 20))
            day = now.replace(hour=office, minute=drawn.randrange(60)) - timedelta(
                days=1 + number * days // (count + 1)
            )
            await client.upsert_entity(onboarding_entity(_past(10_000 + number, day, drawn)))


def _past(number: int, moment: datetime, drawn: random.Random) -> Onboarding:
    name, known = partner(number)
    body = known.body(displayName=name, description=PURPOSE)
    request = OnboardingRequest.model_validate_json(
        json.dumps({**body, "reference": f"REQ{number:07}"})
    )
    is_failed = drawn.random() < 0.06
    error = OnboardingError(
        code="GaveUp",
        message="It could not be done within 24 hours.",
        action="Look at what failed, then retry it.",
        date_time=moment,
    )
    result = ConnectedOrganization(
        id=f"{number:08}-0000-4000-8000-000000000000", display_name=name, state="configured"
    )
    return Onboarding(
        id=new_onboarding_id(request.identity_source.natural_key, moment, drawn),
        status=Status.FAILED if is_failed else Status.SUCCEEDED,
        channel=drawn.choice(("http", "queue", "batch", "webhook:servicenow")),
        request=request,
        reference=request.reference,
        attempts=1,
        conclusion=None if is_failed else Conclusion.CREATED,
        result=None if is_failed else result,
        last_error=error if is_failed else None,
        created_date_time=moment,
        last_action_date_time=moment + timedelta(seconds=2),
        give_up_date_time=moment + timedelta(days=1),
    )


async def ended(connorg: Connorg, body: Json) -> Json:
    """Submit, and return the onboarding once it has ended, however long that takes."""
    told = (await connorg.submit(body)).json()
    return await connorg.ended(told.get("onboardingId") or told["id"])


async def refused(connorg: Connorg, known: Partner, **changes: Any) -> str:
    """Let Graph refuse a partner once. Return the id of its onboarding, which failed."""
    await connorg.graph.fail_creates(known, "status", status=400)
    onboarding = await ended(connorg, known.body(**changes))
    assert onboarding["lastError"]["code"] == "RefusedByGraph"
    await connorg.graph.heal()
    return str(onboarding["id"])


async def fail(connorg: Connorg, first: int = 0, count: int = 40) -> Sequence[str]:
    """Let onboardings fail of three causes, the first four fifths of which a retry would mend."""
    partners = [partner(first + number) for number in range(count)]
    for number, (name, each) in enumerate(partners):
        changes = {
            "displayName": name,
            "description": PURPOSE,
            "reference": f"REQ{first + number:07}",
        }
        if number < count // 2:
            await connorg.graph.fail_creates(each, "status", status=400)
        elif number < count * 4 // 5:
            code = "QuotaLimitExceeded"
            await connorg.graph.fail_creates(each, "status", status=403, code=code)
        else:
            await connorg.graph.heal()
            await connorg.graph.make_by_hand(each)
            changes["ifExists"] = "fail"
        onboarding = await ended(connorg, each.body(**changes))
        assert onboarding["status"] == "Failed"
    await connorg.graph.heal()
    return [each.domain for _, each in partners]


async def succeed(connorg: Connorg, count: int, first: int = 100, **changes: str) -> None:
    for number in range(first, first + count):
        name, each = partner(number)
        reference = f"REQ{number:07}"
        body = each.body(displayName=name, description=PURPOSE, reference=reference, **changes)
        assert (await ended(connorg, body))["status"] == "Succeeded"


async def reopen(connorg: Connorg) -> None:
    """Mend Graph, and let the time pass for which the gate is closed."""
    await connorg.graph.heal()
    await connorg.let_time_pass_at_the_gate()


async def wait(connorg: Connorg, count: int, first: int = 200) -> Sequence[str]:
    """Let onboardings wait for a permission that the app lost. Return their ids."""
    await connorg.graph.configure(roles=[])
    ids = []
    for number in range(first, first + count):
        name, each = partner(number)
        reference = f"REQ{number:07}"
        body = each.body(displayName=name, description=PURPOSE, reference=reference)
        ids.append(await connorg.accepted(body, prefer="respond-async"))

    async def all_wait() -> bool:
        """Whether one was refused, and the others stand before the gate that it closed."""
        states = {(await connorg.onboarding(each))["status"] for each in ids}
        return "Waiting" in states and states <= {"Waiting", "NotStarted"}

    await eventually(all_wait, "they do not wait")
    return ids
