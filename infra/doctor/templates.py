"""What Azure has of the app beside what the templates say, as whoever is signed in may read it.

The templates are evaluated with the parameters of the last deployment, which Azure keeps. Of an app
setting that they leave to Azure (an address, a client id) only that it is there is compared.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.bicep.deploying import Deployment, Resource, deploy
from infra.bicep.functions import CLOUDS, Place
from infra.bicep.syntax import BicepError, read
from infra.bicep.values import Unknown, is_known
from infra.doctor.azure_cli import AzureCli, AzureCliError, MissingError
from infra.doctor.findings import Finding, note, ok

_ROOT = Path(__file__).parents[2]
_MAIN = _ROOT / "infra/main.bicep"
_SITE = "Microsoft.Web/sites"
# What decides how the app behaves, and who reaches it and what it keeps.
_COMPARED = (
    "Microsoft.KeyVault/vaults",
    "Microsoft.Storage/storageAccounts",
    "Microsoft.Web/serverfarms",
    _SITE,
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
    "Microsoft.Web/sites/config",
)
# App settings by which the host lets host.json be overridden, or switches a function off.
_OF_HOST_JSON = "AzureFunctionsJobHost__"
_SWITCHED_OFF = re.compile(r"AzureWebJobs\.(\w+)\.Disabled")
_VAULT = "@Microsoft.KeyVault("
_SECRETIVE = re.compile(r"secret|password|token|key|connection|sig=", re.IGNORECASE)

_SIGN_IN = (
    "az login as somebody who is Reader of the subscription, whose deployments are read, and may"
    " list the app's settings (Website Contributor); name the subscription with --subscription."
)
_DEPLOY = "azd provision deploys what the templates say."
_CHANGE = (
    f"{_DEPLOY} If it differs on purpose, let a parameter say so (docs/deploy.md, Parameters): the"
    " next deployment takes back what was changed by hand."
)
_KEEP = (
    "The next deployment takes it away. If it is there on purpose, name it in the parameter"
    " settings (docs/deploy.md, Parameters)."
)


@dataclass(frozen=True)
class _Difference:
    place: str
    wanted: Any
    found: Any

    def __str__(self) -> str:
        if _hides(self.place, self.wanted) or _hides(self.place, self.found):
            return "Azure has another value than the templates say. Values like this are not shown."
        return f"Azure has {_shown(self.found)}; the templates say {_shown(self.wanted)}."


async def examine(group: str, azure: AzureCli) -> AsyncIterator[Finding]:
    """Compare what the resource group has."""
    told = 0
    try:
        async for finding in _compared(await _last_deployment(group, azure), azure):
            told += 1
            yield finding
    except (AzureCliError, BicepError) as error:
        yield note("templates", f"Not compared, or not to the end. {error}", _SIGN_IN)
        return
    if not told:
        yield ok("templates", "App settings, plan, storage and vault are as the templates say.")


async def _last_deployment(group: str, azure: AzureCli) -> Deployment:
    """Return what the templates make of the parameters that were deployed last."""
    account = await azure.ask("account", "show")
    kept = await azure.ask("deployment", "sub", "list")
    of_group = [one["properties"] for one in kept if _made(one["properties"], group)]
    if not of_group:
        raise AzureCliError(f"Azure keeps no deployment of main.bicep that made {group}.")
    last = max(of_group, key=lambda one: str(one["timestamp"]))
    known = read(_MAIN).parameters
    given = {
        name: parameter["value"]
        for name, parameter in (last["parameters"] or {}).items()
        if name in known and "value" in parameter
    }
    cloud = account["environmentName"]
    place = Place(
        cloud if cloud in CLOUDS else None,
        subscription_id=account["id"],
        tenant_id=account["tenantId"],
    )
    return deploy(_MAIN, given, place)


def _made(deployment: Mapping[str, Any], group: str) -> bool:
    """Azure Resource Manager changes the case of what outputs are called."""
    outputs = {
        name.casefold(): output["value"] for name, output in (deployment["outputs"] or {}).items()
    }
    is_made = deployment["provisioningState"] == "Succeeded"
    return is_made and str(outputs.get("azure_resource_group")).casefold() == group.casefold()


async def _compared(wanted: Deployment, azure: AzureCli) -> AsyncIterator[Finding]:
    for resource in wanted.resources:
        if resource.existing or resource.type_name not in _COMPARED:
            continue
        try:
            found = await azure.read(_address(resource))
        except MissingError:
            yield note(_check(resource), "Azure has no such resource.", _DEPLOY)
            continue
        said = {key: resource.body[key] for key in ("sku", "properties") if key in resource.body}
        for difference in _differences(said, found, ""):
            yield note(f"{_check(resource)} {difference.place}", str(difference), _CHANGE)
        if resource.type_name == _SITE:
            async for finding in _of_site(resource, azure):
                yield finding


def _check(resource: Resource) -> str:
    return f"templates: {str(resource.id).rpartition('/providers/')[2]}"


def _address(resource: Resource, beneath: str = "") -> str:
    return f"{resource.id}{beneath}?api-version={resource.kind.partition('@')[2]}"


async def _of_site(site: Resource, azure: AzureCli) -> AsyncIterator[Finding]:
    """Compare what Azure keeps apart from the site itself."""
    said = dict(site.properties["siteConfig"])
    wanted = {setting["name"]: setting["value"] for setting in said.pop("appSettings")}
    config = await azure.read(_address(site, "/config/web"))
    for difference in _differences(said, config["properties"], ""):
        yield note(f"{_check(site)} {difference.place}", str(difference), _CHANGE)
    found = await azure.read(_address(site, "/config/appsettings/list"), "post")
    for finding in settings_compared(wanted, found["properties"]):
        yield finding


def settings_compared(wanted: Mapping[str, Any], found: Mapping[str, str]) -> Iterator[Finding]:
    for name in sorted(wanted.keys() - found.keys()):
        text = "The templates set it; the app does not have it."
        yield note(f"templates: setting {name}", text, _DEPLOY)
    for name in sorted(found.keys() - wanted.keys()):
        yield note(f"templates: setting {name}", _by_hand(name), _KEEP)
    for name in sorted(wanted.keys() & found.keys()):
        if differs := _setting_differs(name, wanted[name], found[name]):
            yield note(f"templates: setting {name}", differs, _CHANGE)


def _setting_differs(name: str, wanted: Any, found: str) -> str | None:
    if isinstance(wanted, Unknown):
        if _VAULT in wanted.text and not found.startswith(_VAULT):
            return "The templates say a reference to the vault; Azure has something else."
        return "The templates fill it; in Azure it is blank." if not found else None
    if wanted == found:
        return None
    parts = [_object(text) for text in (wanted, found)]
    if any(parts):  # JSON: what it says of each name may hold what is not to be shown
        names = [n for n in {**parts[0], **parts[1]} if parts[0].get(n) != parts[1].get(n)]
        return f"Azure has another value than the templates say for {', '.join(names)}."
    return str(_Difference(name, wanted, found))


def _object(text: str) -> dict[str, Any]:
    """Return the object that a text is as JSON, or an empty one."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _by_hand(name: str) -> str:
    told = "The app has it; the templates do not set it."
    if off := _SWITCHED_OFF.fullmatch(name):
        return f"{told} It can switch the function {off[1]} off."
    if name.startswith(_OF_HOST_JSON):
        path = name.removeprefix(_OF_HOST_JSON).split("__")
        return f"{told} It overrides host.json, which says {_shown(_at(path))} there."
    return told


def _at(path: list[str]) -> Any:
    value = json.loads((_ROOT / "host.json").read_text())
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _differences(wanted: Any, found: Any, place: str) -> Iterator[_Difference]:
    """Return what Azure shows otherwise than it is said. What it does not show is passed over."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name, value in wanted.items():
            if is_known(name) and name in found and name != "siteConfig":
                yield from _differences(value, found[name], f"{place}.{name}".lstrip("."))
    elif wanted is not None and is_known(wanted) and not _alike(wanted, found):
        yield _Difference(place, wanted, found)


def _alike(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, str) and isinstance(found, str):
        return wanted.casefold() == found.casefold()
    if isinstance(wanted, list) and isinstance(found, list):
        pairs = all(any(_alike(one, other) for other in found) for one in wanted)
        return pairs and len(wanted) == len(found)
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(_alike(value, found.get(name)) for name, value in wanted.items())
    return bool(wanted == found or (not wanted and found is None))


def _hides(place: str, value: Any) -> bool:
    """Whether a value may be a secret: by its place, or by what it says."""
    told = f"{place} {value}"
    return not isinstance(value, bool | int) and _SECRETIVE.search(told) is not None


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
