"""What stands at the edge of a function: headers, addresses, messages."""

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from urllib.parse import urlencode

import azure.functions as func
import pytest
from azure.functions.meta import Datum
from azure.functions.queue import QueueMessageInConverter

from connorg.contract.identifiers import new_onboarding_id
from connorg.contract.messages import OnboardingMessage, ProducerMessage
from connorg.contract.onboarding import Onboarding, Status
from connorg.contract.problems import ProblemError, ProblemKind
from connorg.functions.http.addresses import PREFIX, Addresses
from connorg.functions.http.answers import poll_after
from connorg.functions.http.headers import IDEMPOTENCY_KEY, PREFER, traceparent_of
from connorg.functions.http.parameters import TOP
from connorg.functions.queues.envelope import put_at, text_of
from tests.unit.once_per_process import made_anew
from tests.unit.partners import request

ROOT = Path(__file__).parents[3]
TRIGGER_METADATA = {
    "id",
    "popreceipt",
    "dequeuecount",
    "expirationtime",
    "insertiontime",
    "nextvisibletime",
    "queuetrigger",
}


def http_request(
    headers: Mapping[str, str] | None = None, url: str = "http://127.0.0.1:7071/api/health"
) -> func.HttpRequest:
    return func.HttpRequest("GET", url, headers=headers or {}, body=b"")


@pytest.mark.parametrize(
    ("prefer", "wait", "applied"),
    [
        (None, None, None),
        ("respond-async", 0, "respond-async"),
        ("Respond-Async", 0, "respond-async"),
        ("wait=7", 7, "wait=7"),
        ("WAIT = 7 ; urgent", 7, "wait=7"),
        ('wait="7"', 7, "wait=7"),
        ("respond-async, wait=7", 7, "respond-async, wait=7"),
        ("wait=7,respond-async;x=1", 7, "respond-async, wait=7"),
        ("respond-async, wait=soon", 0, "respond-async"),
        ("wait=3, wait=5", 3, "wait=3"),
        ("wait=soon, wait=5", None, None),
        ("wait=100000", 100, "wait=100"),
        ("wait=0", 0, "wait=0"),
        ("wait=soon", None, None),
        ("wait=-1", None, None),
        ("wait=1.5", None, None),
        ("wait", None, None),
        ("return=minimal", None, None),
        ("return=minimal, wait=7, handling=strict", 7, "wait=7"),
        ('note="a, wait=3", wait=5', 5, "wait=5"),
        ("x wait=3", None, None),
        ("", None, None),
    ],
)
def test_prefer_says_how_long_the_caller_waits(
    prefer: str | None, wait: float | None, applied: str | None
) -> None:
    preference = PREFER.of(http_request({"prefer": prefer} if prefer is not None else {}))
    assert preference.wait == wait
    assert preference.headers.get("Preference-Applied") == applied


@pytest.mark.parametrize(
    ("header", "key"),
    [('"abc"', "abc"), ('"a,b"', "a,b"), ("abc", "abc"), (" abc ", "abc"), ("x" * 255, "x" * 255)],
)
def test_an_idempotency_key_is_taken_quoted_or_bare(header: str, key: str) -> None:
    assert IDEMPOTENCY_KEY.of(http_request({"idempotency-key": header})) == key


@pytest.mark.parametrize("header", ["", '""', "x" * 256, 'a"b', "a\tb", "a,b", '"a","b"'])
def test_what_is_no_idempotency_key_is_refused(header: str) -> None:
    with pytest.raises(ProblemError, match="Idempotency-Key"):
        IDEMPOTENCY_KEY.of(http_request({"idempotency-key": header}))


TRACE = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.mark.parametrize(
    "header", ["", "x" * 7000, TRACE + "0", f"{TRACE}-{'0' * 7000}", TRACE.upper(), f"{TRACE}\n"]
)
def test_what_is_no_trace_is_carried_nowhere(header: str) -> None:
    assert traceparent_of(http_request({"traceparent": TRACE})) == TRACE
    assert traceparent_of(http_request({"traceparent": header})) is None
    assert traceparent_of(http_request({})) is None


def test_addresses_are_those_that_the_caller_used() -> None:
    direct = Addresses(http_request(url="https://app.azurewebsites.net/api/x?code=secret"))
    assert direct.onboarding("1-2") == "https://app.azurewebsites.net/api/onboardings/1-2"


@pytest.fixture
def behind_proxies(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CONNORG_FORWARDED_HOSTS", "Connorg.contoso.com *.proxies.example p:8443")
    with made_anew():
        yield


@pytest.mark.usefixtures("behind_proxies")
@pytest.mark.parametrize("host", ["connorg.contoso.com", "a.b.proxies.example", "p:8443"])
def test_addresses_honour_the_proxy_in_front(host: str) -> None:
    for scheme in ("http", "https"):
        forwarded = {"x-forwarded-host": f"{host.upper()}, inner", "x-forwarded-proto": scheme}
        address = Addresses(http_request(forwarded)).onboarding("1-2")
        assert address == f"{scheme}://{host}/api/onboardings/1-2"


NO_PROXY = [
    "evil.com",
    "connorg.contoso.com.evil.com",
    "connorg.contoso.com:8443",
    "evilproxies.example",
    "proxies.example",
    "evil.com/.proxies.example",
    "user@a.proxies.example",
    "evil.com\r\nX: 1",
    "",
]


@pytest.mark.usefixtures("behind_proxies")
@pytest.mark.parametrize("host", NO_PROXY)
def test_a_forwarded_host_that_is_not_listed_is_ignored(host: str) -> None:
    forwarded = {"x-forwarded-host": host, "x-forwarded-proto": "http"}
    address = Addresses(http_request(forwarded, url="https://app.example/api/x")).onboarding("1-2")
    assert address == "https://app.example/api/onboardings/1-2"


@pytest.mark.parametrize("host", ["connorg.contoso.com", "127.0.0.1", *NO_PROXY])
def test_without_a_list_no_forwarded_host_counts(host: str) -> None:
    address = Addresses(http_request({"x-forwarded-host": host})).onboarding("1-2")
    assert address == "http://127.0.0.1:7071/api/onboardings/1-2"


def test_the_prefix_of_addresses_is_the_hosts() -> None:
    host_json = json.loads((ROOT / "host.json").read_text())
    assert host_json["extensions"]["http"]["routePrefix"] == PREFIX


def test_our_messages_take_no_name_that_the_queue_trigger_would_replace() -> None:
    fields = {
        (field.alias or name).lower()
        for model in (OnboardingMessage, ProducerMessage)
        for name, field in model.model_fields.items()
    }
    assert not fields & TRIGGER_METADATA


def test_a_message_whose_id_is_of_another_identity_source_is_not_understood() -> None:
    theirs = new_onboarding_id("domain:fabrikam.com", datetime.now(UTC), Random(1))
    with pytest.raises(ValueError, match="another identity source"):
        OnboardingMessage(onboarding_id=theirs, request=request(), channel="http")


@pytest.mark.parametrize("text", ['{"a":1}', "not JSON: é", "{"])
def test_a_message_is_read_from_base64_and_as_it_stands(text: str) -> None:
    plain = func.QueueMessage(body=text)
    encoded = func.QueueMessage(body=base64.b64encode(text.encode()).decode())
    assert text_of(plain) == text_of(encoded) == text


@pytest.mark.parametrize(
    ("told", "put"),
    [
        ('"2026-11-02T09:30:00+00:00"', datetime(2026, 11, 2, 9, 30, tzinfo=UTC)),
        ('"2026-11-02T09:30:00"', None),
        (None, None),
    ],
)
def test_a_message_tells_when_it_was_put(told: str | None, put: datetime | None) -> None:
    """By the library that reads what the host says."""
    metadata = {} if told is None else {"InsertionTime": Datum(told, "json")}
    message = QueueMessageInConverter.decode(Datum("{}", "string"), trigger_metadata=metadata)
    assert put_at(message) == put


def test_every_problem_has_its_own_stable_type_and_code() -> None:
    assert len({kind.type for kind in ProblemKind}) == len(ProblemKind)
    assert ProblemKind.IDEMPOTENCY_KEY_REUSED.code == "IdempotencyKeyReused"
    reused = "urn:connorg:problem:idempotency-key-reused"
    assert ProblemKind.IDEMPOTENCY_KEY_REUSED.type == reused


@pytest.mark.parametrize(
    ("due_in", "seconds"), [(None, 5), (-3, 1), (0.2, 1), (7.2, 8), (60, 60), (9_000, 60)]
)
def test_a_poller_comes_back_when_the_next_attempt_is_due(
    due_in: float | None, seconds: int
) -> None:
    now = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
    due = None if due_in is None else now + timedelta(seconds=due_in)
    waiting = Onboarding(
        id="1-2",
        status=Status.WAITING,
        channel="http",
        next_attempt_date_time=due,
        created_date_time=now,
        last_action_date_time=now,
        give_up_date_time=now,
    )
    assert poll_after(waiting, now) == seconds


@pytest.mark.parametrize(
    "text", ["0", "101", "0000000019999", "9" * 5000, "1" * 9, "+1", "1_0", ""]
)
def test_a_page_that_is_no_number_in_its_bounds_is_refused(text: str) -> None:
    with pytest.raises(ProblemError):
        TOP.of(http_request(url=f"http://127.0.0.1/api/x?{urlencode({'top': text})}"))
