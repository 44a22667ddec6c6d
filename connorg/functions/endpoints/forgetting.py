"""The HTTP function that forgets a partner."""

import azure.functions as func

from connorg.contract.identity_sources import (
    DomainName,
    TenantId,
    natural_keys_of_domain,
    natural_keys_of_tenant,
)
from connorg.contract.problems import ProblemError, ProblemKind
from connorg.contract.requests import Reference
from connorg.core.forget import (
    Named,
    Referenced,
    SeveralPartnersError,
    UnderWay,
    forget_partner,
)
from connorg.functions.http.answers import json_answer
from connorg.functions.http.parameters import flag_of, text_of
from connorg.wiring import services

_NAMES = ("domain", "tenantId", "reference")
_KNOWN = {*_NAMES, "dryRun", "code"}  # `code` is the host's key
_MOST_NAMED = 10


async def forget(req: func.HttpRequest) -> func.HttpResponse:
    """POST onboardings/forget?domain=|tenantId=|reference=&dryRun="""
    partner, is_dry = partner_of(req), flag_of(req, "dryRun")
    try:
        answer = await forget_partner(services(), partner, dry_run=is_dry)
    except SeveralPartnersError:
        raise ProblemError(
            ProblemKind.INVALID_PARAMETER,
            "The reference names several partners; nothing was erased.",
            "Forget each by domain or tenantId.",
        ) from None
    if isinstance(answer, UnderWay):
        raise _under_way(answer)
    return json_answer(answer.model_dump(mode="json"), 200)


def partner_of(req: func.HttpRequest) -> Named | Referenced:
    """Return which partner a call is about. Raise ProblemError where it does not say so."""
    # A misspelt dryRun must not erase anything.
    if unknown := sorted(req.params.keys() - _KNOWN):
        raise ProblemError(
            ProblemKind.INVALID_PARAMETER,
            f"There is no parameter {unknown[0]}.",
            f"Send one of {', '.join(_NAMES)}, and dryRun.",
        )
    if len(req.params.keys() & {*_NAMES}) != 1:
        raise ProblemError(
            ProblemKind.INVALID_PARAMETER,
            "The call must name one partner, in one way.",
            f"Send exactly one of {', '.join(_NAMES)}.",
        )
    if domain := text_of(req, "domain", DomainName):
        return Named(domain, natural_keys_of_domain(domain))
    if tenant_id := text_of(req, "tenantId", TenantId):
        return Named(tenant_id, natural_keys_of_tenant(tenant_id))
    if reference := text_of(req, "reference", Reference):
        return Referenced(reference)
    # What names no ticket would be of everybody who named none.
    raise ProblemError(ProblemKind.INVALID_PARAMETER, "reference must name a ticket.")


def _under_way(answer: UnderWay) -> ProblemError:
    more = len(answer.things) - _MOST_NAMED
    named = ", ".join(answer.things[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return ProblemError(
        ProblemKind.PARTNER_UNDER_WAY,
        f"Nothing was erased; under way: {named}.",
        "Wait until they have ended, or cancel them.",
    )
