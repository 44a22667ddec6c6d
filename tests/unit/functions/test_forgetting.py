"""A call to forget names one partner, in one way; else nothing is erased."""

import pytest

from connorg.contract.problems import ProblemError
from connorg.core.forget import Named, Referenced
from connorg.functions.endpoints.forgetting import partner_of
from tests.unit.functions.requests import http_request
from tests.unit.partners import CONTOSO_TENANT


def test_a_partner_is_named_by_domain_tenant_or_ticket() -> None:
    def named(**parameters: str) -> object:
        return partner_of(http_request("POST", "onboardings/forget", parameters))

    of_domain = named(domain="Contoso.COM", dryRun="true", code="key")
    assert of_domain == Named("contoso.com", ("domain:contoso.com", "federation:contoso.com"))
    of_tenant = named(tenantId=CONTOSO_TENANT.upper())
    assert of_tenant == Named(
        CONTOSO_TENANT,
        (
            f"tenant:{CONTOSO_TENANT}",
            f"crosscloud:microsoftonline.com:{CONTOSO_TENANT}",
            f"crosscloud:microsoftonline.us:{CONTOSO_TENANT}",
            f"crosscloud:partner.microsoftonline.cn:{CONTOSO_TENANT}",
        ),
    )
    assert named(Reference=" REQ1 ") == Referenced("REQ1")


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"dryRun": "true"},
        {"domain": "contoso.com", "reference": "REQ1"},
        {"domain": "contoso.com", "tenantId": CONTOSO_TENANT},
        {"domain": ""},
        {"domain": "contoso"},
        {"tenantId": ""},
        {"tenantId": "contoso.com"},
        {"reference": ""},
        {"reference": " "},
        {"domain": "contoso.com", "Reference": "REQ1"},
        {"reference": "n/a"},
    ],
    ids=str,
)
def test_a_call_must_name_one_partner(parameters: dict[str, str]) -> None:
    with pytest.raises(ProblemError) as refused:
        partner_of(http_request("POST", "onboardings/forget", parameters))
    assert refused.value.problem.code == "InvalidParameter"
