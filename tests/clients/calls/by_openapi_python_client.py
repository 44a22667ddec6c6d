"""Calls the app by the client that openapi-python-client makes. See test_generated.py."""

import json
import sys

from connorg_attrs import AuthenticatedClient
from connorg_attrs.api.onboardings import list_onboardings, replay_onboarding
from connorg_attrs.api.organizations import submit_organization
from connorg_attrs.models import (
    DomainIdentitySource,
    Onboarding,
    OnboardingPage,
    OnboardingRequest,
    Problem,
    State,
)

api, key, reference, created_domain, refused_domain = sys.argv[1:]


def asked(domain: str) -> OnboardingRequest:
    return OnboardingRequest(
        display_name="Contoso",
        description="A partner",
        identity_sources=[
            DomainIdentitySource(
                odata_type="#microsoft.graph.domainIdentitySource", domain_name=domain
            )
        ],
        state=State.CONFIGURED,
        reference=reference,
    )


client = AuthenticatedClient(
    base_url=api, token=key, prefix="", auth_header_name="x-functions-key", timeout=60
)
with client:
    problem = submit_organization.sync(client=client, body=asked(refused_domain))
    assert isinstance(problem, Problem), problem
    assert isinstance(problem.onboarding_id, str)
    retried = replay_onboarding.sync(client=client, id=problem.onboarding_id)
    created = submit_organization.sync(client=client, body=asked(created_domain))
    page = list_onboardings.sync(client=client, reference=reference, top=10)

assert isinstance(retried, Onboarding), retried
assert isinstance(created, Onboarding), created
assert isinstance(page, OnboardingPage), page
told = {
    "refused": [problem.status, problem.code],
    "retried": retried.id == problem.onboarding_id,
    "created": [created.status, created.conclusion],
    "listed": sorted(one.request.identity_sources[0].domain_name for one in page.value),
}
sys.stdout.write(f"{json.dumps(told)}\n")
