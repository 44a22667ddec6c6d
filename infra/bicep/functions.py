"""The functions of Bicep that infra/ uses. Source: "Bicep functions"."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from infra.bicep.hashes import guid, unique_string
from infra.bicep.values import Function, Symbol, Unknown, Value, expression, is_known

CLOUDS = {
    "AzureCloud": ("core.windows.net", ".vault.azure.net", "https://login.microsoftonline.com/"),
    "AzureUSGovernment": (
        "core.usgovcloudapi.net",
        ".vault.usgovcloudapi.net",
        "https://login.microsoftonline.us/",
    ),
    "AzureChinaCloud": (
        "core.chinacloudapi.cn",
        ".vault.azure.cn",
        "https://login.partner.microsoftonline.cn/",
    ),
}


@dataclass(frozen=True)
class Place:
    """Where a template is deployed. `cloud`: None where that is not known, as in a snapshot."""

    cloud: str | None = "AzureCloud"
    group: str | None = None
    """The resource group; None: the subscription itself."""
    subscription_id: str = "99999999-0000-0000-0000-000000000002"
    tenant_id: str = "99999999-0000-0000-0000-000000000001"

    @property
    def subscription(self) -> str:
        return f"/subscriptions/{self.subscription_id}"

    @property
    def id(self) -> str:
        return (
            f"{self.subscription}/resourceGroups/{self.group}" if self.group else self.subscription
        )

    def resource_id(self, kind: str, *names: Value) -> Value:
        """Return the id of what is deployed here; `names`: its parents' first."""
        if not is_known(names):
            words = [self.subscription_id, *filter(None, [self.group]), kind, *names]
            return Unknown(f"resourceId({', '.join(map(expression, words))})", "string")
        provider, *kinds = kind.split("/")
        pairs = [word for pair in zip(kinds, names, strict=True) for word in pair]
        return f"{self.id}/providers/{'/'.join([provider, *pairs])}"


def environment(cloud: str | None) -> Value:
    if cloud is None:
        return Unknown("environment()")
    storage, vault, login = CLOUDS[cloud]
    return {
        "name": cloud,
        "suffixes": {"storage": storage, "keyvaultDns": vault},
        "authentication": {"loginEndpoint": login},
    }


def _union(*values: Value) -> Value:
    if all(isinstance(value, list) for value in values):
        merged = [item for value in values for item in value]
        return [item for i, item in enumerate(merged) if item not in merged[:i]]
    return {key: item for value in values for key, item in value.items()}


def _items(value: dict[str, Value]) -> Value:
    """In the order that the real engine has: upper and lower case are alike, `_` comes last."""
    return [{"key": key, "value": value[key]} for key in sorted(value, key=str.upper)]


def _string(value: Value) -> str:
    return json.dumps(value, default=_unseen, separators=(",", ":"), ensure_ascii=False)


def _unseen(value: Any) -> str:
    return f"<{value.text}>" if isinstance(value, Unknown) else str(value)


# Where an argument is not known the result is not either, but its type is.
_STRINGS: dict[str, Function] = {
    "format": lambda text, *values: text.format(*values),
    "guid": guid,
    "replace": lambda text, old, new: text.replace(old, new),
    "toLower": lambda text: text.lower(),
    "uniqueString": unique_string,
}
_OTHERS: dict[str, Function] = {
    "concat": lambda *lists: [item for items in lists for item in items],
    "contains": lambda collection, item: item in collection,
    "empty": lambda value: not value,
    "items": _items,
    "string": _string,
    "union": _union,
}
_PLACES: dict[str, Callable[[Place], Value]] = {
    "environment": lambda place: environment(place.cloud),
    "subscription": lambda place: {"id": place.subscription},
    "tenant": lambda place: {"tenantId": place.tenant_id},
}


def call(name: str, arguments: list[Value], place: Place) -> Value:
    """Raise KeyError for a function that infra/ did not use so far."""
    if name in _PLACES:
        return _PLACES[name](place)
    values = [value.id if isinstance(value, Symbol) else value for value in arguments]
    if name == "resourceId":
        return place.resource_id(*values)
    if name == "subscriptionResourceId":
        return replace(place, group=None).resource_id(*values)
    written = f"{name}({', '.join(map(expression, values))})"
    if name in _OTHERS:
        known = not any(isinstance(value, Unknown) for value in values)
        return _OTHERS[name](*values) if known else Unknown(written)
    return _STRINGS[name](*values) if is_known(values) else Unknown(written, "string")
