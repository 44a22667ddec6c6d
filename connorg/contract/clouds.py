"""The clouds of Microsoft Graph, and which of them can be partners.

Sources: Microsoft Graph, "National cloud deployments"; Microsoft Entra External ID, "Configure
Microsoft cloud settings for B2B collaboration" (which pairs of clouds there are).
"""

from enum import StrEnum


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
    def partners(self) -> frozenset[str]:
        """Give the `cloudInstance` of each cloud whose tenants can be connected from here."""
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
_INSTANCES = {
    Cloud.GLOBAL: "microsoftonline.com",
    Cloud.US_GOV_L4: "microsoftonline.us",
    Cloud.US_GOV_L5: "microsoftonline.us",
    Cloud.CHINA: "partner.microsoftonline.cn",
}
