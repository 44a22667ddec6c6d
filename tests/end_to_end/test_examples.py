"""The examples of the API's description are real answers: each is asked for again, and compared.

What is another each time (ids, times, addresses) is written in the same words first. `make
examples` writes the file again.
"""

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

import function_app
from connorg.functions.http.audited import EFFECTS
from connorg.functions.openapi import document
from infra.local.functions_host import DEFAULT_MASTER_KEY
from tests import senders
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("examples")]

RECORDED = Path(document.__file__).parent / "examples.json"
OTHERS_EACH_TIME = {"nextLink", "continuationToken", "perSecond", "secondsLeft", "graphRequestId"}
ID = re.compile(r"[0-9a-f]{24}-[0-9a-f]{32}|(?:batch|key|callback)-[0-9a-f]{32}")
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
HOME = "72f988bf-86f1-41af-91ab-2d7cd011db47"
ADA = "ada@contoso.com"
SETTINGS = {**senders.SETTINGS, "CONNORG_DENIED": "denied.com"}


def asked(name: str, **more: Any) -> dict[str, Any]:
    source = {
        "@odata.type": "#microsoft.graph.domainIdentitySource",
        "domainName": f"{name}.com",
        "displayName": name.capitalize(),
    }
    return {
        "displayName": name.capitalize(),
        "description": "A partner",
        "identitySources": [source],
        "state": "configured",
        "reference": "REQ0042",
        **more,
    }


class Recorder:
    """Calls the app, and keeps what it was told, as the description shows it."""

    def __init__(self, stack: Stack) -> None:
        self._http = httpx.Client(base_url=f"{stack.functions}/api/", timeout=120)
        self._graph = httpx.Client(base_url=f"{stack.graph}/_emulator/", timeout=60)
        self._same: dict[str, str] = {}
        self.results: dict[str, str] = {}
        """The result addresses of onboardings, complete in themselves."""
        self.kept: dict[str, Any] = {"requests": {}, "answers": {}, "problems": {}}

    def prepare(self, part: str, content: Any, method: str = "PUT") -> None:
        self._graph.request(method, part, json=content).raise_for_status()

    def fail(self, status: int) -> None:
        """Let Graph answer every create so."""
        rule = {"method": "POST", "path": "connectedOrganizations$", "fault": "status"}
        self.prepare("faults", [{**rule, "status": status, "code": "Refused"}])

    def call(
        self, operation: str, path: str = "", body: Any = None, label: str = "usual", **headers: str
    ) -> Mapping[str, Any]:
        """Call an operation. Its answer is kept as an example of its status, or of its code."""
        [route] = [route for route in function_app.routes if route.name == operation]
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"x-functions-key": DEFAULT_MASTER_KEY, "content-type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self._http.request(route.method, path or route.path, content=content, headers=sent)
        told: Any = answer.json() if answer.content else None
        if told is not None and "location" in answer.headers and operation == "SubmitOrganization":
            self.results[told.get("id") or told["onboardingId"]] = answer.headers["location"]
        if answer.is_error:
            self.kept["problems"].setdefault(told["code"], self._plain(told))
            return dict(told)
        is_dry = "dryRun" in path or operation == "ForgetPartner"
        assert ("Connorg-Step" in answer.headers) is (operation in EFFECTS and not is_dry)
        if body is not None and not isinstance(body, bytes):
            self.kept["requests"].setdefault(operation, self._plain(body))
        if told is not None:
            answers = self.kept["answers"].setdefault(operation, {})
            answers.setdefault(str(answer.status_code), {}).setdefault(label, self._plain(told))
        return dict(told or {})

    def until(self, path: str, *statuses: str) -> Mapping[str, Any]:
        for _ in range(900):
            held = self._http.get(path, headers={"x-functions-key": DEFAULT_MASTER_KEY}).json()
            if held["status"] in statuses:
                return dict(held)
            time.sleep(0.1)
        raise AssertionError(held)

    def _plain(self, value: Any) -> Any:
        """Write what is another in each run in words that are the same in all."""
        if isinstance(value, dict):
            return {
                key: "…"
                if key in OTHERS_EACH_TIME and isinstance(inner, str)
                else None
                if key in OTHERS_EACH_TIME
                else self._plain(inner)
                for key, inner in value.items()
            }
        if isinstance(value, list):
            return [self._plain(inner) for inner in value]
        if not isinstance(value, str):
            return value
        text = re.sub(r"http://127\.0\.0\.1:\d+", "https://your-app.azurewebsites.net", value)
        text = MOMENT.sub("2026-11-02T09:30:00Z", text)
        return GUID.sub(self._guid, ID.sub(self._id, text))

    def _id(self, found: re.Match[str]) -> str:
        """Name an id by how many came before it, in its own form."""
        kind = found[0].partition("-")[0]
        count = f"{len(self._same) + 1:032x}"
        new = f"{kind if kind in {'batch', 'key', 'callback'} else 'a' * 24}-{count}"
        return self._same.setdefault(found[0], new)

    def _guid(self, found: re.Match[str]) -> str:
        if found[0].startswith(("00000000-0000-4", HOME[:8])):
            return found[0]
        return self._same.setdefault(
            found[0], f"00000000-0000-4000-8000-{len(self._same) + 1:012x}"
        )


@pytest.fixture(scope="module")
def recorded() -> Iterator[Mapping[str, Any]]:
    with Stack(settings=SETTINGS) as stack:
        recorder = Recorder(stack)
        users = [{"id": "00000000-0000-4000-8000-0000000000ad", "userPrincipalName": ADA}]
        home = {"tenantId": HOME, "displayName": "Home", "defaultDomainName": "home.com"}
        recorder.prepare("tenants", [{**home, "users": users}])
        organization = _submits(recorder)
        _failures(recorder)
        _batches(recorder)
        _webhooks(recorder)
        _organizations(recorder, organization)
        _lists(recorder)
        yield recorder.kept


def _submits(app: Recorder) -> str:
    submit = partial(app.call, "SubmitOrganization")
    made = submit(body=asked("contoso", internalSponsors=[ADA]), idempotency_key="REQ0042")
    submit(body=asked("contoso", internalSponsors=[ADA]))
    submit("connected-organizations?dryRun=true", asked("contoso", state="proposed"), "dryRun")
    later = submit(body=asked("fabrikam"), prefer="respond-async")
    app.until(f"onboardings/{later['id']}", "Succeeded")
    submit("connected-organizations?dryrun=true&refrence=REQ1", asked("adatum"))
    submit(body=b"{")
    submit(body=b" " * 20_000)
    submit(body=asked("adatum", state="approved", displayName=""))
    submit(body=asked("contoso", description="Another"))
    submit(body=asked("contoso", ifExists="fail", internalSponsors=[ADA]))
    submit(body=asked("adatum"), idempotency_key="REQ0042")
    submit(body=asked("denied"))
    app.call("ReadOnboarding", f"onboardings/{made['id']}")
    app.call("ReadOnboarding", "onboardings/none")
    app.call("ReadResult", app.results[made["id"]])
    app.call("ReplayOnboarding", f"onboardings/{made['id']}/retry")
    app.call("CancelOnboarding", f"onboardings/{made['id']}")
    return str(made["result"]["id"])


def _failures(app: Recorder) -> None:
    submit = partial(app.call, "SubmitOrganization")
    app.fail(400)
    one, other = (submit(body=asked(name)) for name in ("northwind", "tailspin"))
    app.prepare("faults", [])
    app.call("ReplayOnboarding", f"onboardings/{one['onboardingId']}/retry")
    app.until(f"onboardings/{one['onboardingId']}", "Succeeded")
    ids = {"ids": [other["onboardingId"]]}
    app.call("ReplayAll", "onboardings/retry?dryRun=true", ids)
    app.call("ReplayAll", "onboardings/retry", ids)
    app.until(f"onboardings/{other['onboardingId']}", "Succeeded")
    app.fail(503)
    waiting = [submit(body=asked(name), prefer="wait=5")["id"] for name in ("wingtip", "litware")]
    for onboarding_id in waiting:
        app.until(f"onboardings/{onboarding_id}", "Waiting")
    app.call("ReadResult", app.results[waiting[0]])
    app.call("ForgetPartner", "onboardings/forget?domain=wingtip.com")
    app.call("CancelOnboarding", f"onboardings/{waiting[0]}")
    app.call("ReadResult", app.results[waiting[0]])
    app.call("CancelAll", "onboardings/cancel", {"ids": [waiting[1]]})
    app.prepare("faults", [])
    app.call("ForgetPartner", "onboardings/forget?domain=wingtip.com")


def _batches(app: Recorder) -> None:
    rows = [asked("denied"), asked("proseware"), asked("fabrikam")]
    app.call("SubmitBatch", "batches?dryRun=true&onInvalid=skip", rows, "dryRun")
    batch = app.call("SubmitBatch", "batches?onInvalid=skip", rows)
    address = f"batches/{batch['id']}"
    app.until(address, "Succeeded", "Failed")
    app.call("ReadBatch", address)
    app.call("ReadBatch", "batches/none")
    app.call("ReadBatchResults", f"{address}/results")
    app.call("ReplayBatch", f"{address}/retry")
    app.until(address, "Succeeded", "Failed")
    app.call("CancelBatch", address)


def _webhooks(app: Recorder) -> None:
    ticket = senders.Ticket("treyresearch.net", "Trey Research", "RITM0010023", "delivery-1")
    proof = {"X_Connorg_Key": senders.SECRETS["SERVICENOW_KEY"], "Idempotency_Key": "delivery-1"}
    event = json.loads(ticket.typed())
    answer = app.call("ReceiveWebhook", "webhooks/servicenow", event, **proof)
    app.until(f"onboardings/{answer['id']}", "Succeeded")
    app.call("ReceiveWebhook", "webhooks/servicenow", event, **proof)
    app.call("ReceiveWebhook", "webhooks/servicenow", event, X_Connorg_Key="wrong")


def _organizations(app: Recorder, organization: str) -> None:
    address = f"connected-organizations/{organization}"
    app.call("ReadOrganization", address)
    app.call("ReadOrganization", "connected-organizations/none")
    app.call("ChangeOrganization", address, {"description": "A supplier"})
    app.call("ChangeOrganization", address, {"state": "proposed"}, if_match='"other"')
    app.call("AddSponsor", f"{address}/externalSponsors", {"sponsor": ADA})
    app.call("ListSponsors", f"{address}/externalSponsors")
    app.call("RemoveSponsor", f"{address}/externalSponsors/{ADA}")
    app.call("RemoveSponsor", f"{address}/externalSponsors/{ADA}")
    app.call("DeleteOrganization", address)
    subject = asked("contoso")
    del subject["reference"]
    there = app.call("ListOrganizations", "connected-organizations?top=1")["value"][0]
    assert there
    path = "access-package-assignment-requests/request-1/resource-roles/role-1"
    app.call("AddOrganizationToSubject", f"{path}/connected-organization", subject)


def _lists(app: Recorder) -> None:
    by_hand = {**asked("adatum", state="proposed"), "id": HOME[:8] + "-0000-4000-8000-000000000001"}
    del by_hand["reference"]
    old = "2026-01-01T00:00:00Z"
    app.prepare("organizations", [{**by_hand, "createdDateTime": old}], method="POST")
    for report in ("WithoutSponsors", "Proposed", "Unrequested"):
        app.call(f"Report{report}")
    app.call("ListOnboardings", "onboardings?reference=REQ0042&top=1")
    app.call("CountOnboardings", "onboardings/summary?reference=REQ0042")
    app.call("Health")
    app.call("Diagnose")


def test_the_examples_are_what_the_app_answers(recorded: Mapping[str, Any]) -> None:
    if os.environ.get("RECORD_EXAMPLES"):
        RECORDED.write_text(json.dumps(recorded, ensure_ascii=False, indent=1) + "\n")
    assert json.loads(RECORDED.read_text()) == recorded, "run: make examples"
