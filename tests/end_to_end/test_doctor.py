"""`python -m infra.doctor`: a stack that is well, and each fault provoked for real."""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.core.exceptions import ResourceExistsError
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from function_app import routes
from infra.doctor.__main__ import FAULTY, NOT_EXAMINED, WELL, main
from infra.grant.__main__ import main as grant
from infra.local.identity import Identity, create_app
from infra.local.tokens import LOCAL_IDENTITY_HEADER, PRINCIPAL_ID, TOKEN_PATH, TokenError, verify
from tests import receivers
from tests.end_to_end.client import TOKEN, Connorg, Json, eventually
from tests.stack import Stack

QUEUES = tuple(
    f"{name}{end}" for name in ("onboarding", "callback", "batch") for end in ("", "-poison")
)
TABLES = ("ledger", "batches")
RESULT_SECRET = "0123456789abcdef0123456789abcdef"
SETTINGS = {
    **receivers.SETTINGS,
    "CONNORG_RESULT_SECRETS": RESULT_SECRET,
    "CONNORG_BLOCKED_RETRY_SECONDS": "1",
}
REFERENCE = "@Microsoft.KeyVault(VaultName=contoso;SecretName=secret)"
AUDIENCE = "api://connorg"
OPERATOR = ["Application.Read.All", "AppRoleAssignment.ReadWrite.All"]
OPERATOR += ["RoleManagement.ReadWrite.Directory", "EntitlementManagement.ReadWrite.All"]


def make_storage(connection: str) -> None:
    """As the deployment makes it."""
    queues = QueueServiceClient.from_connection_string(connection)
    tables = TableServiceClient.from_connection_string(connection)
    for name in QUEUES:
        try:
            queues.create_queue(name)
        except ResourceExistsError:
            continue
    for name in TABLES:
        tables.create_table_if_not_exists(name)


@dataclass
class Patient:
    connorg: Connorg
    capture: pytest.CaptureFixture[str]
    out: str = ""

    @property
    def stack(self) -> Stack:
        return self.connorg.stack

    async def run(self, *arguments: str, key: bool = True, url: str | None = None) -> int:
        """Return the exit code. No output may hold a secret."""
        given = ["--url", url or self.stack.functions, *arguments]
        given += ["--key", self.stack.key] if key else []
        code = await asyncio.to_thread(main, given)
        self.out = self.capture.readouterr().out
        secrets = (self.stack.key, RESULT_SECRET, receivers.SECRET)
        assert not [secret for secret in secrets if secret in self.out]
        assert not TOKEN.search(self.out)
        return code

    async def findings(
        self, *arguments: str, key: bool = True, url: str | None = None, code: int = FAULTY
    ) -> dict[str, Json]:
        """Return what was found, by the name of the check."""
        assert await self.run("--json", *arguments, key=key, url=url) == code, self.out
        return {found["check"]: found for found in json.loads(self.out)["findings"]}

    async def finds(self, check: str, level: str, *words: str, code: int = FAULTY) -> None:
        """Examine with the key; what is found and how to mend it must be told in these words."""
        found = (await self.findings(code=code))[check]
        assert found["level"] == level, found
        for word in words:
            assert word in found["detail"] + found["mend"], found
        assert found["mend"], "nobody is told what to do"

    async def set_to(self, **settings: str) -> None:
        """Let the functions have the usual settings and these."""
        await asyncio.to_thread(self.stack.set_functions, settings)


@pytest.fixture(scope="module")
async def deployed() -> AsyncIterator[Connorg]:
    with Stack(settings=SETTINGS) as stack:
        async with Connorg(stack) as connorg:
            yield connorg


async def eventually_calm(connorg: Connorg) -> None:
    """Wait until Graph may be called again."""

    async def taken() -> bool:
        answer = await connorg.call("GET", "connected-organizations?top=1")
        return answer.status_code == 200

    await eventually(taken, "Graph is left alone for ever")


@pytest.fixture
async def anyhow(
    deployed: Connorg, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Patient]:
    monkeypatch.setenv("CONNORG_GRAPH_ROOT", deployed.stack.graph)
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{deployed.stack.identity}{TOKEN_PATH}")
    monkeypatch.setenv("IDENTITY_HEADER", LOCAL_IDENTITY_HEADER)
    monkeypatch.delenv("CONNORG_KEY", raising=False)
    make_storage(deployed.stack.storage)
    yield Patient(deployed, capsys)
    await deployed.graph.heal()
    assert deployed.logged_secrets() == []


@pytest.fixture
async def patient(anyhow: Patient) -> Patient:
    """With the usual settings, whatever a test before set."""
    await anyhow.set_to()
    await eventually_calm(anyhow.connorg)
    return anyhow


async def test_an_app_that_is_well_has_no_fault_and_no_note(patient: Patient) -> None:
    await eventually(patient.connorg.is_healthy, "it does not start well")
    found = await patient.findings(code=WELL)
    assert found.pop("TLS")["level"] == "note", "there is none on loopback"
    assert {one["level"] for one in found.values()} == {"ok"}, found
    expected = {"address", "ledger", "queue", "identity", "graph", "tenantLookup"}
    expected |= {f"queue {name}" for name in QUEUES} | {f"table {name}" for name in TABLES}
    expected |= {"forged caller", "caller", "callbackSecret", "resultSecret", "call to Graph"}
    expected |= {"permission"}
    assert expected <= found.keys()


async def test_what_is_piped_is_a_line_each_and_whole(patient: Patient) -> None:
    assert await patient.run() == WELL
    lines = patient.out.splitlines()
    assert all(line.startswith(("ok: ", "note: ", "fault: ")) for line in lines)
    assert any("EntitlementManagement.ReadWrite.All" in line for line in lines)


async def test_the_table_shows_the_same_and_cuts_nothing(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert await patient.run() == WELL
    plain = re.sub(r"\x1b\[[0-9;]*m", "", patient.out)
    assert "What was" in plain
    assert "…" not in plain


@pytest.mark.parametrize("end", ["/", "/api", "/api/"])
async def test_an_address_is_taken_with_and_without_api(patient: Patient, end: str) -> None:
    found = await patient.findings(url=f"{patient.stack.functions}{end}", code=WELL)
    assert found["address"]["detail"] == patient.stack.functions


async def test_without_a_key_it_is_examined_from_outside_alone(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await patient.findings(key=False, code=WELL)
    assert "CONNORG_KEY" in found["inside"]["mend"]
    assert "permission" not in found
    monkeypatch.setenv("CONNORG_KEY", patient.stack.key)
    assert "permission" in await patient.findings(key=False, code=WELL)


async def test_the_details_are_not_for_everybody(patient: Patient) -> None:
    answer = await patient.connorg.call("GET", "health/details", key=False)
    assert (answer.status_code, answer.content) == (401, b"")
    answer = await patient.connorg.call("GET", "health", key=False)
    assert "EntitlementManagement" not in answer.text
    assert (await patient.connorg.call("GET", "health/details")).json()["status"] == "healthy"


async def test_a_wrong_key(patient: Patient) -> None:
    found = await patient.findings("--key", "wrong", key=False)
    assert "key is wrong" in found["caller"]["detail"]
    assert "az functionapp keys list" in found["caller"]["mend"]


async def test_a_missing_permission(patient: Patient) -> None:
    await patient.connorg.graph.configure(roles=[])
    await patient.finds("call to Graph", "fault", "not authorized", "python -m infra.grant")
    await patient.finds("graph", "fault", "python -m infra.grant")


async def test_a_missing_licence(patient: Patient) -> None:
    await patient.connorg.graph.configure(licensed=False)
    found = (await patient.findings())["call to Graph"]
    assert "Microsoft Entra ID Governance licence" in found["mend"]
    assert "infra.grant" not in found["mend"], "a permission would not help"


async def test_a_queue_that_is_gone(patient: Patient) -> None:
    queues = QueueServiceClient.from_connection_string(patient.stack.storage)
    queues.delete_queue("callback-poison")
    queues.delete_queue("onboarding")
    words = ("lost", "az storage queue create --name onboarding")
    found = await patient.findings(code=WELL)
    lost = found["queue onboarding"]
    assert lost["level"] == "note"
    assert all(word in lost["detail"] + lost["mend"] for word in words)
    # Nobody can say whether a callback was ever made.
    assert found["queue callback-poison"]["level"] == "ok"
    assert "Not needed yet" in found["queue callback-poison"]["detail"]


async def test_a_storage_account_that_does_not_answer(patient: Patient) -> None:
    patient.stack.kill("storage")

    async def is_noticed() -> bool:
        return bool((await patient.connorg.health())["status"] == "unhealthy")

    try:
        # Who asks within a moment of another shares its reading of the gate, which may be older.
        await eventually(is_noticed, "it stays healthy")
        found = await patient.findings()
        for check, role in (
            ("ledger", "Storage Table Data Contributor"),
            ("queue", "Storage Queue Data Contributor"),
            ("table ledger", "Storage Table Data Contributor"),
            ("queue onboarding", "Storage Queue Data Contributor"),
        ):
            assert found[check]["level"] == "fault"
            assert role in found[check]["mend"]
    finally:
        patient.stack.restart("storage")
    # What it held in memory is gone: it is a new app again, and that is nothing to be worried by.
    found = await patient.findings(code=WELL)
    assert {one["level"] for check, one in found.items() if check.startswith("table ")} == {"ok"}
    assert "Not needed yet" in found["table ledger"]["detail"]


async def test_a_token_of_before_the_grant(anyhow: Patient) -> None:
    """Its roles don't show what was granted since; and one without roles may be right."""
    async with TestServer(create_app(Identity(roles=("User.Read.All",)))) as identity:
        endpoint = str(identity.make_url(TOKEN_PATH))
        await anyhow.set_to(IDENTITY_ENDPOINT=endpoint)
        await anyhow.connorg.graph.configure(roles=OPERATOR)
        found = await anyhow.findings(code=WELL)
        for check, words in (
            ("permission", "carries User.Read.All"),
            ("tenantLookupPermission", "does not have CrossTenantInformation.ReadBasic.All"),
        ):
            assert found[check]["level"] == "note"
            assert words in found[check]["detail"]
            assert "24 hours" in found[check]["detail"]
            assert "python -m infra.grant" in found[check]["mend"]


# Each is told beside the others of its line, so that one restart tries them all.
WRONG: dict[str, tuple[dict[str, str], dict[str, tuple[str, ...]]]] = {
    "identity and secrets": (
        {
            "IDENTITY_HEADER": "wrong",
            "CONNORG_WEBHOOK_SOURCES": '{"crm": {"profile": "servicenow", "secrets": ["NONE"]}}',
            "CONNORG_CALLBACK_SECRETS": REFERENCE,
            "CONNORG_RESULT_SECRETS": REFERENCE,
        },
        {
            "identity": ("AZURE_CLIENT_ID", "az functionapp identity"),
            "webhook crm": ("none of the settings has a secret",),
            "callbackSecret": ("Key Vault Secrets User",),
            "resultSecret": ("CONNORG_RESULT_SECRETS must",),
        },
    ),
    "declaration": (
        {"CONNORG_WEBHOOK_SOURCES": "{broken"},
        {"webhooks": ("CONNORG_WEBHOOK_SOURCES is wrong",)},
    ),
    "number": (
        {"CONNORG_GIVE_UP_HOURS": "a day"},
        {"settings": ("CONNORG_GIVE_UP_HOURS",)},
    ),
}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        pytest.param(*wrong, id=name, marks=pytest.mark.slow if name == "number" else ())
        for name, wrong in WRONG.items()
    ],
)
async def test_wrong_settings(
    anyhow: Patient, settings: dict[str, str], told: dict[str, tuple[str, ...]]
) -> None:
    await anyhow.set_to(**settings)
    for check, words in told.items():
        await anyhow.finds(check, "fault", *words)


@asynccontextmanager
async def app_service(functions: str) -> AsyncIterator[str]:
    """App Service authentication in front of the functions: its headers are its own."""

    async def handle(request: web.Request) -> web.Response:
        headers = {n: v for n, v in request.headers.items() if not n.lower().startswith("x-ms-")}
        token = headers.pop("Authorization", "").removeprefix("Bearer ")
        try:
            claims = [{"typ": "roles", "val": role} for role in verify(token, {AUDIENCE})["roles"]]
        except TokenError:
            if token:
                return web.Response(status=401)
        else:
            principal = json.dumps({"auth_typ": "aad", "claims": claims}).encode()
            headers["X-MS-CLIENT-PRINCIPAL"] = base64.b64encode(principal).decode()
        async with httpx.AsyncClient(timeout=60) as http:
            url = f"{functions}{request.raw_path}"
            answer = await http.request(request.method, url, headers=headers)
        kept = {n: v for n, v in answer.headers.items() if n.startswith(("content-type", "x-ms-"))}
        return web.Response(status=answer.status_code, body=answer.content, headers=kept)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


async def test_entra_with_and_without_app_service_authentication(
    anyhow: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await anyhow.set_to(CONNORG_REQUIRE_ENTRA="true", WEBSITE_AUTH_ENABLED="true")
    found = await anyhow.findings()
    assert found["forged caller"]["level"] == "fault"
    assert "az resource update" in found["forged caller"]["mend"]
    asking_for_a_role = sum(route.role is not None for route in routes)
    tried = f"by {asking_for_a_role} of {asking_for_a_role} routes"
    assert tried in found["forged caller"]["detail"]
    assert "--audience" in found["caller"]["mend"], "a key opens nothing"

    async with app_service(anyhow.stack.functions) as url:
        for roles, code in ((["Onboarding.Manage", "Onboarding.Read"], WELL), ([], FAULTY)):
            async with TestServer(create_app(Identity(roles=roles))) as identity:
                endpoint = str(identity.make_url(TOKEN_PATH))
                monkeypatch.setenv("IDENTITY_ENDPOINT", endpoint)
                found = await anyhow.findings("--audience", AUDIENCE, key=False, url=url, code=code)
            assert found["forged caller"]["level"] == "ok"
            assert tried in found["forged caller"]["detail"]
        assert "does not have the app role" in found["caller"]["detail"]
        assert "python -m infra.grant caller" in found["caller"]["mend"]
        monkeypatch.setenv("IDENTITY_HEADER", "wrong")
        found = await anyhow.findings("--audience", AUDIENCE, key=False, url=url, code=WELL)
        assert "az login" in found["sign-in"]["mend"]


async def test_an_address_that_is_not_connorgs(patient: Patient) -> None:
    for url, words in (
        ("http://127.0.0.1:9", "No connection"),
        (patient.stack.graph, "keeps callers of health out"),
        (patient.stack.identity, "not connorg"),
        (f"{patient.stack.graph}/_emulator/requests?", "not connorg"),
        (patient.stack.functions.replace("http:", "https:"), "TLS fails"),
    ):
        found = await patient.findings(url=url, code=NOT_EXAMINED)
        assert words in found["address"]["detail"]
        assert found["address"]["mend"]


async def test_an_address_without_tls(patient: Patient) -> None:
    """0.0.0.0 leads to this machine too, and does not say so by its name."""
    url = patient.stack.functions.replace("127.0.0.1", "0.0.0.0")
    found = await patient.findings(url=url)
    assert "in the clear" in found["TLS"]["detail"]
    assert "httpsOnly" in found["TLS"]["mend"]


async def test_what_entra_says_of_the_identity(patient: Patient) -> None:
    await patient.connorg.graph.configure(roles=OPERATOR)
    who = ("--principal-id", PRINCIPAL_ID)
    found = await patient.findings(*who)
    assert "neither" in found["identity in Entra"]["detail"]
    assert f"infra.grant --principal-id {PRINCIPAL_ID}" in found["identity in Entra"]["mend"]
    assert "tenant lookup in Entra" in found

    assert await asyncio.to_thread(grant, [*who, "--yes"]) == 0
    patient.capture.readouterr()
    found = await patient.findings(*who, code=WELL)
    assert found["identity in Entra"]["level"] == "ok"
    assert "tenant lookup in Entra" not in found

    assert await asyncio.to_thread(grant, [*who, "--with", "app-role", "--yes"]) == 0
    patient.capture.readouterr()
    found = await patient.findings(*who, code=WELL)
    assert found["least privilege"]["level"] == "note"

    await patient.connorg.graph.configure(roles=["EntitlementManagement.ReadWrite.All"])
    found = await patient.findings(*who, code=WELL)
    assert "Global Reader" in found["identity in Entra"]["mend"]
