"""What is known of the usual systems, as the declaration of a source that names the profile.

Each says how the system proves itself and what it sends. What it sends is, but for Jira's and
Zendesk's own events, what its administrator types; so all of them type the same small body, which
docs/connect has for each system.
"""

from collections.abc import Mapping
from typing import Any

from connorg.contract.fields import CHANGEABLE


def _typed_body(at: str = "") -> dict[str, Any]:
    """Map the body that our pages give administrators to paste."""
    return {
        **{field.wire_name: f"{at}{field.wire_name}" for field in CHANGEABLE},
        "displayName": f"{at}partnerName",
        "identitySources": [
            {
                "domainName": f"{at}partnerDomain",
                "tenantId": f"{at}partnerTenantId",
                "displayName": f"{at}partnerName",
            }
        ],
        "reference": f"{at}ticket",
    }


def _defaults(system: str) -> dict[str, str]:
    # Without the ticket's number: two tickets for one partner shall ask for the same.
    return {"description": f"Partner organization, approved in {system}", "state": "configured"}


# For senders that sign nothing. Also what they call a ticket that is not in our body.
_KEY = {"scheme": "header-key", "header": "X-Connorg-Key"}
_IDEMPOTENCY_KEY = {"header": "Idempotency-Key"}

_JIRA_APPROVED = (
    "webhookEvent == 'jira:issue_updated'"
    " && changelog.items[?field == 'status' && toString == 'Approved']"
)

PROFILES: Mapping[str, Mapping[str, Any]] = {
    "servicenow": {
        "proof": _KEY,
        "request": {
            **_typed_body(),
            "reference": "ticket || number || incident_number || ticketId",
        },
        "defaults": _defaults("ServiceNow"),
        "deliveryId": _IDEMPOTENCY_KEY,
    },
    # The administrator says which custom field holds the domain.
    "jira": {
        "proof": {"scheme": "jira"},
        "counts": _JIRA_APPROVED,
        "request": {"displayName": "issue.fields.summary", "reference": "issue.key"},
        "defaults": _defaults("Jira"),
        "deliveryId": {"header": "X-Atlassian-Webhook-Identifier"},
    },
    "jira-automation": {
        "proof": _KEY,
        "request": {
            **_typed_body(),
            "displayName": "partnerName || fields.summary",
            "reference": "ticket || key",
        },
        "defaults": _defaults("Jira"),
        "deliveryId": _IDEMPOTENCY_KEY,
    },
    "zendesk": {
        "proof": {"scheme": "zendesk"},
        "request": {**_typed_body(), "reference": "ticket || ticket_id"},
        "defaults": _defaults("Zendesk"),
        "deliveryId": {"header": "X-Zendesk-Webhook-Invocation-Id"},
    },
    # An event holds no custom field: the domain stands in the ticket's external id.
    "zendesk-event": {
        "proof": {"scheme": "zendesk"},
        "counts": "type == 'zen:event-type:ticket.status_changed' && event.current == 'SOLVED'",
        "request": {
            "displayName": "detail.subject",
            "identitySources": [
                {"domainName": "detail.external_id", "displayName": "detail.subject"}
            ],
            "reference": "detail.id",
        },
        "defaults": _defaults("Zendesk"),
        "deliveryId": {"header": "X-Zendesk-Webhook-Invocation-Id"},
    },
    # What is typed in Freshdesk arrives within "freshdesk_webhook".
    "freshservice": {
        "proof": _KEY,
        "request": {
            **_typed_body("(freshdesk_webhook || @)."),
            "reference": "(freshdesk_webhook || @).[ticket, ticket_id][?@] | [0]",
        },
        "defaults": _defaults("Freshservice"),
        "deliveryId": _IDEMPOTENCY_KEY,
    },
    "standard-webhooks": {
        "proof": {"scheme": "standard-webhooks"},
        "counts": "type == 'partner.approved'",
        "request": _typed_body("data."),
        "defaults": _defaults("the partner system"),
        "deliveryId": {"header": "webhook-id"},
    },
}
