"""Calls the app by the client that openapi-generator makes for Python. See test_generated.py."""

import json
import sys

import connorg_client as connorg

api, key, reference, created_domain, refused_domain = sys.argv[1:]


def asked(domain: str) -> connorg.OnboardingRequest:
    source = connorg.DomainIdentitySource.from_dict(
        {"@odata.type": "#microsoft.graph.domainIdentitySource", "domainName": domain}
    )
    return connorg.OnboardingRequest(
        displayName="Contoso",
        description="A partner",
        identitySources=[connorg.IdentitySource(source)],
        state=connorg.State.CONFIGURED,
        reference=reference,
    )


configuration = connorg.Configuration(host=api, api_key={"functionKey": key})
with connorg.ApiClient(configuration) as client:
    organizations, onboardings = connorg.OrganizationsApi(client), connorg.OnboardingsApi(client)
    try:
        organizations.submit_organization(asked(refused_domain))
        raise AssertionError("it was not refused")
    except connorg.ApiException as error:
        problem = error.data
    assert isinstance(problem, connorg.Problem), problem
    assert problem.onboarding_id is not None
    retried = onboardings.replay_onboarding(problem.onboarding_id)
    created = organizations.submit_organization(asked(created_domain))
    page = onboardings.list_onboardings(reference=reference, top=10)

assert isinstance(retried, connorg.Onboarding)
assert isinstance(created, connorg.Onboarding)
told = {
    "refused": [problem.status, problem.code],
    "retried": retried.id == problem.onboarding_id,
    "created": [created.status, created.conclusion],
    "listed": sorted(
        one.request.identity_sources[0].actual_instance.domain_name for one in page.value
    ),
}
sys.stdout.write(f"{json.dumps(told)}\n")
