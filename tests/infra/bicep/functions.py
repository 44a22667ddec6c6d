"""The functions of Bicep that infra/ uses. Source: "Bicep functions"."""

import hashlib
import json
import uuid
from typing import Any

from tests.infra.bicep.values import Function, Symbol, Unknown, Value, is_known

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
TENANT = "00000000-0000-0000-0000-000000000002"
_CLOUDS = {
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


def environment(cloud: str) -> Value:
    storage, vault, login = _CLOUDS[cloud]
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
    return [{"key": key, "value": value[key]} for key in sorted(value)]


def _hash(*texts: str) -> str:
    return hashlib.sha256("-".join(texts).encode()).hexdigest()[:13]


def _guid(*texts: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "-".join(texts)))


def _string(value: Value) -> str:
    return json.dumps(value, default=_unseen, separators=(",", ":"))


def _unseen(value: Any) -> str:
    return f"<{value.text}>" if isinstance(value, Unknown) else str(value)


def _resource_id(kind: str, *names: str) -> str:
    return f"{SUBSCRIPTION}/resourceGroups/group/providers/{kind}/{'/'.join(names)}"


def _role(kind: str, *names: str) -> str:
    return f"{SUBSCRIPTION}/providers/{kind}/{'/'.join(names)}"


# Where an argument is not known the result is not either, but its type is, and how it reads.
_STRINGS: dict[str, Function] = {
    "format": lambda text, *values: text.format(*values),
    "guid": _guid,
    "replace": lambda text, old, new: text.replace(old, new),
    "resourceId": _resource_id,
    "subscriptionResourceId": _role,
    "toLower": lambda text: text.lower(),
    "uniqueString": _hash,
}
_OTHERS: dict[str, Function] = {
    "concat": lambda *lists: [item for items in lists for item in items],
    "contains": lambda collection, item: item in collection,
    "empty": lambda value: not value,
    "items": _items,
    "string": _string,
    "union": _union,
}
_PLACES: dict[str, Value] = {
    "subscription": {"id": SUBSCRIPTION},
    "tenant": {"tenantId": TENANT},
}


def call(name: str, arguments: list[Value], cloud: str) -> Value:
    """Raises KeyError for a function that infra/ did not use so far."""
    if name == "environment":
        return environment(cloud)
    if name in _PLACES:
        return _PLACES[name]
    values = [value.id if isinstance(value, Symbol) else value for value in arguments]
    if name in _OTHERS:
        known = not any(isinstance(value, Unknown) for value in values)
        return _OTHERS[name](*values) if known else Unknown(f"{name}(…)")
    shown = [value.text if isinstance(value, Unknown) else value for value in values]
    result = _STRINGS[name](*shown)
    return result if is_known(values) else Unknown(result, "string")
