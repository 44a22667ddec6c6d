"""The clouds of Microsoft Graph, and which of them can be partners.

Sources: Microsoft Graph, "National cloud deployments"; Microsoft Entra External ID, "Configure
Microsoft cloud settings for B2B collaboration" (which pairs of clouds there are).
"""

from enum import StrEnum
from urllib.parse import urlsplit

_OWN_MACHINE = {"127.0.0.1", "localhost"}


def https_address(url: str) -> str:
    """Return the address of a service that is sent tokens, without a slash at its end.

    Raise ValueError: it would go nowhere, unencrypted, or to another place than it seems.
    """
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _OWN_MACHINE)
    if not (is_safe and parts.hostname) or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("must be an https address such as https://graph.microsoft.com")
    return url.rstrip("/")


class Cloud(StrEnum):
    GLOBAL = "global"
    US_GOV_L4 = "usgov-l4"
    US_GOV_L5 = "usgov-l5"
    CHINA = "china"

    @property
    def graph_root(self) -> str:
        """The root of Graph's addresses, and of the scope of its tokens."""
        return _ROOTS[self]

    @property
    def instance(self) -> str:
        """What `cloudInstance` calls this cloud in an identity source of another one."""
        return _INSTANCES[self]

    @property
    def sign_in(self) -> str:
        """Return the address of Entra, where tenants have their keys."""
        return _SIGN_IN[self]

    def issuers(self, tenant: str) -> tuple[str, str]:
        """Return the issuers of the tenant's tokens, of version 1.0 and of 2.0."""
        return f"{_ISSUERS[self]}/{tenant}/", f"{_SIGN_IN[self]}/{tenant}/v2.0"

    @property
    def partners(self) -> frozenset[str]:
        """Return the `cloudInstance` of each cloud whose tenants can be connected from here."""
        commercial = _INSTANCES[Cloud.GLOBAL]
        return (
            frozenset(_INSTANCES.values()) - {commercial}
            if self is Cloud.GLOBAL
            else frozenset({commercial})
        )


_ROOTS = {
    Cloud.GLOBAL: "https://graph.microsoft.com",
    Cloud.US_GOV_L4: "https://graph.microsoft.us",
    Cloud.US_GOV_L5: "https://dod-graph.microsoft.us",
    Cloud.CHINA: "https://microsoftgraph.chinacloudapi.cn",
}
_SIGN_IN = {
    Cloud.GLOBAL: "https://login.microsoftonline.com",
    Cloud.US_GOV_L4: "https://login.microsoftonline.us",
    Cloud.US_GOV_L5: "https://login.microsoftonline.us",
    Cloud.CHINA: "https://login.partner.microsoftonline.cn",
}
_ISSUERS = {
    Cloud.GLOBAL: "https://sts.windows.net",
    Cloud.US_GOV_L4: "https://sts.windows.net",
    Cloud.US_GOV_L5: "https://sts.windows.net",
    Cloud.CHINA: "https://sts.chinacloudapi.cn",
}
_INSTANCES = {
    Cloud.GLOBAL: "microsoftonline.com",
    Cloud.US_GOV_L4: "microsoftonline.us",
    Cloud.US_GOV_L5: "microsoftonline.us",
    Cloud.CHINA: "partner.microsoftonline.cn",
}
