"""What openapi.json promises holds for whatever is sent: 2,000 requests, made from it.

`make test` sends a tenth of them: those that begin the series of each operation.
"""

import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck
from hypothesis import strategies as st
from schemathesis import CheckContext, GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import function_app
from connorg.functions.openapi.document import document
from infra.local.functions_host import DEFAULT_MASTER_KEY
from tests import senders
from tests.end_to_end.client import Partner
from tests.stack import Stack

type Case = schemathesis.Case[Any]
type Operation = APIOperation[Any, Any, Any, Any]

SAMPLE = 10  # of so many cases, one is in the sample
CASES = 126  # of each operation
# The main one can err most, a replay of all that failed does much, the last two take nothing.
OTHER_CASES = {
    "SubmitOrganization": 220,
    "ReplayAll": 36,
    "ReadBatch": 36,
    "ReadBatchResults": 36,
    "ReplayBatch": 36,
    "CancelBatch": 36,
    "Health": 1,
    "ShowConsole": 1,
    "ShowConsoleFile": 36,
    "Describe": 1,
    "ShowDocs": 1,
}


def problem_codes(
    _: CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """Hold the code of a problem to those that the document lists beside its status."""
    described = case.operation.definition.raw["responses"][str(response.status_code)]
    known = described.get("x-codes", ["*"])
    if "*" not in known and response.content:
        assert response.json()["code"] in known, response.text


CONFORMS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    problem_codes,
]

SCHEMA = schemathesis.openapi.from_dict(document(function_app.routes))
OPERATIONS: list[Operation] = [
    SCHEMA.find_operation_by_id(route.name) for route in function_app.routes
]
MODES = [GenerationMode.POSITIVE, GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
# What is made up confirms no delete, names no person, and is not what a ticketing system sends.
WITHOUT_SUCCESS = {
    "DeleteOrganization",
    "CancelOnboarding",
    "AddSponsor",
    "RemoveSponsor",
    "ReceiveWebhook",
    "ReadResult",  # each address has a key of its own
}


def id_of(operation: Operation) -> str:
    return str(operation.definition.raw["operationId"])


def cases_of(operation: Operation) -> int:
    return OTHER_CASES.get(id_of(operation), CASES)


class Target:
    """A stack of its own, with something in it that requests can meet."""

    def __init__(self, stack: Stack) -> None:
        self.api = f"{stack.functions}/api"
        self.http = requests.Session()
        self.key = {"x-functions-key": DEFAULT_MASTER_KEY}
        created, failed = self._submit(201), self._fail(stack)
        self.known: Mapping[str, Mapping[str, list[str]]] = {
            "connected-organizations": {"id": [created["result"]["id"]]},
            "onboardings": {"id": [created["id"], failed["onboardingId"]]},
            "batches": {"id": [self._send_batch()]},
            "webhooks": {"source": ["servicenow"]},
            "console": {"file": ["app.js"]},
        }

    def _send_batch(self) -> str:
        rows = [Partner().body(), Partner().body(), Partner().body(state="approved")]
        address = f"{self.api}/batches?onInvalid=skip"
        answer = self.http.post(address, json=rows, headers=self.key, timeout=60)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def _fail(self, stack: Stack) -> dict[str, Any]:
        """Have Graph refuse one."""
        faults = f"{stack.graph}/_emulator/faults"
        refusal: dict[str, str | int] = {"method": "POST", "fault": "status", "status": 400}
        self.http.put(faults, json=[refusal], timeout=60).raise_for_status()
        refused = self._submit(422)
        self.http.put(faults, json=[], timeout=60).raise_for_status()
        return refused

    def _submit(self, status: int) -> dict[str, Any]:
        address = f"{self.api}/connected-organizations"
        answer = self.http.post(address, json=Partner().body(), headers=self.key, timeout=60)
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    def aim(self, case: Case) -> None:
        """Let half of the requests be about what there is."""
        parameters: dict[str, Any] = case.path_parameters or {}
        known = self.known.get(case.operation.path.split("/")[1], {})
        for name in parameters.keys() & known.keys():
            choice = zlib.crc32(repr(parameters[name]).encode()) % (2 * len(known[name]))
            parameters[name] = [*known[name], *[parameters[name]] * len(known[name])][choice]

    def send(self, case: Case) -> schemathesis.Response:
        proof = {"X-Connorg-Key": senders.SECRETS["SERVICENOW_KEY"]}
        return case.call(self.api, self.http, headers={**self.key, **proof}, timeout=60)


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with Stack(settings=senders.SETTINGS) as stack:
        yield Target(stack)


def test_the_stack_answers_with_the_document_that_it_is_tried_by(target: Target) -> None:
    answer = target.http.get(f"{target.api}/openapi.json", timeout=60)
    assert answer.status_code == 200
    assert answer.json() == json.loads(json.dumps(document(function_app.routes)))


def test_there_are_two_thousand_cases() -> None:
    assert sum(cases_of(operation) for operation in OPERATIONS) >= 2_000


def tried(target: Target, operation: Operation, cases: int) -> Counter[int]:
    """Return how often each status was answered. Raise where an answer breaks the contract."""
    seen: Counter[int] = Counter()

    # Seeded, so that a failure is mostly the change's that it comes with. Not wholly: Hypothesis
    # takes words from the modules that are loaded, too.
    @hypothesis.settings(
        max_examples=cases,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[*HealthCheck],
    )
    @hypothesis.given(
        case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in MODES))
    )
    def holds(case: Case) -> None:
        target.aim(case)
        answer = target.send(case)
        seen[answer.status_code] += 1
        assert answer.status_code < 500, answer.text
        case.validate_response(answer, checks=CONFORMS)

    holds()
    assert seen.total() >= cases
    return seen


@pytest.mark.parametrize("operation", OPERATIONS, ids=id_of)
def test_an_answer_in_the_sample_is_in_the_contract(target: Target, operation: Operation) -> None:
    tried(target, operation, ceil(cases_of(operation) / SAMPLE))


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS, ids=id_of)
def test_every_answer_is_in_the_contract(target: Target, operation: Operation) -> None:
    seen = tried(target, operation, cases_of(operation))
    if id_of(operation) not in WITHOUT_SUCCESS:
        assert any(status < 300 for status in seen), seen
