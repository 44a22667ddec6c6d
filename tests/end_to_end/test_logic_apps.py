"""Logic Apps, played by their documented rules: the workflows of infra/logic-apps, call by call."""

import json
import re
from collections.abc import Mapping

import httpx
import jsonschema_rs
import pytest

import function_app
from connorg.contract.requests import OnboardingRequest
from connorg.functions.openapi.document import document
from tests.end_to_end.client import Connorg, Json, Partner, problem
from tests.logic_apps import WORKFLOWS, Run, actions_of, call_of, http_action, workflow

AUDIENCE = "api://connorg"
each_workflow = pytest.mark.parametrize("name", WORKFLOWS)


def filled(name: str, app: str, row: Json) -> tuple[Run, Json]:
    """The call that a workflow sends for a partner."""
    run = Run({"appAddress": app, "appAudience": AUDIENCE}, row)
    onboard = actions_of(workflow(name))["Onboard"]
    return run, dict(run.filled(call_of(onboard)))


def row_of(partner: Partner) -> Json:
    return {"name": f"Partner {partner.domain}", "domain": partner.domain}


class Client:
    """Sends as a Logic App does: what the call says, and not connorg's key. Notes each request."""

    def __init__(self, connorg: Connorg, credential: Mapping[str, str]) -> None:
        self._connorg = connorg
        self.credential = credential
        self.sent: list[tuple[str, str]] = []
        self.answers: list[httpx.Response] = []

    async def __call__(
        self, method: str, uri: str, headers: Mapping[str, str], content: bytes | None
    ) -> httpx.Response:
        self.sent.append((method, uri))
        answer = await self._connorg.call(method, uri, content=content, headers=headers, key=False)
        self.answers.append(answer)
        return answer

    async def onboard(self, partner: Partner) -> httpx.Response:
        _, call = filled("call-and-poll", self._connorg.stack.functions, row_of(partner))
        return await http_action(call, self, self.credential)


@pytest.fixture
def client(connorg: Connorg) -> Client:
    return Client(connorg, {"x-functions-key": connorg.stack.key})


async def test_call_and_poll_ends_with_the_organization(connorg: Connorg, client: Client) -> None:
    partner = Partner()
    answer = await client.onboard(partner)
    [organization] = await connorg.graph.organizations(partner)
    assert (answer.status_code, answer.json()["id"]) == (200, organization["id"])
    assert client.answers[0].status_code == 202


async def test_it_ends_so_too_when_graph_throttles_first(connorg: Connorg, client: Client) -> None:
    partner = Partner()
    await connorg.graph.fail_creates(partner, "throttle", retryAfter=2, times=1)
    answer = await client.onboard(partner)
    assert answer.status_code == 200
    assert len(await connorg.graph.organizations(partner)) == 1
    assert [call["status"] for call in await connorg.graph.creates(partner)] == [429, 201]


async def test_a_refused_one_ends_with_the_problem_and_is_not_polled_on(
    connorg: Connorg, client: Client
) -> None:
    partner = Partner()
    await connorg.graph.fail_creates(partner, "status", status=400)
    answer = await client.onboard(partner)
    problem(answer, 422, "RefusedByGraph")
    polls = [uri for method, uri in client.sent if method == "GET"]
    assert len({*polls}) == 1, "the address as it was given, to the end"


async def test_called_again_the_same_expression_finds_the_organization(client: Client) -> None:
    """What is known already is answered at once, with the onboarding around the organization."""
    partner = Partner()
    run, _ = filled("call-and-poll", "", row_of(partner))
    found = []
    for _ in range(2):
        run.bodies["Onboard"] = (await client.onboard(partner)).json()
        compose = actions_of(workflow("call-and-poll"))["Organization"]
        found.append(run.filled(compose["inputs"]))
    first, again = found
    assert first["id"] == again["id"]


# The definitions


@each_workflow
def test_a_definition_is_whole(name: str) -> None:
    definition = workflow(name)
    assert definition["$schema"].endswith("/2016-06-01/workflowdefinition.json#")
    assert {"contentVersion", "parameters", "triggers", "actions"} <= definition.keys()
    used = {*re.findall(r"parameters\('(\w+)'\)", json.dumps(definition))}
    assert used == definition["parameters"].keys() == {"appAddress", "appAudience"}
    for within in (definition, *actions_of(definition).values()):
        beside = within.get("actions", {})
        for action in beside.values():
            assert action["type"]
            assert action["runAfter"].keys() <= beside.keys()


@pytest.mark.parametrize("more", [{}, dict.fromkeys(("description", "reference"), "")])
@each_workflow
def test_a_definitions_call_is_one_of_the_api(name: str, more: Json) -> None:
    row = {"name": "Contoso", "domain": "contoso.com", **more}
    _, call = filled(name, "https://app.azurewebsites.net", row)
    assert call["authentication"] == {"type": "ManagedServiceIdentity", "audience": AUDIENCE}
    described = document(function_app.routes)
    base = f"https://app.azurewebsites.net{described['servers'][0]['url']}"
    operation = described["paths"][call["uri"].removeprefix(base)][call["method"].lower()]
    known = {p["name"] for p in operation["parameters"] if p["in"] == "header"}
    assert call["headers"].keys() <= known | {"Content-Type"}
    body = call["body"]
    OnboardingRequest.model_validate_json(json.dumps(body), by_alias=True, by_name=False)
    [content] = operation["requestBody"]["content"].values()
    schema = {**content["schema"], "components": described["components"]}
    jsonschema_rs.Draft202012Validator(schema).validate(body)
    assert body["identitySources"][0]["domainName"] == row["domain"]
    assert body["description"] == row["name"], "what a row lacks, or leaves blank, has a default"
    assert body["reference"] == "08585"


def test_the_webhook_hands_its_own_address_over() -> None:
    _, call = filled("call-and-wait-for-callback", "", {"name": "a", "domain": "a.example"})
    assert call["body"]["callbackUrl"].startswith("https://prod-00.westeurope.logic.azure.com/")


@pytest.mark.parametrize(
    ("name", "action"), [("call-and-poll", "Refuse"), ("for-each-row", "Note_failure")]
)
@pytest.mark.parametrize("body", [None, {"$content-type": "application/octet-stream"}])
def test_an_answer_of_the_host_alone_is_told_as_none(name: str, action: str, body: object) -> None:
    """Without a body, or with one without a type: 429, 500, 503 `Function host is not running.`"""
    run = Run({}, {})
    run.bodies["Onboard"] = body
    inputs = run.filled(actions_of(workflow(name))[action]["inputs"])
    told = inputs.get("body") or inputs["value"]
    assert told["code"] == "NoAnswer"
    assert "to send it again is safe" in told["detail"]
