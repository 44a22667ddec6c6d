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

_DEVOPS = 'resource.revision.fields."Custom.Partner'
_DEVOPS_APPROVED = (
    "eventType == 'workitem.updated' && resource.fields.\"System.State\".newValue == 'Approved'"
)
_GITLAB_APPROVED = (
    "object_kind == 'issue' && changes.labels.current[?title == 'approved']"
    " && !(changes.labels.previous[?title == 'approved'])"
)


def _form(body: str, title: str) -> dict[str, Any]:
    """Map the headings of an issue form."""
    name = f"default(section({body}, 'Partner name'), {title})"
    source = {
        "domainName": f"domain_of(section({body}, 'Partner domain'))",
        "tenantId": f"section({body}, 'Partner tenant id')",
        "displayName": name,
    }
    return {"displayName": name, "identitySources": [source]}


_FRESHDESK: Mapping[str, Any] = {
    "proof": _KEY,
    # What is typed in Freshdesk arrives within "freshdesk_webhook".
    "request": {
        **_typed_body("(freshdesk_webhook || @)."),
        "reference": "(freshdesk_webhook || @) | default(ticket, ticket_id)",
    },
    "deliveryId": _IDEMPOTENCY_KEY,
}

PROFILES: Mapping[str, Mapping[str, Any]] = {
    "servicenow": {
        "proof": _KEY,
        "request": {
            **_typed_body(),
            "reference": "default(ticket, number, incident_number, ticketId)",
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
            "displayName": "default(partnerName, fields.summary, issue.fields.summary)",
            "reference": "default(ticket, key, issue.key)",
        },
        "defaults": _defaults("Jira"),
        "deliveryId": _IDEMPOTENCY_KEY,
    },
    "zendesk": {
        "proof": {"scheme": "zendesk"},
        "request": {**_typed_body(), "reference": "default(ticket, ticket_id)"},
        "defaults": _defaults("Zendesk"),
        "deliveryId": {"header": "X-Zendesk-Webhook-Invocation-Id"},
    },
    # An event holds no custom field: the domain is in the ticket's external id.
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
    "freshservice": {**_FRESHDESK, "defaults": _defaults("Freshservice")},
    "freshdesk": {**_FRESHDESK, "defaults": _defaults("Freshdesk")},
    "azure-devops": {
        "proof": {"scheme": "basic", "user": "connorg"},
        "counts": _DEVOPS_APPROVED,
        "request": {
            "displayName": f'default({_DEVOPS}Name", resource.revision.fields."System.Title")',
            "identitySources": [
                {
                    "domainName": f'domain_of({_DEVOPS}Domain")',
                    "tenantId": f'{_DEVOPS}TenantId"',
                }
            ],
            "reference": "resource.workItemId",
        },
        "defaults": _defaults("Azure DevOps"),
        "deliveryId": {"path": "id"},
    },
    "github": {
        "proof": {"scheme": "hmac", "header": "X-Hub-Signature-256", "prefix": "sha256="},
        "counts": "action == 'labeled' && label.name == 'approved'",
        "request": {
            **_form("issue.body", "issue.title"),
            "reference": "join('#', [repository.full_name, to_string(issue.number)])",
        },
        "defaults": _defaults("GitHub"),
        "deliveryId": {"header": "X-GitHub-Delivery"},
    },
    "gitlab": {
        "proof": {"scheme": "header-key", "header": "X-Gitlab-Token"},
        "counts": _GITLAB_APPROVED,
        "request": {
            **_form("object_attributes.description", "object_attributes.title"),
            "reference": (
                "join('#', [project.path_with_namespace, to_string(object_attributes.iid)])"
            ),
        },
        "defaults": _defaults("GitLab"),
        "deliveryId": {"header": ["Idempotency-Key", "X-Gitlab-Event-UUID"]},
    },
    "standard-webhooks": {
        "proof": {"scheme": "standard-webhooks"},
        "counts": "type == 'partner.approved'",
        "request": _typed_body("data."),
        "defaults": _defaults("the partner system"),
        "deliveryId": {"header": ["webhook-id", "svix-id"]},
    },
}
