"""``POST /$batch``: up to twenty calls in one, each admitted or throttled by itself.

Source: "Combine multiple HTTP requests using JSON batching".
"""

import json
from collections.abc import Mapping
from typing import Any

from multidict import CIMultiDict

from infra.local.graph.calls import Answer, Call, error_answer
from infra.local.graph.errors import GraphError, bad_request
from infra.local.graph.faults import REFUSALS
from infra.local.graph.paths import read_path
from infra.local.graph.query import read_query
from infra.local.graph.routes import respond
from infra.local.graph.state import State

LARGEST_BATCH = 20
_FIRST_ERROR = 400
_REQUIRED = ("id", "method", "url")


def respond_to_batch(state: State, call: Call, ids: dict[str, str]) -> Answer:
    try:
        items = _read_items(call)
    except GraphError as error:
        return error_answer(error, ids)
    answers: dict[str, Answer] = {}
    for item in items:
        answers[item["id"]] = _respond_to_item(state, call, item, answers, ids)
    return Answer(200, {"responses": [_response(key, answers[key]) for key in answers]})


def _read_items(call: Call) -> list[dict[str, Any]]:
    items = call.json_object().get("requests")
    if not isinstance(items, list) or not 0 < len(items) <= LARGEST_BATCH:
        raise bad_request(f"A batch has a list of 1 to {LARGEST_BATCH} requests.")
    for item in items:
        named = [item.get(name) for name in _REQUIRED] if isinstance(item, dict) else [None]
        if not all(isinstance(value, str) for value in named):
            raise bad_request("A request of a batch needs its id, method and url.")
    if len({item["id"] for item in items}) < len(items):
        raise bad_request("The ids in a batch must differ.")
    return items


def _respond_to_item(
    state: State,
    call: Call,
    item: Mapping[str, Any],
    answers: Mapping[str, Answer],
    ids: dict[str, str],
) -> Answer:
    if any(_failed(answers.get(key)) for key in item.get("dependsOn", ())):
        failed = GraphError(424, "FailedDependency", "A request that this depends on has failed.")
        return error_answer(failed, ids)
    rule = state.faults.pick(
        item["method"], f"/{call.version}{item['url']}", item.get("body"), REFUSALS
    )
    if rule is None or rule.commits:
        answer = respond(state, _item_call(call, item), ids)
    return answer if rule is None else rule.answer(ids)


def _item_call(call: Call, item: Mapping[str, Any]) -> Call:
    path, _, query = item["url"].partition("?")
    _, segments = read_path(f"/{call.version}/{path}")
    body = item.get("body")
    return Call(
        method=item["method"].upper(),
        root=call.root,
        version=call.version,
        path=segments,
        query=read_query(query),
        headers=CIMultiDict({**call.headers, **item.get("headers", {})}),
        content=b"" if body is None else json.dumps(body).encode(),
    )


def _failed(answer: Answer | None) -> bool:
    """An unknown or a later id has not succeeded either."""
    return answer is None or answer.status >= _FIRST_ERROR


def _response(key: str, answer: Answer) -> dict[str, Any]:
    headers = {**answer.headers, "Content-Type": answer.content_type}
    shown = {"id": key, "status": answer.status, "headers": headers}
    return shown if answer.body is None else shown | {"body": answer.body}
