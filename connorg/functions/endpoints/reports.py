"""The HTTP functions of reports: each lists organizations of the whole tenant, in one answer."""

from collections.abc import Sequence

import azure.functions as func

from connorg.contract.organization import ConnectedOrganization, SponsoredOrganization
from connorg.contract.sponsors import SponsorKind
from connorg.core.reports import proposed_since, unrequested, without_sponsors
from connorg.functions.endpoints.organizations import COLUMNS, csv_row
from connorg.functions.http.answers import json_answer
from connorg.functions.http.csv_answers import csv_answer, wants_csv
from connorg.functions.http.onboarding_filters import OLDER_THAN, moment_ago
from connorg.functions.http.parameters import choice, takes
from connorg.wiring import admin, services

KIND = choice("kind", "The kind of sponsors that is missing; both kinds if left out.", SponsorKind)


@takes(KIND)
async def list_without_sponsors(req: func.HttpRequest) -> func.HttpResponse:
    """GET reports/without-sponsors"""
    kind = KIND.of(req)
    kinds = (kind,) if kind else tuple(SponsorKind)
    return _answer(req, await without_sponsors(services(), admin(), kinds), tuple(SponsorKind))


@takes(OLDER_THAN)
async def list_proposed(req: func.HttpRequest) -> func.HttpResponse:
    """GET reports/proposed"""
    before = moment_ago(OLDER_THAN.of(req), services().clock.now())
    return _answer(req, await proposed_since(services(), admin(), before))


async def list_unrequested(req: func.HttpRequest) -> func.HttpResponse:
    """GET reports/unrequested"""
    return _answer(req, await unrequested(services(), admin()))


def _answer(
    req: func.HttpRequest,
    organizations: Sequence[ConnectedOrganization],
    kinds: tuple[SponsorKind, ...] = (),
) -> func.HttpResponse:
    """Answer with the organizations; as CSV with a column for each of the kinds of sponsors."""
    if wants_csv(req):
        return csv_answer((*COLUMNS, *kinds), map(_csv_row, organizations), {})
    shown = [one.model_dump(mode="json", exclude_none=True) for one in organizations]
    return json_answer({"value": shown}, 200)


def _csv_row(organization: ConnectedOrganization) -> dict[str, str]:
    row = dict(csv_row(organization))
    if isinstance(organization, SponsoredOrganization):
        row |= {kind: ";".join(s.id for s in organization.sponsors(kind)) for kind in SponsorKind}
    return row
