"""connorg: every way in, a line each. What happens behind them is told in connorg/functions."""

import azure.functions as func

from connorg.functions import (
    callbacks,
    health,
    messages,
    onboarding,
    organizations,
    subjects,
    webhooks,
)
from connorg.functions.edge import Handler
from connorg.storage.names import (
    CALLBACK_POISON_QUEUE,
    CALLBACK_QUEUE,
    ONBOARDING_QUEUE,
    POISON_QUEUE,
    STORAGE_CONNECTION,
)

app = func.FunctionApp()


def http(name: str, method: str, route: str, handler: Handler, auth: str = "FUNCTION") -> None:
    """Register an HTTP function.

    The host tries routes in the order of these names, where a literal has no precedence over
    {id}: name functions so that x/{id} can't come before x/literal.
    """
    app.function_name(name)(app.route(route, methods=[method], auth_level=auth)(handler))


http("SubmitOrganization", "POST", "connected-organizations", onboarding.submit)
http("ListOrganizations", "GET", "connected-organizations", organizations.list_all)
http("ReadOrganization", "GET", "connected-organizations/{id}", organizations.read)
http("ChangeOrganization", "PATCH", "connected-organizations/{id}", organizations.change)
http("DeleteOrganization", "DELETE", "connected-organizations/{id}", organizations.delete, "ADMIN")
http("ListSponsors", "GET", "connected-organizations/{id}/{kind}", organizations.list_sponsors)
http("AddSponsor", "POST", "connected-organizations/{id}/{kind}", organizations.add_sponsor)
http(
    "RemoveSponsor",
    "DELETE",
    "connected-organizations/{id}/{kind}/{sponsor}",
    organizations.remove_sponsor,
)
http(
    "AddOrganizationToSubject",
    "POST",
    "access-package-assignment-requests/{requestId}/resource-roles/{resourceRoleId}"
    "/connected-organization",
    subjects.add_organization,
)
http("ListOnboardings", "GET", "onboardings", onboarding.list_all)
http("ReadOnboarding", "GET", "onboardings/{id}", onboarding.read)
http("ReadResult", "GET", "onboardings/{id}/result", onboarding.result, auth="ANONYMOUS")
http("ReplayOnboarding", "POST", "onboardings/{id}/retry", onboarding.replay)
http("ReplayAll", "POST", "onboardings/retry", onboarding.replay_all)
http("CancelOnboarding", "DELETE", "onboardings/{id}", onboarding.cancel)
http("ReceiveWebhook", "POST", "webhooks/{source}", webhooks.receive, auth="ANONYMOUS")
http("Health", "GET", "health", health.health, auth="ANONYMOUS")

app.function_name("ResumeOnboarding")(
    app.queue_trigger("msg", ONBOARDING_QUEUE, STORAGE_CONNECTION)(messages.on_message)
)
app.function_name("BuryOnboarding")(
    app.queue_trigger("msg", POISON_QUEUE, STORAGE_CONNECTION)(messages.on_poison)
)
app.function_name("CallBack")(
    app.queue_trigger("msg", CALLBACK_QUEUE, STORAGE_CONNECTION)(callbacks.on_callback)
)
app.function_name("BuryCallback")(
    app.queue_trigger("msg", CALLBACK_POISON_QUEUE, STORAGE_CONNECTION)(callbacks.on_poison)
)
app.function_name("WarmUp")(app.warm_up_trigger("warm")(health.warm_up))
