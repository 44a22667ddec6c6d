"""What a row and a message may grow to: the largest valid requests fit, and end."""

import base64
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connorg.contract.asking import ask_fields
from connorg.contract.batches import Batch, BatchRow
from connorg.contract.identifiers import RowRef
from connorg.contract.onboarding import Conclusion, Onboarding, OnboardingError, Status
from connorg.contract.organization import (
    ConnectedOrganization,
    StoredIdentitySource,
    Tenant,
    differences,
    sponsor_differences,
)
from connorg.contract.parsing import InvalidValuesError
from connorg.contract.requests import LARGEST_REQUEST, OnboardingRequest
from connorg.core.domain import lifecycle
from connorg.core.domain.outcomes import Connected, Later, SponsorSettled
from connorg.core.domain.timing import Timing
from connorg.core.onboarding.records import message_of, new_onboarding
from connorg.core.onboarding.resume import bury
from connorg.core.ports import ClaimHeld
from connorg.core.services import Services
from connorg.storage.entities import onboarding_entity
from tests.simulation.storage import LARGEST_ROW
from tests.unit.core.services_under_test import NOW, simulated_core
from tests.unit.partners import body

LARGEST_MESSAGE = 64 * 1024  # bytes; the service's limit
# ASCII; one that JSON writes as two; two, three and four bytes of UTF-8.
LETTERS = ("a", '"', "\\", "é", "ﬁ", "\N{SLICE OF PIZZA}")
ROW = RowRef(batch=f"batch-{'0' * 32}", row=2)


def request_of(letters: str, sponsors: int) -> OnboardingRequest | None:
    """Return a request with as much as each field takes; None: it is more than a request may be."""
    # What JSON writes as two has no place in a sponsor.
    name = letters if letters not in '"\\' else "a"
    named = [f"{number:02}{name}"[:3] + name * 240 + "@a.example" for number in range(2 * sponsors)]
    source = {
        "@odata.type": "#microsoft.graph.externalDomainFederation",
        "domainName": ".".join(["a" * 60] * 4),
        "issuerUri": f"https:{letters * 2042}",
        "displayName": letters * 256,
    }
    fields = body(
        source,
        displayName=letters * 256,
        description=letters * 1024,
        reference=letters * 256,
        internalSponsors=named[:sponsors],
        externalSponsors=named[sponsors:],
        ifExists="update",
    )
    try:
        return ask_fields(OnboardingRequest, fields)
    except InvalidValuesError as refused:
        told = str(refused)
    assert "bytes in all" in told
    return None


def error(letters: str) -> OnboardingError:
    return OnboardingError(
        code="SponsorNotAdded",
        message=letters * 620,
        action="a" * 200,
        graph_code=letters * 200,
        graph_request_id=letters * 200,
        date_time=NOW,
    )


def organization(letters: str) -> ConnectedOrganization:
    return ConnectedOrganization(
        id="a" * 64,
        display_name=letters * 256,
        description=letters * 1024,
        state="configured",
        identity_sources=(
            StoredIdentitySource(odata_type="a" * 64, display_name=letters * 256, tenant_id="0"),
        ),
        created_date_time=NOW,
        modified_date_time=NOW,
        tenant=Tenant(tenant_id="0" * 36, display_name=letters * 256),
    )


async def open_it(services: Services, request: OnboardingRequest) -> Onboarding:
    onboarding = new_onboarding(services, request, f"webhook:{'a' * 64}", "0" * 36)
    opened = await services.ledger.open(onboarding.model_copy(update={"batch_row": ROW}))
    assert not isinstance(opened, ClaimHeld)
    return opened


@pytest.mark.parametrize("sponsors", [0, 1, 20])
@pytest.mark.parametrize("letters", LETTERS)
async def test_the_largest_requests_are_kept_whole_to_their_end(
    letters: str, sponsors: int
) -> None:
    request = request_of(letters, sponsors)
    if request is None:
        assert letters in LETTERS[3:], "what is written in ASCII is not too large"
        assert sponsors == 20
        return
    services, timing, chance = simulated_core(), Timing(), Random(1)
    held = await open_it(services, request)
    for _ in range(3):
        held = await services.ledger.save(lifecycle.begin(held, NOW, timing))
        waits = lifecycle.conclude(held, Later(error(letters)), NOW, timing, chance)
        held = await services.ledger.save(waits)
    held = await services.ledger.save(lifecycle.begin(held, NOW, timing))
    found = organization(letters)
    differing = differences(request.attributes, found.attributes)
    outcome = Connected(
        Conclusion.UPDATED,
        found,
        differing + sponsor_differences(request.sponsorships),
        request.sponsorships,
    )
    held = await services.ledger.save(lifecycle.conclude(held, outcome, NOW, timing, chance))
    for _ in request.sponsorships:
        settled = SponsorSettled(error(letters))
        held = await services.ledger.save(lifecycle.conclude(held, settled, NOW, timing, chance))
        text = message_of(held, by="0" * 36).model_dump_json(exclude_none=True)
        assert len(base64.b64encode(text.encode())) <= LARGEST_MESSAGE
    assert held.status is Status.SUCCEEDED
    kept = await services.ledger.read(held.id)
    assert kept == held, "nothing was cut"
    assert len(held.warnings) == len(request.sponsorships)
    await in_its_batch(services, held)


async def in_its_batch(services: Services, ended: Onboarding) -> None:
    row = BatchRow(batch_id=ROW.batch, number=ROW.row, name="a" * 1024)
    row = row.model_copy(update={"request": ended.request})
    batch = Batch(id=row.batch_id, created_date_time=NOW)
    await services.batches.write(batch, [row])
    [held] = await services.batches.rows(ROW.batch)
    noted = held.with_outcome(ended, None, NOW)
    await services.batches.save([noted])
    [kept] = await services.batches.rows(ROW.batch)
    assert kept.warnings == noted.warnings
    if len(noted.warnings) < len(ended.warnings):
        assert noted.warnings[-1].message.endswith("read the onboarding.")
    else:
        assert noted.warnings == ended.warnings


@given(st.sampled_from(LETTERS), st.integers(0, 20))
def test_no_request_is_larger_than_a_request_may_be(letters: str, sponsors: int) -> None:
    request = request_of(letters, sponsors)
    if request is not None:
        assert len(request.model_dump_json(exclude_none=True).encode()) <= LARGEST_REQUEST


def too_large() -> ConnectedOrganization:
    """An organization of more than a row can hold, as Graph may come to tell of one."""
    source = StoredIdentitySource(odata_type="a" * 64, display_name="a" * 256)
    return organization("a").model_copy(update={"identity_sources": (source,) * 2000})


async def test_what_no_row_can_hold_is_kept_without_what_can_be_left_out() -> None:
    request = request_of("a", 20)
    assert request is not None
    services, timing = simulated_core(), Timing()
    held = await open_it(services, request)
    held = await services.ledger.save(lifecycle.begin(held, NOW, timing))
    outcome = Connected(Conclusion.CREATED, too_large(), (), request.sponsorships)
    cut = await services.ledger.save(lifecycle.conclude(held, outcome, NOW, timing, Random(1)))
    kept = await services.ledger.read(cut.id)
    assert kept is not None
    assert kept.result is not None
    assert (kept.result.id, kept.result.tenant) == (too_large().id, too_large().tenant)
    assert (kept.status, kept.sponsors_to_add) == (Status.RUNNING, request.sponsorships)
    assert (kept.history, kept.request) == ((), request)


async def test_history_is_the_first_to_go() -> None:
    request = request_of("a", 0)
    assert request is not None
    services = simulated_core()
    held = await open_it(services, request)
    history = held.history[:1] * 20
    # Longer than any step may be: as a newer version might write it.
    history = tuple(one.model_copy(update={"outcome": "a" * 2000}) for one in history)
    changes = {"history": history, "warnings": (error("a"),)}
    await services.ledger.save(held.model_copy(update=changes))
    kept = await services.ledger.read(held.id)
    assert kept is not None
    assert (kept.history, kept.warnings) == ((), (error("a"),))


async def test_what_could_not_grow_any_more_is_buried() -> None:
    request = request_of("a", 0)
    assert request is not None
    services = simulated_core()
    held = await open_it(services, request)
    room = LARGEST_ROW - size_of(held.model_copy(update={"message_text": "a"})) - 100
    full = held.model_copy(update={"message_text": "a" * (room // 2)})
    held = await services.ledger.save(full)
    assert await services.ledger.read(held.id) == held, "it fits, just"
    buried = await bury(services, message_of(held))
    kept = await services.ledger.read(held.id)
    assert kept is not None
    assert (buried.status, kept.status, kept.last_error) == (
        Status.FAILED,
        Status.FAILED,
        buried.last_error,
    )


def size_of(onboarding: Onboarding) -> int:
    values = onboarding_entity(onboarding).values()
    return sum(len(value.encode("utf-16-le")) for value in values if isinstance(value, str))
