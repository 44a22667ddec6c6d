"""A call to forget names one partner, in one way; else nothing is erased."""

import azure.functions as func
import pytest

from connorg.contract.problems import ProblemError
from connorg.core.forget import Named, Referenced
from connorg.functions.endpoints.forgetting import partner_of
from tests.unit.partners import CONTOSO_TENANT


def call(parameters: dict[str, str]) -> func.HttpRequest:
    address = "https://app.example/api/onboardings/forget"
    return func.HttpRequest("POST", address, params=parameters, body=b"")


def test_a_partner_is_named_by_domain_tenant_or_ticket() -> None:
    of_domain = partner_of(call({"domain": "Contoso.COM", "dryRun": "true", "code": "key"}))
    assert of_domain == Named("contoso.com", ("domain:contoso.com", "federation:contoso.com"))
    of_tenant = partner_of(call({"tenantId": CONTOSO_TENANT.upper()}))
    assert of_tenant == Named(
        CONTOSO_TENANT,
        (
            f"tenant:{CONTOSO_TENANT}",
            f"crosscloud:microsoftonline.com:{CONTOSO_TENANT}",
            f"crosscloud:microsoftonline.us:{CONTOSO_TENANT}",
            f"crosscloud:partner.microsoftonline.cn:{CONTOSO_TENANT}",
        ),
    )
    assert partner_of(call({"reference": " REQ1 "})) == Referenced("REQ1")


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
        {"domain": "contoso.com", "dryrun": "true"},
        {"domain": "contoso.com", "dry_run": "true"},
        {"domain": "contoso.com", "Reference": "REQ1"},
        {"text": "contoso"},
    ],
    ids=str,
)
def test_a_call_must_name_one_partner(parameters: dict[str, str]) -> None:
    with pytest.raises(ProblemError) as refused:
        partner_of(call(parameters))
    assert refused.value.problem.code == "InvalidParameter"
