"""The rules of the local Functions host that need neither a server nor storage."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.local.functions_host.definition import (
    CannotStartError,
    Declaration,
    Function,
    FunctionInErrorError,
    HostInErrorError,
    define,
)
from infra.local.functions_host.host_json import (
    HostOptions,
    HttpOptions,
    QueueOptions,
    read_host_json,
)
from infra.local.functions_host.polling import PollingBackoff
from infra.local.functions_host.queue_message import Received, UndecodableError, call, decode
from infra.local.functions_host.routing import Router
from infra.local.functions_host.schedule import ScheduleError, parse
from infra.local.functions_host.worker import Json

# Routes


def http(name: str, route: str | None = None, methods: list[str] | None = None) -> Function:
    trigger = {"type": "httpTrigger", "name": "req", "route": route, "methods": methods}
    return Function(name, name, trigger)


def found(functions: list[Function], path: str, method: str = "GET", prefix: str = "api") -> Any:
    match = Router(functions, prefix).find(method, path)
    return match and (match[0].name, match[1])


@pytest.mark.parametrize(
    ("route", "path", "parameters"),
    [
        ("a/{id}", "/api/a/1", {"id": "1"}),
        ("a/{id}", "/api/a/1/", {"id": "1"}),
        ("a/{id}", "/api/a", None),
        ("a/{id}", "/api/a/1/2", None),
        ("a/{id}", "/api/a//", None),
        ("a/{id?}", "/api/a", {}),
        ("a/{id:int}", "/api/a/-12", {"id": "-12"}),
        ("a/{id:int}", "/api/a/x", None),
        ("a/{id:guid}", f"/api/a/{'0' * 32}", {"id": "0" * 32}),
        ("a/{id:guid}", "/api/a/1", None),
        ("a/{id:alpha}/b", "/api/a/xY/B", {"id": "xY"}),
        ("a/{*rest}", "/api/a/1/2", {"rest": "1/2"}),
        ("a/{*rest}", "/api/a", {}),
        ("{x}/{y}", "/api/1/2", {"x": "1", "y": "2"}),
        ("a/", "/api/a", {}),
    ],
)
def test_a_route_matches_as_a_whole_and_yields_its_parameters(
    route: str, path: str, parameters: dict[str, str] | None
) -> None:
    assert found([http("f", route)], path) == (None if parameters is None else ("f", parameters))


def test_without_a_route_the_name_is_the_route() -> None:
    assert found([http("Named")], "/api/named") == ("Named", {})


def test_the_first_function_by_name_ignoring_case_wins() -> None:
    assert found([http("B", "x/y"), http("a", "x/{p}")], "/api/x/y") == ("a", {"p": "y"})
    assert found([http("b", "x/y"), http("C", "x/{p}")], "/api/x/y") == ("b", {})


def test_a_route_with_another_method_or_constraint_does_not_shadow() -> None:
    functions = [
        http("a", "x/{p}", ["POST"]),
        http("b", "x/{p:int}", ["GET"]),
        http("c", "x/{p}", ["get"]),
    ]
    assert found(functions, "/api/x/y") == ("c", {"p": "y"})
    assert found(functions, "/api/x/y", "DELETE") is None


def test_an_empty_prefix_leaves_the_route_alone() -> None:
    assert found([http("f", "x")], "/x", prefix="") == ("f", {})


@pytest.mark.parametrize("route", ["admin", "Admin/x", "administration", "runtime/y"])
def test_a_reserved_route_is_not_mapped(route: str) -> None:
    assert (
        "conflicts with one or more built in routes"
        in Router([http("f", route)], "api").faults["f"]
    )


def test_the_same_route_twice_is_mapped_once_unless_the_methods_differ() -> None:
    assert not Router([http("a", "x/{p}", ["GET"]), http("b", "x/{p}", ["POST"])], "api").faults
    router = Router([http("a", "x"), http("b", "X", ["POST"])], "api")
    assert list(router.faults) == ["b"]


def test_a_constraint_that_this_host_does_not_know_is_refused() -> None:
    with pytest.raises(CannotStartError, match="does not know"):
        Router([http("f", "{id:minlength(2)}")], "api")


# Definitions


def test_a_function_needs_exactly_one_trigger() -> None:
    with pytest.raises(FunctionInErrorError, match="0 triggers"):
        define(Declaration("f", "1", ({"type": "http", "name": "$return"},)))


def test_a_binding_that_this_host_does_not_know_is_refused() -> None:
    with pytest.raises(CannotStartError, match="'blob', which this local host does not know"):
        define(Declaration("f", "1", ({"type": "blob", "name": "b"},)))


# host.json


def options(tmp_path: Path, values: dict[str, Any], **environment: str) -> HostOptions:
    (tmp_path / "host.json").write_text(json.dumps({"version": "2.0", **values}))
    return read_host_json(tmp_path, environment)


def test_host_json_has_the_defaults_of_the_real_host(tmp_path: Path) -> None:
    found = options(tmp_path, {}, WEBSITE_SKU="Dynamic")
    assert found == HostOptions(300, "INFO", HttpOptions(), QueueOptions())
    assert QueueOptions() == QueueOptions(
        batch_size=16,
        new_batch_threshold=8,
        max_dequeue_count=5,
        visibility_timeout=0,
        max_polling_interval=60,
        is_base64=True,
    )


def test_host_json_decides_and_unknown_keys_do_not_matter(tmp_path: Path) -> None:
    values = {
        "version": "2.0",
        "functionTimeout": "1.00:10:30",
        "logging": {"logLevel": {"default": "Warning"}, "applicationInsights": {}},
        "extensions": {
            "Http": {"routePrefix": "v1"},
            "queues": {
                "batchSize": 5,
                "newBatchThreshold": 1,
                "maxDequeueCount": 2,
                "visibilityTimeout": "00:00:30",
                "maxPollingInterval": "00:00:02.5",
                "messageEncoding": "None",
            },
            "durableTask": {"hubName": "x"},
        },
    }
    assert options(tmp_path, values) == HostOptions(
        function_timeout=86400 + 630,
        log_level="WARNING",
        http=HttpOptions(route_prefix="v1"),
        queues=QueueOptions(5, 1, 2, 30, 2.5, is_base64=False),
    )


def test_a_setting_is_laid_over_host_json(tmp_path: Path) -> None:
    values = {"extensions": {"queues": {"batchSize": 5}}}
    setting = {"AzureFunctionsJobHost__Extensions__Queues__BatchSize": "7"}
    assert options(tmp_path, values, **setting).queues.batch_size == 7


def test_the_function_timeout_can_be_switched_off(tmp_path: Path) -> None:
    assert options(tmp_path, {"functionTimeout": "-1"}).function_timeout is None


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"functionTimeout": "5 minutes"}, "functionTimeout is '5 minutes'"),
        ({"extensions": {"queues": {"batchSize": 33}}}, "extensions.queues.batchSize is '33'"),
        ({"extensions": {"queues": {"batchSize": 0}}}, "a number from 1 to 32"),
        ({"extensions": {"queues": {"maxDequeueCount": 0}}}, "a number from 1"),
        ({"extensions": {"queues": {"maxPollingInterval": "00:00:00.05"}}}, "0.1 s or longer"),
        ({"extensions": {"queues": {"messageEncoding": "utf8"}}}, "one of base64, none"),
    ],
)
def test_a_wrong_value_in_host_json_is_refused(
    tmp_path: Path, values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(HostInErrorError, match=sentence):
        options(tmp_path, values)


# Polling


def test_the_wait_doubles_to_the_longest_and_starts_anew_with_a_message() -> None:
    backoff = PollingBackoff(1, spread=lambda: 1)
    waits = [backoff.next_wait(found_message=False) for _ in range(6)]
    assert waits == pytest.approx([0.1, 0.2, 0.3, 0.5, 0.9, 1])
    assert backoff.next_wait(found_message=True) == 0.1
    assert backoff.next_wait(found_message=False) == pytest.approx(0.2)


def test_the_wait_is_randomized_by_a_fifth() -> None:
    backoff = PollingBackoff(60)
    backoff.next_wait(found_message=True)
    assert 0.18 <= backoff.next_wait(found_message=False) <= 0.22


# Queue messages

INSERTED = datetime(2026, 1, 31, 10, 0, tzinfo=UTC)


def metadata(content: str) -> dict[str, str | Json]:
    week = timedelta(days=7)
    message = Received("the-id", "…", "receipt", 3, INSERTED, INSERTED + week, INSERTED)
    return dict(call(message, content).metadata)


def test_a_message_has_the_metadata_of_the_queue_extension() -> None:
    assert metadata("text") == {
        "QueueTrigger": "text",
        "Id": "the-id",
        "PopReceipt": "receipt",
        "DequeueCount": Json("3"),
        "InsertionTime": Json('"2026-01-31T10:00:00+00:00"'),
        "ExpirationTime": Json('"2026-02-07T10:00:00+00:00"'),
        "NextVisibleTime": Json('"2026-01-31T10:00:00+00:00"'),
    }


@pytest.mark.parametrize(
    ("name", "value", "given"),
    [
        ("id", "mine", "mine"),
        ("ID", 7, "7"),
        ("popReceipt", True, "True"),
        ("dequeueCount", 1.50, "1.5"),
        ("queueTrigger", {"a": 1}, Json('{"a": 1}')),
        ("insertionTime", "not a date", "not a date"),
        ("expirationTime", "2026-01-31T10:00:00Z", "01/31/2026 10:00:00"),
        ("expirationTime", "2026-01-31T10:00:00.1234567+02:00", "01/31/2026 08:00:00"),
        ("nextVisibleTime", "2026-01-31", "2026-01-31"),
        ("nextVisibleTime", "2026-02-31T10:00:00Z", "2026-02-31T10:00:00Z"),
        ("other", "x", "x"),
    ],
)
def test_a_property_of_a_json_message_replaces_the_metadata_of_its_name(
    name: str, value: Any, given: str | Json
) -> None:
    names = {known.lower(): known for known in metadata("")}
    assert metadata(json.dumps({name: value}))[names.get(name.lower(), name)] == given


@pytest.mark.parametrize("content", ['{"id": null}', '{"id": ["a"]}', '["id"]', '{"id": ', "id"])
def test_null_a_list_and_what_is_no_object_replace_nothing(content: str) -> None:
    assert metadata(content)["Id"] == "the-id"


def test_base64_is_decoded_and_may_hold_white_space() -> None:
    assert decode("aGVs\r\nbG8=", is_base64=True) == b"hello"


@pytest.mark.parametrize("text", ["plain text", "aGVsbG8", "{}", "aGVs-G8="])
def test_what_is_not_base64_cannot_be_decoded(text: str) -> None:
    with pytest.raises(UndecodableError):
        decode(text, is_base64=True)


def test_without_encoding_the_text_is_the_content() -> None:
    assert decode("plain é", is_base64=False) == "plain é".encode()


# Schedules


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("*/15 * * * * *", "2026-01-31T10:00:14.5", "2026-01-31T10:00:15"),
        ("0 */5 * * * *", "2026-01-31T10:05:00", "2026-01-31T10:10:00"),
        ("0 30 9 * * Mon-Fri", "2026-01-31T10:00:00", "2026-02-02T09:30:00"),
        ("0 0 0 1 1 *", "2026-01-31T10:00:00", "2027-01-01T00:00:00"),
        ("0 0 0 29 2 *", "2026-01-31T10:00:00", "2028-02-29T00:00:00"),
        ("0 0 0 13 * 5", "2026-01-31T10:00:00", "2026-02-13T00:00:00"),
        ("0 10,50 8-18/2 * Feb *", "2026-02-01T10:30:00", "2026-02-01T10:50:00"),
        ("*/5 * * * *", "2026-01-31T10:03:00", "2026-01-31T10:05:00"),
        ("00:00:30", "2026-01-31T10:00:10", "2026-01-31T10:00:40"),
    ],
)
def test_the_next_occurrence_fits_every_field(schedule: str, after: str, expected: str) -> None:
    moment = parse(schedule).next_after(datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert moment == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "* * *", "60 * * * * *", "x * * * * *", "*/0 * * * * *"])
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ScheduleError):
        parse(text)


def test_a_schedule_that_never_comes_is_refused() -> None:
    with pytest.raises(ScheduleError):
        parse("0 0 0 30 2 *").next_after(datetime(2026, 1, 1, tzinfo=UTC))
