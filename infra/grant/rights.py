"""What can be granted to an identity, and who may grant it.

Sources: Microsoft Graph, "Grant an appRoleAssignment to a service principal" and "Create
unifiedRoleAssignment"; Microsoft Entra, "Microsoft Entra built-in roles" (the template's id).
"""

from collections.abc import Mapping
from dataclasses import dataclass

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"


@dataclass(frozen=True)
class AppRole:
    """An application permission, by its value: the ids of app roles differ between clouds."""

    value: str
    resource: str
    """The appId of the app that defines it."""
    does: str

    @property
    def name(self) -> str:
        return f"app role {self.value}"

    @property
    def giver(self) -> str:
        """The least Entra role that may give it."""
        of_graph = self.resource == GRAPH_APP_ID
        return "Privileged Role Administrator" if of_graph else "Cloud Application Administrator"


@dataclass(frozen=True)
class DirectoryRole:
    title: str
    template_id: str
    does: str
    giver: str = "Privileged Role Administrator"

    @property
    def name(self) -> str:
        return f"directory role {self.title}"


type Right = AppRole | DirectoryRole

GOVERNANCE = DirectoryRole(
    "Identity Governance Administrator",
    "45d8d3c5-c802-45c6-b32a-1d70b5e1e86e",
    "lets it create, change and delete connected organizations (and the rest of entitlement"
    " management)",
)
WRITE = AppRole(
    "EntitlementManagement.ReadWrite.All",
    GRAPH_APP_ID,
    "lets it create, change and delete connected organizations (and the rest of entitlement"
    " management)",
)
LOOKUP = AppRole(
    "CrossTenantInformation.ReadBasic.All",
    GRAPH_APP_ID,
    "lets it read the id, name and default domain of other tenants",
)
WAYS: Mapping[str, Right] = {"directory-role": GOVERNANCE, "app-role": WRITE}
CALLER_ROLES = {
    "Onboarding.Submit": "lets it onboard organizations",
    "Onboarding.Read": "lets it read onboardings and connected organizations",
    "Onboarding.Manage": "lets it change organizations, replay and cancel",
    "Onboarding.Delete": "lets it delete connected organizations",
}
