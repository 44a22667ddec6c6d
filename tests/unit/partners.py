"""Requests as tests need them."""

from typing import Any

from connorg.contract.requests import OnboardingRequest

CONTOSO_TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"


def domain_source(domain: str = "contoso.com") -> dict[str, Any]:
    return {"@odata.type": "#microsoft.graph.domainIdentitySource", "domainName": domain}


def tenant_source(tenant_id: str = CONTOSO_TENANT) -> dict[str, Any]:
    return {"@odata.type": "#microsoft.graph.azureActiveDirectoryTenant", "tenantId": tenant_id}


def body(source: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "displayName": "Contoso",
        "description": "A partner",
        "identitySources": [source or domain_source()],
        "state": "configured",
        **changes,
    }


def request(source: dict[str, Any] | None = None, **changes: Any) -> OnboardingRequest:
    return OnboardingRequest.model_validate(body(source, **changes))
