"""A file of partners, from its 202 to the results of its rows."""

from tests.end_to_end.batches import bodies, ended, partners, results, send
from tests.end_to_end.client import Connorg

NO_COUNTS = dict.fromkeys(
    ("NotStarted", "Waiting", "Succeeded", "Failed", "Canceled", "Invalid"), 0
)


async def test_every_row_of_a_file_becomes_one_organization(connorg: Connorg) -> None:
    rows = partners(5)
    answer = await send(connorg, bodies(rows), "?reference=REQ0042")
    assert answer.status_code == 202
    begun = answer.json()
    address = f"{connorg.stack.functions}/api/batches/{begun['id']}"
    assert answer.headers["location"] == address
    assert answer.headers["operation-location"] == address
    assert int(answer.headers["retry-after"]) >= 1
    assert begun["rows"] == 5

    told = await ended(connorg, begun["id"])
    assert told == {
        "id": begun["id"],
        "status": "Succeeded",
        "createdDateTime": begun["createdDateTime"],
        "lastActionDateTime": told["lastActionDateTime"],
        "reference": "REQ0042",
        "rows": 5,
        "counts": {**NO_COUNTS, "Succeeded": 5},
        "conclusions": {"created": 5},
        "perSecond": None,
        "secondsLeft": None,
        "firstErrors": [],
        "ignoredColumns": [],
    }
    for number, (partner, result) in enumerate(
        zip(rows, await results(connorg, begun["id"]), strict=True), 1
    ):
        [organization] = await connorg.graph.organizations(partner)
        assert result == {
            "row": number,
            "name": partner.domain,
            "status": "Succeeded",
            "conclusion": "created",
            "onboardingId": result["onboardingId"],
            "organizationId": organization["id"],
            "attempts": 1,
        }
        onboarding = await connorg.onboarding(result["onboardingId"])
        assert onboarding["reference"] == "REQ0042"
        assert onboarding["source"] == "batch"
    listed = await connorg.listed(batch=begun["id"])
    assert {o["id"] for o in listed} == {
        r["onboardingId"] for r in await results(connorg, begun["id"])
    }
    assert await connorg.listed(batch=begun["id"], status="Failed") == []
