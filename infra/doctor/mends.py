"""Commands that mend what the app says is wrong with it. In capitals: what only you know."""

GRANT = "python -m infra.grant --principal-id PRINCIPAL_ID"
AUTHENTICATION = (
    "Turn App Service authentication on, which takes that header away:"
    " az resource update --ids APP_ID/config/authsettingsV2 --api-version 2025-03-01"
    " --set properties.platform.enabled=true. Until then set CONNORG_REQUIRE_ENTRA=false."
)
_SETTINGS = (
    "az functionapp config appsettings set --resource-group GROUP --name APP --settings NAME=VALUE"
)
_STORAGE = (
    "az role assignment create --assignee-object-id PRINCIPAL_ID"
    " --assignee-principal-type ServicePrincipal --scope STORAGE_ACCOUNT_ID --role"
)
_QUEUE_ROLE = f"{_STORAGE} 'Storage Queue Data Contributor'"
_TABLE_ROLE = f"{_STORAGE} 'Storage Table Data Contributor'"
CHECKS = {
    "graph": GRANT,
    "graphAnswer": GRANT,
    "permission": GRANT,
    "tenantLookup": GRANT,
    "tenantLookupPermission": GRANT,
    "identity": "az functionapp identity assign --resource-group GROUP --name APP"
    " --identities IDENTITY_ID",
    "ledger": _TABLE_ROLE,
    "queue": _QUEUE_ROLE,
    "callbackSecret": _SETTINGS,
    "resultSecret": _SETTINGS,
    "webhooks": _SETTINGS,
    "webhook": _SETTINGS,
}


def mend_of(check: str, status: str, action: str) -> str:
    """Put the command to what the app itself says is to be done."""
    kind, _, name = check.partition(" ")
    if status == "missing" and name:
        made = f"az storage {kind} create --name {name} --account-name ACCOUNT --auth-mode login"
        return f"{action} {made}"
    command = _TABLE_ROLE if kind == "table" else CHECKS.get(kind, "")
    if command == GRANT and not action.startswith("Grant"):
        command = ""  # a licence, say: no command buys one
    return f"{action} {command}".strip()
