"""The scripts of docs/connect, run as they stand, with the objects that the system gives them."""

import json
import re
import subprocess
from typing import Any

import pytest

from infra.local.azurite import find_node
from tests.senders import CONNECT
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


def scripts(page: str) -> list[str]:
    return re.findall(r"```js\n(.*?)```", (CONNECT / f"{page}.md").read_text(), re.DOTALL)


def played(script: str, **given: Any) -> dict[str, Any]:
    """Run a business rule; give what it sends and notes."""
    program = f"const INPUT = {json.dumps(given)};{PLAY}{script}\nconsole.log(JSON.stringify(sent))"
    told = subprocess.run([find_node(), "-e", program], check=True, capture_output=True, text=True)
    return dict(json.loads(told.stdout))


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
