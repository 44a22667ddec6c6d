"""The scripts of docs/connect, run as they stand, with the objects that the system gives them."""

import json
import re
import subprocess
from typing import Any

import pytest

from connorg import standard_webhooks
from infra.local.azurite import find_node
from tests.senders import CONNECT
from tests.unit.webhooks.outcomes import OUTCOMES, view
from tests.unit.webhooks.readings import source, wanted

PLAY = """
const sent = {headers: {}, notes: []};
const sn_ws = {RESTMessageV2: function () {
  this.setRequestHeader = (name, value) => { sent.headers[name] = value; };
  this.setRequestBody = body => { sent.body = body; };
  this.execute = () => ({getStatusCode: () => INPUT.status, getBody: () => 'an answer'});
}};
const element = value => value === undefined ? undefined : ({toString: () => value});
const current = {
  getUniqueValue: () => '5f4d', sys_mod_count: 2, getDisplayValue: () => 'RITM0010023',
  variables: Object.fromEntries(Object.entries(INPUT.variables).map(([k, v]) => [k, element(v)])),
  set work_notes(note) { sent.notes.push(note); }, update: () => {},
};
"""


# What a scripted REST resource is given, and the table of request items.
TAKE = """
const told = {status: 200, notes: []};
const gs = {getProperty: name => name === 'connorg.callback_key' ? INPUT.key : null};
function GlideDateTime() { this.getNumericValue = () => INPUT.now * 1000; }
function GlideCertificateEncryption() {
  this.generateMac = (key, algorithm, text) => {
    if (algorithm !== 'HmacSHA256') throw new Error(algorithm);
    const hmac = require('crypto').createHmac('sha256', Buffer.from(key, 'base64'));
    return hmac.update(text, 'utf8').digest('base64');
  };
}
function GlideRecord(table) {
  if (table !== 'sc_req_item') throw new Error(table);
  this.get = (field, value) => field === 'number' && value === 'RITM0010023';
  this.update = () => { told.notes.push(this.work_notes); };
}
const request = {body: {dataString: INPUT.body}, getHeader: name => INPUT.headers[name]};
const response = {setStatus: status => { told.status = status; }};
"""
SECRET = "whsec_dHJ5LWEtY2FsbGJhY2stdHJ5LWEtY2FsbGJhY2s="
NOW = 1_780_000_000


def scripts(page: str) -> list[str]:
    return re.findall(r"```js\n(.*?)```", (CONNECT / f"{page}.md").read_text(), re.DOTALL)


def run(objects: str, script: str, result: str, given: dict[str, Any]) -> dict[str, Any]:
    program = f"const INPUT = {json.dumps(given)};{objects}{script}\n"
    program += f"console.log(JSON.stringify({result}))"
    told = subprocess.run([find_node(), "-e", program], check=True, capture_output=True, text=True)
    return dict(json.loads(told.stdout))


def played(script: str, **given: Any) -> dict[str, Any]:
    """Run a business rule; give what it sends and notes."""
    return run(PLAY, script, "sent", given)


def taken(view: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Call the script that takes outcomes, as connorg calls it; give its status and the notes."""
    body = json.dumps(view, ensure_ascii=False)
    time = str(NOW)
    key = standard_webhooks.key_of(SECRET)
    signature = standard_webhooks.signature(key, "callback-1", time, body.encode())
    headers = {
        "webhook-id": "callback-1",
        "webhook-timestamp": time,
        "webhook-signature": f"v1,AAAA {signature}",
        **changes.pop("headers", {}),
    }
    given = {"body": body, "headers": headers, "now": NOW + 5, "key": SECRET.removeprefix("whsec_")}
    return run(TAKE, scripts("servicenow")[1], "told", {**given, **changes})


@pytest.mark.parametrize("others", [{}, {"partner_tenant_id": ""}])
def test_what_a_servicenow_item_lacks_is_sent_as_nothing(others: dict[str, str]) -> None:
    variables = {"partner_name": "Contoso", "partner_domain": "contoso.com", **others}
    sent = played(scripts("servicenow")[0], status=202, variables=variables)
    assert json.loads(sent["body"]) == {
        "partnerName": "Contoso",
        "partnerDomain": "contoso.com",
        "partnerTenantId": "",
        "ticket": "RITM0010023",
    }
    assert sent["headers"] == {"Idempotency-Key": "5f4d-2"}
    assert sent["notes"] == []
    assert wanted(source(), sent["body"].encode()).natural_key == "domain:contoso.com"


def test_what_servicenow_is_told_of_a_refusal_is_noted() -> None:
    sent = played(scripts("servicenow")[0], status=422, variables={})
    assert sent["notes"] == ["connorg: an answer"]
    assert "undefined" not in sent["body"]


@pytest.mark.parametrize("status", OUTCOMES)
def test_servicenow_writes_each_outcome_into_its_ticket(status: str) -> None:
    told = taken(view(status))
    assert told == {"status": 204, "notes": [f"connorg: {OUTCOMES[status]}"]}


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": {"webhook-signature": "v1,AAAA"}},
        {"headers": {"webhook-signature": None}},
        {"headers": {"webhook-id": "callback-2"}},
        {"headers": {"webhook-timestamp": str(NOW + 1)}},
        {"headers": {"webhook-timestamp": None}},
        {"now": NOW + 301},
        {"now": NOW - 301},
        {"key": ""},
        {"key": None},
        {"body": "{}"},
    ],
)
def test_servicenow_writes_nothing_that_is_not_signed_or_old(changes: dict[str, Any]) -> None:
    assert taken(view("Succeeded"), **changes) == {"status": 401, "notes": []}


def test_servicenow_asks_not_to_be_called_for_a_ticket_that_is_not_there() -> None:
    for reference in (None, "RITM0"):
        told = taken({**view("Failed"), "reference": reference})
        assert told == {"status": 410, "notes": []}
