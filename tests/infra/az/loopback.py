"""Azure on this machine, for the real Azure CLI: Resource Manager, an authority and Graph, by TLS.

`az cloud register` takes its addresses from the Resource Manager, as it does of Azure Stack; the
certificate is one that only the tests trust. What is deployed is what the templates make of the
parameters that arrive, as tests/infra/shown.py shows it.
"""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from infra.bicep.deploying import deploy
from infra.bicep.syntax import BicepError
from infra.bicep.values import Unknown
from infra.local import tokens
from infra.local.child import LOOPBACK
from infra.local.graph import create_app
from tests.infra.shown import PLACE, Shown
from tests.own_tls import CERTIFICATE, tls_of_its_own

type Json = Any

SUBSCRIPTION = f"/subscriptions/{PLACE.subscription_id}"
OPERATOR = "00000000-0000-0000-0000-00000000000a"
_DEPLOYMENT = f"{SUBSCRIPTION}/providers/Microsoft.Resources/deployments/"
_ROLES = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"


@dataclass
class Loopback:
    """`shown` is what Azure has; `calls` are the requests that changed something."""

    folder: Path
    shown: Shown
    root: str = ""
    graph: str = ""
    registered: set[str] = field(default_factory=set)
    calls: list[tuple[str, str]] = field(default_factory=list)
    uploaded: list[tuple[str, bytes]] = field(default_factory=list)
    _runners: list[web.AppRunner] = field(default_factory=list)

    @property
    def certificate(self) -> Path:
        return self.folder / CERTIFICATE

    async def start(self) -> None:
        context = tls_of_its_own(self.folder)
        apps = (self._app(), create_app())
        addresses = []
        for app in apps:
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            self._runners.append(runner)
            await web.TCPSite(runner, LOOPBACK, 0, ssl_context=context).start()
            addresses.append(f"https://{LOOPBACK}:{runner.addresses[0][1]}")
        self.root, self.graph = addresses
        host = self.root.partition("//")[2]
        self.shown.held[self.shown.site]["properties"] |= {
            "sku": "FlexConsumption",
            "hostNameSslStates": [
                {"name": host, "hostType": "Repository"},
                {"name": host, "hostType": "Standard"},
            ],
        }

    async def stop(self) -> None:
        for runner in self._runners:
            await runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get("/metadata/endpoints", self._endpoints)
        app.router.add_get("/{tenant}/v2.0/.well-known/openid-configuration", self._authority)
        app.router.add_post("/{tenant}/oauth2/v2.0/token", self._token)
        app.router.add_post("/api/publish", self._publish)
        app.router.add_route("*", "/{path:.*}", self._resource_manager)
        return app

    async def _endpoints(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "name": "loopback",
                "resourceManager": self.root,
                "appServiceResourceId": self.root,
                "microsoftGraphResourceId": self.graph,
                "authentication": {"loginEndpoint": self.root, "audiences": [self.root]},
                "suffixes": {"storage": "core.windows.net", "keyVaultDns": "vault.azure.net"},
            }
        )

    async def _authority(self, request: web.Request) -> web.Response:
        tenant = f"{self.root}/{request.match_info['tenant']}"
        return web.json_response(
            {
                "issuer": f"{tenant}/v2.0",
                "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize",
                "token_endpoint": f"{tenant}/oauth2/v2.0/token",
            }
        )

    async def _token(self, request: web.Request) -> web.Response:
        asked = await request.post()
        audience = str(asked["scope"]).split()[0].removesuffix(".default").removesuffix("/")
        claims = {
            "aud": audience,
            "exp": time.time() + 3600,
            "appid": OPERATOR,
            "oid": OPERATOR,
            "tid": request.match_info["tenant"],
        }
        told = {"access_token": tokens.sign(claims), "token_type": "Bearer", "expires_in": 3600}
        return web.json_response(told)

    async def _publish(self, request: web.Request) -> web.Response:
        self.uploaded.append((request.query_string, await request.read()))
        return web.Response(status=202, text="deployment-1")

    async def _resource_manager(self, request: web.Request) -> web.Response:
        # The Azure CLI writes the name of a template without quotes, which Azure takes.
        text = (await request.text()).replace(", template:{", ', "template": {', 1)
        body = json.loads(text) if text else None
        path = request.path.replace("/resourcegroups/", "/resourceGroups/")
        path = path.replace("/microsoft.Web/", "/Microsoft.Web/")
        if request.method != "GET":
            self.calls.append((request.method, path))
        for answer in (
            self._of_site,
            self._of_subscription,
            self._provider,
            self._deployed,
            self._held,
        ):
            if (told := answer(request.method, path, body)) is not None:
                return web.json_response(told)
        told = {"error": {"code": "ResourceNotFound", "message": f"There is no {path}."}}
        return web.json_response(told, status=404)

    def _of_subscription(self, method: str, path: str, body: Json) -> Json:
        one = {
            "id": SUBSCRIPTION,
            "subscriptionId": PLACE.subscription_id,
            "displayName": "loopback",
            "state": "Enabled",
            "tenantId": PLACE.tenant_id,
        }
        region = {"name": "West Europe", "properties": {"orgDomain": "FLEXCONSUMPTION"}}
        told: Json = None
        match path.rpartition("/")[2]:
            case "subscriptions":
                told = {"value": [one]}
            case "locations":
                told = {"value": [{"name": "westeurope", "displayName": "West Europe"}]}
            case "geoRegions":
                told = {"value": [region]}
            case "functionAppStacks" | "roleAssignments":
                told = {"value": []}
            case "startAccountMigration":
                told = {}
            case "latest":  # of what was uploaded
                told = {"status": 4, "complete": True}
            case "status":  # of the host
                told = {"state": "Running"}
            case "roleDefinitions":
                told = {"value": [{"id": f"{_ROLES}/1", "properties": {"roleName": "a role"}}]}
            case name if "/roleAssignments/" in path and method == "PUT":
                told = {"id": path, "name": name, **body}
        return one if path == SUBSCRIPTION else told

    def _provider(self, _: str, path: str, __: Json) -> Json:
        found = re.fullmatch(rf"{SUBSCRIPTION}/providers/(Microsoft\.\w+)(/register)?", path)
        if found is None:
            return None
        if found[2]:
            self.registered.add(found[1])
        state = "Registered" if found[1] in self.registered else "NotRegistered"
        return {"namespace": found[1], "registrationState": state, "resourceTypes": []}

    def _deployed(self, method: str, path: str, body: Json) -> Json:
        if path == _DEPLOYMENT:
            return {"value": self.shown.deployments}
        if not path.startswith(_DEPLOYMENT):
            return None
        name, _, action = path.removeprefix(_DEPLOYMENT).partition("/")
        if method == "GET":
            return next((one for one in self.shown.deployments if one["name"] == name), None)
        try:
            outputs = _outputs(body["properties"])
        except BicepError as error:
            return {"error": {"code": "InvalidTemplate", "message": str(error)}}
        if action == "whatIf":
            return {"status": "Succeeded", "properties": {"changes": []}}
        told = {
            "id": path,
            "name": name,
            "properties": {
                "provisioningState": "Succeeded",
                "timestamp": "2026-11-29T05:00:00.000000+00:00",
                "parameters": body["properties"]["parameters"],
                "outputs": outputs,
            },
        }
        if not action:
            self.shown.deployments.append(told)
        return told

    def _of_site(self, method: str, path: str, body: Json) -> Json:
        if not path.startswith(f"{self.shown.site}/"):
            return None
        told: Json = None
        match method, path.removeprefix(f"{self.shown.site}/"):
            case "PUT", "config/appsettings":
                self.shown.settings.clear()
                self.shown.settings.update(body["properties"])
                told = body
            case "POST", "host/default/listkeys":
                told = {"masterKey": "a-key", "functionKeys": {"default": "a-key"}}
            case "PUT", keys if keys.startswith("host/default/functionKeys/"):
                told = body
            case "POST", "restart":
                told = {}
        return told

    def _held(self, method: str, path: str, body: Json) -> Json:
        held = {key.casefold(): key for key in self.shown.held}
        key = held.get(path.casefold())
        if key is None:
            found = list(self._listed(path.casefold()))
            return {"value": found} if method == "GET" and found else None
        if method in {"PUT", "PATCH"}:
            self.shown.held[key] |= body
        return {"id": key, **self.shown.held[key]}

    def _listed(self, path: str) -> Iterator[Json]:
        """Return what is of a type, in a group or the subscription."""
        group, _, kind = path.rpartition("/providers/")
        for key, one in self.shown.held.items():
            if one.get("type", "").casefold() == kind and key.casefold().startswith(group):
                properties = {
                    "principalId": f"principal of {one['name']}",
                    **one.get("properties", {}),
                }
                yield {**one, "id": key, "properties": properties}


def _outputs(properties: Json) -> Json:
    """Evaluate the templates that the stand-in for the compiler names. Raise BicepError."""
    given = {name: one["value"] for name, one in (properties.get("parameters") or {}).items()}
    made = deploy(Path(properties["template"]["metadata"]["file"]), given, PLACE)
    return {
        name: {"type": "String", "value": "made-by-azure" if isinstance(value, Unknown) else value}
        for name, value in made.outputs.items()
    }
