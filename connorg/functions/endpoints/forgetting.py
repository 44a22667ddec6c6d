"""The HTTP function that forgets a partner."""

import azure.functions as func

from connorg.contract.identity_sources import (
    DomainName,
    TenantId,
    natural_keys_of_domain,
    natural_keys_of_tenant,
)
from connorg.contract.problems import ProblemError, ProblemKind
from connorg.core.forget import (
    Named,
    Referenced,
    SeveralPartnersError,
    UnderWay,
    forget_partner,
)
from connorg.functions.http.answers import json_answer
from connorg.functions.http.parameters import DRY_RUN, reference, refused, takes, typed
from connorg.wiring import services

_MOST_NAMED = 10
DOMAIN = typed(
    "domain",
    "The partner's domain.",
    DomainName,
    {"type": "string", "minLength": 1, "maxLength": 1024},
)
TENANT = typed("tenantId", "The partner's tenant.", TenantId, {"type": "string", "format": "uuid"})
REFERENCE = reference("A ticket about this partner only.")


@takes(DOMAIN, TENANT, REFERENCE, DRY_RUN)
async def forget(req: func.HttpRequest) -> func.HttpResponse:
    """POST onboardings/forget, by one name of a partner"""
    partner, is_dry = partner_of(req), DRY_RUN.of(req)
    try:
        answer = await forget_partner(services(), partner, dry_run=is_dry)
    except SeveralPartnersError:
        raise refused(
            "The reference names several partners; nothing was erased.",
            "Forget each by domain or tenantId.",
        ) from None
    if isinstance(answer, UnderWay):
        raise _under_way(answer)
    return json_answer(answer.model_dump(mode="json"), 200)


def partner_of(req: func.HttpRequest) -> Named | Referenced:
    """Return which partner a call is about. Raise ProblemError where it does not say so."""
    match DOMAIN.of(req), TENANT.of(req), REFERENCE.of(req):
        case str(domain), None, None:
            return Named(domain, natural_keys_of_domain(domain))
        case None, str(tenant_id), None:
            return Named(tenant_id, natural_keys_of_tenant(tenant_id))
        case None, None, str(ticket):
            return Referenced(ticket)
    raise refused(
        "The call must name one partner, in one way.",
        f"Send exactly one of {DOMAIN.name}, {TENANT.name}, {REFERENCE.name}.",
    )


def _under_way(answer: UnderWay) -> ProblemError:
    more = len(answer.things) - _MOST_NAMED
    named = ", ".join(answer.things[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return ProblemError(
        ProblemKind.PARTNER_UNDER_WAY,
        f"Nothing was erased; under way: {named}.",
        "Wait until they have ended, or cancel them.",
    )
