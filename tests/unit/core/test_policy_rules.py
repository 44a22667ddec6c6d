"""What may be connected: rule by rule, and what becomes known only with the tenant."""

from typing import Any

import pytest

from connorg.contract.clouds import Cloud
from connorg.contract.organization import Tenant
from connorg.core.policy.rules import PERSONAL_ACCOUNTS, Policy
from connorg.core.policy.ways_in import WaysIn
from tests.unit.partners import CONTOSO_TENANT, domain_source, request, tenant_source

HOME = "11111111-1111-4111-8111-111111111111"
CONTOSO = Tenant(tenant_id=CONTOSO_TENANT, default_domain_name="contoso.onmicrosoft.com")


def rules(
    policy: Policy,
    partner: dict[str, Any],
    *,
    source: str = "http",
    tenant: Tenant | None = None,
    state: str = "configured",
) -> set[str | None]:
    """The rules that stand against a request, with all that is known of it."""
    refusal = policy.refusal(request(partner, state=state), source, tenant)
    return {fault.rule for fault in refusal.faults} if refusal else set()


def early_rules(policy: Policy, partner: dict[str, Any]) -> set[str | None]:
    refusal = policy.early_refusal(request(partner), "http")
    return {fault.rule for fault in refusal.faults} if refusal else set()


def of(*entries: str) -> frozenset[str]:
    return frozenset(entries)


def cross_cloud(instance: str) -> dict[str, Any]:
    return {
        "@odata.type": "#microsoft.graph.crossCloudAzureActiveDirectoryTenant",
        "tenantId": CONTOSO_TENANT,
        "cloudInstance": instance,
    }


def test_without_settings_a_partner_is_welcome() -> None:
    assert rules(Policy(), domain_source(), tenant=CONTOSO) == set()
    assert rules(Policy(), tenant_source()) == set()


@pytest.mark.parametrize("domain", ["gmail.com", "outlook.com", "yahoo.co.uk", "qq.com", "gmx.de"])
def test_a_public_mail_domain_is_refused_unless_allowed(domain: str) -> None:
    partner = domain_source(domain)
    assert rules(Policy(), partner) == early_rules(Policy(), partner) == {"publicMail"}
    assert rules(Policy(public_mail=True), partner) == set()
    assert rules(Policy(allowed=of(domain)), partner) == set()


def test_a_domain_below_a_public_mail_domain_is_somebodys_own() -> None:
    assert rules(Policy(), domain_source("partner.gmail.com")) == set()


@pytest.mark.parametrize("entry", ["contoso.com", CONTOSO_TENANT, "contoso.onmicrosoft.com"])
def test_who_is_denied_is_known_by_domain_tenant_and_default_domain(entry: str) -> None:
    policy = Policy(denied=of(entry))
    assert rules(policy, domain_source("contoso.com"), tenant=CONTOSO) == {"denied"}
    assert rules(policy, domain_source("fabrikam.com")) == set()


def test_an_entry_with_a_star_means_all_below_and_not_the_domain_itself() -> None:
    policy = Policy(denied=of("*.contoso.com"))
    assert rules(policy, domain_source("a.b.contoso.com")) == {"denied"}
    assert rules(policy, domain_source("contoso.com")) == set()
    assert rules(policy, domain_source("notcontoso.com")) == set()


def test_where_some_are_allowed_all_others_are_refused() -> None:
    policy = Policy(allowed=of("contoso.com"))
    assert rules(policy, domain_source("contoso.com")) == set()
    assert rules(policy, domain_source("fabrikam.com")) == {"notAllowed"}


def test_who_is_allowed_by_tenant_is_refused_only_when_the_tenant_is_known() -> None:
    policy = Policy(allowed=of(CONTOSO_TENANT))
    assert early_rules(policy, domain_source("contoso.com")) == set()
    assert rules(policy, domain_source("contoso.com"), tenant=CONTOSO) == set()
    assert rules(policy, domain_source("contoso.com")) == {"notAllowed"}


def test_denied_beats_allowed() -> None:
    policy = Policy(allowed=of("contoso.com"), denied=of(CONTOSO_TENANT))
    assert rules(policy, domain_source("contoso.com"), tenant=CONTOSO) == {"denied"}


@pytest.mark.parametrize(
    ("tenant_id", "rule"), [(HOME, "homeTenant"), (PERSONAL_ACCOUNTS, "personalAccounts")]
)
def test_tenants_that_are_no_partner_are_refused_by_any_name(tenant_id: str, rule: str) -> None:
    policy = Policy(home_tenant=HOME)
    assert early_rules(policy, tenant_source(tenant_id)) == {rule}
    tenant = Tenant(tenant_id=tenant_id.upper())
    assert rules(policy, domain_source(), tenant=tenant) == {rule}


@pytest.mark.parametrize(
    ("cloud", "reachable"),
    [
        (Cloud.GLOBAL, {"microsoftonline.us", "partner.microsoftonline.cn"}),
        (Cloud.US_GOV_L4, {"microsoftonline.com"}),
        (Cloud.US_GOV_L5, {"microsoftonline.com"}),
        (Cloud.CHINA, {"microsoftonline.com"}),
    ],
)
def test_a_cloud_reaches_the_clouds_that_it_is_paired_with(
    cloud: Cloud, reachable: set[str]
) -> None:
    instances = ("microsoftonline.com", "microsoftonline.us", "partner.microsoftonline.cn")
    policy = Policy(cloud=cloud)
    assert {i for i in instances if early_rules(policy, cross_cloud(i)) == set()} == reachable


def test_a_tenant_of_the_own_cloud_is_told_which_type_to_use() -> None:
    refusal = Policy().early_refusal(request(cross_cloud("microsoftonline.com")), "http")
    assert refusal is not None
    assert "azureActiveDirectoryTenant" in refusal.faults[0].detail


def test_some_sources_may_only_propose() -> None:
    policy = Policy(ways_in=WaysIn(proposed_only=("queue", "webhook:*")))
    for source, allowed in (("queue", False), ("webhook:jira", False), ("http", True)):
        expected = set() if allowed else {"proposedOnly"}
        assert rules(policy, domain_source(), source=source) == expected
        assert rules(policy, domain_source(), source=source, state="proposed") == set()


def test_a_refusal_names_every_rule_with_a_sentence_and_a_place() -> None:
    policy = Policy(denied=of("gmail.com"), ways_in=WaysIn(("http",)))
    refusal = policy.refusal(request(domain_source("gmail.com")), "http")
    assert refusal is not None
    assert [(fault.rule, fault.pointer) for fault in refusal.faults] == [
        ("denied", "/identitySources/0"),
        ("publicMail", "/identitySources/0"),
        ("proposedOnly", "/state"),
    ]
    assert all(fault.detail.endswith(".") for fault in refusal.faults)
    assert "denied, publicMail, proposedOnly" in refusal.error.message
