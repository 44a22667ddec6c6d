"""What the end-to-end tests talk to: connorg as callers see it, and Graph and storage behind it."""

import asyncio
import base64
import json
import os
import re
import signal
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables.aio import TableClient
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from connorg.contract.storage_names import LEDGER_TABLE, ONBOARDING_QUEUE
from connorg.storage.entities import GATE
from tests import receivers, senders
from tests.stack import Stack

# For machines under load. Nothing waits that long unless something is broken.
PATIENCE_SECONDS = 90
SHORTEST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 0.25

TERMINAL = {"Succeeded", "Failed", "Canceled"}
CALLBACK = re.compile(r'"callbackUrl": ?"https?://[^/"]+(/[^"]+)"')
RESULT_TOKEN = re.compile(r"[?&]token=[\w-]{20,}")
TOKEN = re.compile(r"eyJ[\w-]+\.eyJ[\w-]+")

type Json = dict[str, Any]


@dataclass(frozen=True)
class Partner:
    """A partner organization that no other test knows."""

    domain: str = field(default_factory=lambda: f"partner-{uuid.uuid4().hex[:12]}.example")

    def body(self, **changes: Any) -> Json:
        source = {
            "@odata.type": "#microsoft.graph.domainIdentitySource",
            "domainName": self.domain,
            "displayName": self.domain,
        }
        usual = {
            "displayName": f"Partner {self.domain}",
            "description": "A partner of the end-to-end tests",
            "identitySources": [source],
            "state": "configured",
        }
        return usual | changes


class Graph:
    """The emulator's control routes."""

    def __init__(self, stack: Stack, http: httpx.AsyncClient) -> None:
        self._stack = stack
        self._http = http

    async def fail(self, *rules: Json) -> None:
        """Set the faults; the first that matches a call strikes."""
        await self._put("faults", list(rules))

    async def fail_creates(self, partner: Partner, fault: str, **rule: Any) -> None:
        """Strike the creates of one partner: others may be under way from tests before."""
        await self.fail(failing_create(partner, fault, **rule))

    async def configure(self, **config: Any) -> None:
        await self._put("config", config)

    async def register(self, domain: str, tenant_id: str) -> None:
        """Let a domain belong to a tenant. The tenants of before are forgotten."""
        home = {"tenantId": str(uuid.uuid4()), "displayName": "Home", "defaultDomainName": "h.test"}
        theirs = {"tenantId": tenant_id, "displayName": domain, "defaultDomainName": domain}
        await self.enroll(home, theirs)

    async def enroll(self, *tenants: Json) -> None:
        """Set all tenants, the home tenant first."""
        await self._put("tenants", list(tenants))

    async def heal(self) -> None:
        await self.fail()
        await self.configure(roles=None, licensed=True)

    async def forget_everything(self) -> None:
        (await self._http.delete(f"{self._stack.graph}/_emulator")).raise_for_status()

    async def make_by_hand(self, partner: Partner, **changes: Any) -> str:
        """Let an organization of the partner be there that connorg knows nothing of."""
        made = {"id": str(uuid.uuid4()), "createdDateTime": "2026-01-01T00:00:00Z"}
        fields = ("displayName", "description", "state", "identitySources")
        body = partner.body(**changes)
        await self._control("POST", "organizations", [made | {name: body[name] for name in fields}])
        return made["id"]

    async def organizations(self, partner: Partner) -> list[Json]:
        return await self._get("organizations", partner.domain)

    async def organization(self, organization_id: str) -> Json:
        held = await self._get("organizations", organization_id)
        [found] = [one for one in held if one["id"] == organization_id]
        return found

    async def requests(self, text: str = "") -> list[Json]:
        """What Graph was sent that has the text in it. Without one, others' calls are there too."""
        return await self._get("requests", text)

    async def calls(self, partner: Partner) -> list[Json]:
        return await self.requests(partner.domain)

    async def creates(self, partner: Partner) -> list[Json]:
        """Each create that Graph was sent for a partner, whatever came of it."""
        return [call for call in await self.calls(partner) if call["method"] == "POST"]

    async def requests_since(self, partner: Partner) -> list[Json]:
        """All calls, whomever about, from the first about this partner on."""
        calls = await self.requests()
        return calls[next(i for i, call in enumerate(calls) if is_about(partner, call)) :]

    async def create_seen(self, partner: Partner) -> None:
        """Wait until Graph was sent a create for the partner."""
        await eventually(lambda: self.creates(partner), f"no create of {partner.domain}")

    async def created(self, partner: Partner) -> None:
        """Wait until Graph has an organization for the partner."""
        await eventually(lambda: self.organizations(partner), f"{partner.domain} is not created")

    async def _get(self, name: str, text: str = "") -> list[Json]:
        """Those that hold the text: a stack that is shared has thousands."""
        address = f"{self._stack.graph}/_emulator/{name}"
        answer = await self._http.get(address, params={"text": text})
        return list(answer.raise_for_status().json())

    async def _put(self, name: str, body: Any) -> None:
        await self._control("PUT", name, body)

    async def _control(self, method: str, name: str, body: Any) -> None:
        address = f"{self._stack.graph}/_emulator/{name}"
        answer = await self._http.request(method, address, json=body)
        assert answer.status_code == 204, answer.text


class Connorg:
    """connorg over HTTP and the queue. Each answer is looked through for secrets."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._http = httpx.AsyncClient(
            timeout=PATIENCE_SECONDS,
            limits=httpx.Limits(max_keepalive_connections=0),  # the other end may be killed
        )
        self.graph = Graph(stack, self._http)
        self.callback_addresses: set[str] = set()
        """Of all requests that were sent or put."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def call(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        key: bool = True,
    ) -> httpx.Response:
        """Call a path under /api, or a whole address, with the function key unless told."""
        address = path if path.startswith("http") else f"{self.stack.functions}/api/{path}"
        self._note_callback(content)
        credentials = {"x-functions-key": self.stack.key} if key else {}
        answer = await self._http.request(
            method,
            address,
            content=content,
            headers={**credentials, **(headers or {})},
        )
        leaked = self.secrets_in(f"{answer.headers}\n{answer.text}")
        assert not leaked, f"{method} {path} answers with {leaked}"
        return answer

    async def submit(self, body: Json, **headers: str) -> httpx.Response:
        """POST a body; `idempotency_key="a"` is the header Idempotency-Key."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = json.dumps(body).encode()
        return await self.call("POST", "connected-organizations", content=content, headers=named)

    async def accepted(self, body: Json, **headers: str) -> str:
        """Submit what is not done at once; the onboarding's id."""
        answer = await self.submit(body, **headers)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def onboarding(self, onboarding_id: str) -> Json:
        answer = await self.call("GET", f"onboardings/{onboarding_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def ended(self, onboarding_id: str) -> Json:
        """Wait until an onboarding is terminal."""

        async def terminal() -> Json | None:
            onboarding = await self.onboarding(onboarding_id)
            return onboarding if onboarding["status"] in TERMINAL else None

        return await eventually(terminal, f"{onboarding_id} does not end")

    async def listed(self, **filters: str) -> list[Json]:
        """One page of the list of onboardings."""
        answer = await self.call("GET", f"onboardings?{httpx.QueryParams(filters)}")
        assert answer.status_code == 200, answer.text
        return list(answer.json()["value"])

    async def only_one_listed(self, **filters: str) -> Json:
        """Wait until an onboarding appears in the list; it must stay the only one."""
        await eventually(lambda: self.listed(**filters), f"nothing is listed for {filters}")
        [onboarding] = await self.listed(**filters)
        return onboarding

    async def health(self) -> Json:
        return dict((await self.call("GET", "health", key=False)).json())

    async def is_healthy(self) -> bool:
        return bool((await self.health())["status"] == "healthy")

    async def put_message(self, text: str, queue: str = ONBOARDING_QUEUE) -> None:
        """Put a message as `az storage message put` does: its text as it stands."""
        async with self._queue(queue) as client:
            with suppress(ResourceExistsError):
                await client.create_queue()
            await client.send_message(text)

    async def put(self, content: Json | str | bytes, queue: str = ONBOARDING_QUEUE) -> None:
        """Put a message as the contract has it: JSON in Base64."""
        if isinstance(content, dict):
            content = json.dumps(content)
        if isinstance(content, str):
            content = content.encode()
        self._note_callback(content)
        await self.put_message(base64.b64encode(content).decode(), queue)

    async def messages(self, queue: str = ONBOARDING_QUEUE) -> int:
        """How many messages a queue holds, hidden ones too."""
        async with self._queue(queue) as client:
            try:
                return (await client.get_queue_properties()).approximate_message_count or 0
            except ResourceNotFoundError:
                return 0

    async def taken(self) -> None:
        """Wait until every message that the queue shows was taken out of it, if only for a time."""

        async def shows_none() -> bool:
            async with self._queue(ONBOARDING_QUEUE) as client:
                return not await client.peek_messages()

        await eventually(shows_none, "messages are not taken")

    async def deliveries(self) -> int:
        """Wait until the queue shows a message; how often that was delivered so far."""

        async def shown() -> list[QueueMessage]:
            async with self._queue(ONBOARDING_QUEUE) as client:
                return await client.peek_messages()

        [message] = await eventually(shown, "no message comes back")
        return message.dequeue_count or 0

    async def emptied(self) -> None:
        """Wait until nothing is left in the queue, hidden or not."""

        async def is_empty() -> bool:
            return await self.messages() == 0

        await eventually(is_empty, "messages are left")

    async def ledger_rows(self) -> set[tuple[str, str, str]]:
        """Partition, row and version of everything that the ledger holds."""
        client = TableClient.from_connection_string(self.stack.storage, LEDGER_TABLE)
        async with client:
            try:
                return {
                    (str(row["PartitionKey"]), str(row["RowKey"]), str(row.metadata["etag"]))
                    async for row in client.list_entities()
                }
            except ResourceNotFoundError:
                return set()

    async def footprint(self) -> tuple[object, ...]:
        """What a call may change in ledger, queue and Graph."""
        rows, messages = await self.ledger_rows(), await self.messages()
        return rows, messages, len(await self.graph.requests())

    async def let_time_pass_at_the_gate(self) -> None:
        """Forget what Graph refused or asked for: it stands for minutes, and tests can't wait."""
        client = TableClient.from_connection_string(self.stack.storage, LEDGER_TABLE)
        async with client:
            await client.delete_entity(*GATE)

    async def logged(self, text: str, times: int = 1) -> None:
        """Wait until the log has a text so many times: a line may come later than the answer."""

        async def is_there() -> bool:
            return self.stack.log.count(text) >= times

        await eventually(is_there, f"the log has {text!r} fewer than {times} times")

    def logged_secrets(self) -> list[str]:
        """The lines of the functions' log that hold a secret."""
        lines = self.stack.log.splitlines()
        return [
            line
            for line in lines
            if line.startswith("functions: ")
            and (self.secrets_in(line) or RESULT_TOKEN.search(line))
        ]

    def crash(self, part: str, settings: Mapping[str, str] | None = None) -> None:
        """SIGKILL a part and start it again."""
        self.stack.kill(part)
        self.stack.restart(part, settings)

    async def crash_when_committed(self, partner: Partner) -> None:
        """SIGKILL the functions after Graph has committed, and before they can read its answer."""
        os.kill(self.stack.pids["functions"], signal.SIGSTOP)
        await self.graph.created(partner)
        self.crash("functions")
        await self.graph.heal()

    def secrets_in(self, text: str) -> list[str]:
        """What of the stack's secrets a text gives away, by kind."""
        connection = dict(part.partition("=")[::2] for part in self.stack.storage.split(";"))
        kinds = {
            "the function key": self.stack.key in text,
            "the connection string": connection["AccountKey"] in text,
            "a token": TOKEN.search(text) is not None,
            "a callback's secret": receivers.SECRET in text or receivers.OLDER_SECRET in text,
            "a callback's address": any(address in text for address in self.callback_addresses),
            "a webhook's secret": any(secret in text for secret in senders.SECRETS.values()),
        }
        return [kind for kind, is_in in kinds.items() if is_in]

    def _note_callback(self, content: bytes | None) -> None:
        """What names an address differs from it at most by its host, so the rest is looked for."""
        found = CALLBACK.findall((content or b"").decode(errors="replace"))
        self.callback_addresses.update(found)

    def _queue(self, name: str) -> QueueClient:
        return QueueClient.from_connection_string(self.stack.storage, name)


async def eventually[T](probe: Callable[[], Awaitable[T | None]], otherwise: str) -> T:
    """Wait for the first true value of the probe. It is asked ever less often: each costs work."""
    pause = SHORTEST_PAUSE_SECONDS
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (value := await probe()):
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
            return value
    except TimeoutError:
        raise AssertionError(f"{otherwise}, after {PATIENCE_SECONDS} s") from None


def failing_create(partner: Partner, fault: str, **rule: Any) -> Json:
    return {"method": "POST", "body": re.escape(partner.domain), "fault": fault, **rule}


def is_about(partner: Partner, entry: Json) -> bool:
    return partner.domain in json.dumps(entry)


def problem(answer: httpx.Response, status: int, code: str) -> Json:
    """The problem that an answer must be, whole as the contract has it."""
    assert (answer.status_code, answer.headers.get("x-ms-error-code")) == (status, code), (
        answer.text
    )
    assert answer.headers["content-type"].startswith("application/problem+json")
    told: Json = answer.json()
    assert told["status"] == status
    assert told["code"] == code
    assert told["type"].startswith("urn:connorg:problem:")
    assert told["title"]
    assert told["detail"]
    return told
