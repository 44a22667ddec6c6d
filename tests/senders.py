"""Ticketing systems as tests play them: declared as docs/connect has it, and a few more."""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from standardwebhooks.webhooks import Webhook

CONNECT = Path(__file__).parents[1] / "docs/connect"
DOCUMENTED: Mapping[str, Any] = json.loads((CONNECT / "sources.json").read_text())
MORE: Mapping[str, Any] = {
    "signing": {
        "profile": "servicenow",
        "proof": {"scheme": "hmac", "header": "X-Signature", "algorithm": "sha512"},
        "secrets": ["SIGNING_SECRET"],
        "identitySourceTypes": ["domainIdentitySource"],
    },
    "strict": {
        "profile": "servicenow",
        "secrets": ["SERVICENOW_KEY"],
        "defaults": {"ifExists": "fail"},
    },
    "picky": {
        "profile": "servicenow",
        "secrets": ["SERVICENOW_KEY"],
        "request": {
            "displayName": "sum([partnerDomain])",
            "reference": "sum([partnerDomain])",
        },
    },
    "calling-back": {
        "profile": "servicenow",
        "secrets": ["SERVICENOW_KEY"],
        "request": {"callbackUrl": "callback"},
    },
    "unset": {"profile": "servicenow", "secrets": ["NOBODY_SET_THIS"]},
    "unresolved": {"profile": "servicenow", "secrets": ["UNRESOLVED_REFERENCE"]},
}
REFERENCE = "@Microsoft.KeyVault(VaultName=contoso;SecretName=servicenow)"
# As the pages have them.
SECRETS = {
    "SERVICENOW_KEY": "try-servicenow",
    "JIRA_WEBHOOK_SECRET": "try-jira",
    "JIRA_AUTOMATION_KEY": "try-automation",
    "ZENDESK_WEBHOOK_SECRET": "try-zendesk",
    "FRESHSERVICE_KEY": "try-freshservice",
    "FRESHDESK_KEY": "try-freshdesk",
    "AZURE_DEVOPS_PASSWORD": "try-azure-devops",
    "GITHUB_WEBHOOK_SECRET": "try-github",
    "GITLAB_WEBHOOK_TOKEN": "try-gitlab",
    "OTHER_SECRET": "try-other",
    "PARTNER_PORTAL_SECRET": "whsec_dHJ5LXBhcnRuZXItcG9ydGFs",
    "SIGNING_SECRET": "6d5e1b0c-sign-with-this",
}
SETTINGS = {
    "CONNORG_WEBHOOK_SOURCES": json.dumps({**DOCUMENTED, **MORE}),
    "UNRESOLVED_REFERENCE": REFERENCE,
    **SECRETS,
}


@dataclass
class Ticket:
    """What a partner's ticket holds when it is approved. By default the name is the domain's."""

    domain: str
    name: str = ""
    number: str = field(default_factory=lambda: f"RITM{uuid.uuid4().int % 10**9:09}")
    delivery: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        self.name = self.name or self.domain.partition(".")[0].capitalize()

    def typed(self, **changes: Any) -> bytes:
        """The body that the pages give administrators to paste."""
        body = {
            "partnerName": self.name,
            "partnerDomain": self.domain,
            "partnerTenantId": "",
            "description": "",
            "ticket": self.number,
            **changes,
        }
        return json.dumps(body).encode()

    @property
    def form(self) -> str:
        """An issue's text, as a form of GitHub writes it."""
        return f"### Partner domain\n\n{self.domain}\n\n### Partner tenant id\n\n_No response_\n"

    def reference(self, source: str) -> str:
        """What a source calls the ticket."""
        return f"octo/partners#{self.number}" if source in {"github", "gitlab"} else self.number

    def of(self, source: str) -> bytes:
        """The event that a documented source sends."""
        events: dict[str, Any] = {
            "jira": {
                "webhookEvent": "jira:issue_updated",
                "issue": {
                    "key": self.number,
                    "fields": {"summary": self.name, "customfield_10070": self.domain},
                },
                "changelog": {"items": [{"field": "status", "toString": "Approved"}]},
            },
            "zendesk-event": {
                "type": "zen:event-type:ticket.status_changed",
                "detail": {
                    "id": self.number,
                    "subject": self.name,
                    "external_id": self.domain,
                },
                "event": {"previous": "OPEN", "current": "SOLVED"},
            },
            "freshservice": {"freshdesk_webhook": json.loads(self.typed())},
            "freshdesk": {"freshdesk_webhook": json.loads(self.typed())},
            "azure-devops": {
                "id": self.delivery,
                "eventType": "workitem.updated",
                "resource": {
                    "workItemId": self.number,
                    "fields": {"System.State": {"oldValue": "New", "newValue": "Approved"}},
                    "revision": {
                        "fields": {"System.Title": self.name, "Custom.PartnerDomain": self.domain}
                    },
                },
            },
            "github": {
                "action": "labeled",
                "label": {"name": "approved"},
                "repository": {"full_name": "octo/partners"},
                "issue": {"number": self.number, "title": self.name, "body": self.form},
            },
            "gitlab": {
                "object_kind": "issue",
                "project": {"path_with_namespace": "octo/partners"},
                "changes": {"labels": {"previous": [], "current": [{"title": "approved"}]}},
                "object_attributes": {
                    "iid": self.number,
                    "title": self.name,
                    "description": self.form,
                },
            },
            "other": {
                "event": self.delivery,
                "ticket": {
                    "number": self.number,
                    "status": "approved",
                    "company": self.name,
                    "domain": self.domain,
                },
            },
            "partner-portal": {"type": "partner.approved", "data": json.loads(self.typed())},
        }
        return json.dumps(events[source]).encode() if source in events else self.typed()


def headers(  # noqa: PLR0911  a sender each
    source: str, body: bytes, delivery: str, now: datetime | None = None
) -> dict[str, str]:
    """The proof that a source sends with a body, and its delivery id."""
    now = now or datetime.now(UTC)
    stamp = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    match source:
        case "jira":
            digest = _mac("JIRA_WEBHOOK_SECRET", body).hex()
            return {
                "X-Hub-Signature": f"sha256={digest}",
                "X-Atlassian-Webhook-Identifier": delivery,
            }
        case "zendesk" | "zendesk-event":
            mac = _mac("ZENDESK_WEBHOOK_SECRET", stamp.encode() + body)
            return {
                "X-Zendesk-Webhook-Signature": base64.b64encode(mac).decode(),
                "X-Zendesk-Webhook-Signature-Timestamp": stamp,
                "X-Zendesk-Webhook-Invocation-Id": delivery,
            }
        case "partner-portal":
            signer = Webhook(SECRETS["PARTNER_PORTAL_SECRET"])
            return {
                "webhook-id": delivery,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": signer.sign(delivery, now, body.decode()),
            }
        case "github" | "other":
            name, setting = {
                "github": ("X-Hub-Signature-256", "GITHUB_WEBHOOK_SECRET"),
                "other": ("X-Signature", "OTHER_SECRET"),
            }[source]
            signature = f"sha256={_mac(setting, body).hex()}"
            return {name: signature, "X-GitHub-Delivery": delivery}
        case "signing":
            digest = _mac("SIGNING_SECRET", body, "sha512").hex()
            return {"X-Signature": digest, "Idempotency-Key": delivery}
    if source == "azure-devops":
        pair = f"connorg:{SECRETS['AZURE_DEVOPS_PASSWORD']}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    key = {
        "gitlab": SECRETS["GITLAB_WEBHOOK_TOKEN"],
        "jira-automation": SECRETS["JIRA_AUTOMATION_KEY"],
        "freshservice": SECRETS["FRESHSERVICE_KEY"],
        "freshdesk": SECRETS["FRESHDESK_KEY"],
    }.get(source, SECRETS["SERVICENOW_KEY"])
    name = "X-Gitlab-Token" if source == "gitlab" else "X-Connorg-Key"
    return {name: key, "Idempotency-Key": delivery}


def _mac(setting: str, signed: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.new(SECRETS[setting].encode(), signed, getattr(hashlib, algorithm)).digest()
