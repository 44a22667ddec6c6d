"""Nothing that a caller sends makes the Graph emulator fail: it answers, refuses, or says 501."""

import json
import random
import time
from collections.abc import Sequence

from infra.local import tokens
from infra.local.graph.calls import Call
from infra.local.graph.laying import lay
from infra.local.graph.paths import read_path
from infra.local.graph.query import read_query
from infra.local.graph.routes import respond
from infra.local.graph.state import State
from infra.local.identity import DEFAULT_ROLES
from tests.contract.graph_replay import organizations, rows, target

ROOT = "http://graph.test"
CASES = 600
SPLINTERS: tuple[str, ...] = (
    *"'\"()[]{},;:/\\$@%#*-+ 5",
    *(
        "%27",
        " eq ",
        " in (",
        " and ",
        "not ",
        "null",
        "any(x:",
        "$count",
        "graph.user/",
        "''",
        "ü",
    ),
    *('":', '{"a":1}', "@odata.type", "\\ud800", "true"),
)
# What a create would refuse, and Graph may yet hold.
ODD = (
    {
        "id": "odd",
        "identitySources": None,
        "createdDateTime": "2024-01-01T00:00:00",
        "state": "new",
    },
    {"id": "odder", "identitySources": [{}, None, {"@odata.type": "#microsoft.graph.new"}]},
    {
        "id": "oddest",
        "identitySources": [
            {"@odata.type": "#microsoft.graph.domainIdentitySource", "domainName": 5}
        ],
    },
)
# The library fails of these; the emulator answers them as it does.
FAILURES = {500: "The argument 'rawValue' is null or empty."}


def _broken(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(SPLINTERS) + text[at + chance.randrange(4) :]


def _calls(chance: random.Random, headers: dict[str, str]) -> Sequence[Call]:
    calls = []
    for row in chance.choices([*rows("queries"), *rows("bodies")], k=CASES):
        address = target(row)
        body = row.get("body", "")
        if body and chance.random() < 0.8:
            body = _broken(body, chance)
        else:
            address = _broken(address, chance)
        path, _, query = address.partition("?")
        version, segments = read_path(path)
        method = row.get("method", "POST" if body else "GET")
        call = Call(method, ROOT, version, segments, read_query(query), headers, body.encode())
        calls.append(call)
    return calls


def test_whatever_is_sent_is_answered() -> None:
    chance = random.Random("answered")
    claims = {"aud": ROOT, "exp": time.time() + 3600, "roles": list(DEFAULT_ROLES)}
    headers = {"Authorization": f"Bearer {tokens.sign(claims)}", "Content-Type": "application/json"}
    state = State()
    lay(state, [*organizations(), *ODD])
    for call in _calls(chance, headers):
        answer = respond(state, call, {})
        json.dumps(answer.body)
        if answer.status >= 500:
            message = answer.body["error"]["message"]
            assert message.startswith(FAILURES.get(answer.status, "")), call
            assert answer.status in {501, *FAILURES}, call
