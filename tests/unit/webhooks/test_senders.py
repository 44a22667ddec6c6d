"""The declaration of sources: what is read, and what is said of a wrong one."""

import json
from pathlib import Path
from typing import Any

import pytest

from connorg.settings import ConfigurationError
from connorg.webhooks.senders import Sender, load, sharing
from tests.senders import CONNECT, DOCUMENTED

SERVICENOW = {"profile": "servicenow", "secrets": ["SERVICENOW_KEY"]}


def declared(**changes: Any) -> Sender:
    return load(json.dumps({"one": {**SERVICENOW, **changes}}))["one"]


def fault(document: Any) -> str:
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(ConfigurationError) as raised:
        load(text)
    assert str(raised.value).startswith("CONNORG_WEBHOOK_SOURCES ")
    return str(raised.value)


def test_without_a_declaration_there_is_no_source() -> None:
    assert load("{}") == {}


def test_a_file_can_hold_the_document() -> None:
    relative = load(" docs/connect/sources.json\n")
    absolute = load(str(CONNECT / "sources.json"))
    assert relative == absolute == load(json.dumps(DOCUMENTED))


@pytest.mark.parametrize("setting", ["no/such/file.json", "docs", "\0", "[]", "jira"])
def test_what_is_neither_a_document_nor_a_file_is_told(setting: str) -> None:
    assert "neither holds a JSON object nor names a file" in fault(setting)


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ("{", "Invalid JSON"),
        ({"A Source": SERVICENOW}, "A Source"),
        ({"one": []}, "one: Input should be"),
        ({"one": {**SERVICENOW, "profile": "sap"}}, "one: profile must be one of servicenow, jira"),
        ({"one": {**SERVICENOW, "secret": "X"}}, "one.secret: Extra inputs"),
        ({"one": {**SERVICENOW, "secrets": []}}, "one.secrets: "),
        ({"one": {**SERVICENOW, "secrets": ["hunter2 hunter2"]}}, "one.secrets.0: "),
        ({"one": {**SERVICENOW, "proof": {"scheme": "jwt"}}}, "one.proof: "),
        (
            {"one": {**SERVICENOW, "proof": {"scheme": "hmac", "header": "X Y"}}},
            "one.proof.hmac.header: ",
        ),
        (
            {"one": {**SERVICENOW, "proof": {"scheme": "hmac", "header": "X", "prefix": "ü"}}},
            "one.proof.hmac.prefix: must hold printable ASCII",
        ),
        ({"one": {**SERVICENOW, "counts": "a =="}}, "one.counts: Invalid jmespath expression"),
        (
            {"one": {**SERVICENOW, "counts": "contain(a, b)"}},
            "one.counts: Unknown function: contain(). Did you mean contains()?",
        ),
        # Where no event, or not this one, ever leads.
        (
            {"one": {**SERVICENOW, "counts": "a && b[?domain_from(x)]"}},
            "one.counts: Unknown function: domain_from(). Did you mean domain_of()?",
        ),
        ({"one": {**SERVICENOW, "counts": "xyz()"}}, "Known are abs, avg, ceil, contains, default"),
        ({"one": {**SERVICENOW, "counts": "contains(a)"}}, "one.counts: Expected 2 arguments"),
        ({"one": {**SERVICENOW, "counts": "a || default(b)"}}, "Expected 2 or more arguments"),
        (
            {"one": {**SERVICENOW, "request": {"name": "a"}}},
            "has a field that no request has: name",
        ),
        ({"one": {**SERVICENOW, "defaults": {"name": "a"}}}, "one.defaults: has a field that no"),
        ({"one": {**SERVICENOW, "request": "a"}}, "one.request: "),
        (
            {"one": {**SERVICENOW, "request": {"identitySources": [{"domainName": "a["}]}}},
            "one.request: /identitySources/0/domainName: ",
        ),
        (
            {"one": {**SERVICENOW, "request": {"state": True}}},
            "one.request: /state: must be a JMESPath expression",
        ),
        ({"one": {**SERVICENOW, "deliveryId": {}}}, "one.deliveryId: needs either header or path"),
        (
            {"one": {**SERVICENOW, "deliveryId": {"header": "X", "path": "x"}}},
            "one.deliveryId: needs either header or path",
        ),
        (
            {"one": {**SERVICENOW, "identitySourceTypes": ["socialIdentitySource"]}},
            "one.identitySourceTypes.0: ",
        ),
        (
            {"one": {"profile": "jira", "secrets": ["X"]}},
            "one: request does not say where an event has: identitySources",
        ),
    ],
)
def test_a_wrong_document_is_told_by_its_place(document: Any, place: str) -> None:
    assert place in fault(document)


def test_all_faults_of_a_document_are_told_and_no_secret_that_stands_in_it() -> None:
    secret = "hunter2-hunter2"  # where the name of a setting belongs
    wrong = {"one": {**SERVICENOW, "secrets": [secret]}, "two": {**SERVICENOW, "secret": secret}}
    told = fault(wrong)
    assert "one.secrets.0" in told
    assert "two.secret" in told
    assert secret not in told


def test_fields_of_a_profile_are_overridden_one_by_one() -> None:
    source = declared(request={"displayName": "name"}, defaults={"state": "proposed"}, counts="x")
    assert source.request["displayName"] == "name"
    assert source.request["reference"].startswith("default(ticket, ")
    assert source.defaults["state"] == "proposed"
    assert source.defaults["description"]
    assert source.counts == "x"
    assert declared(deliveryId=None).delivery_id is None


def test_defaults_can_give_what_no_event_has() -> None:
    sources = [{"@odata.type": "#microsoft.graph.domainIdentitySource", "domainName": "a.com"}]
    document = {"profile": "jira", "secrets": ["X"], "defaults": {"identitySources": sources}}
    assert load(json.dumps({"one": document}))["one"].defaults["identitySources"] == sources


def test_every_secret_that_is_set_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    source = declared(secrets=["ONE", "TWO", "THREE"])
    monkeypatch.setenv("ONE", " the first\n")
    monkeypatch.setenv("TWO", " ")
    monkeypatch.setenv("THREE", "the third")
    assert source.keys() == (b"the first", b"the third")


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "  ",
        "@Microsoft.KeyVault(SecretUri=https://contoso.vault.azure.net/secrets/x)",
        " @microsoft.keyvault(VaultName=contoso;SecretName=x)",
    ],
)
def test_without_a_secret_nobody_is_believed(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    """Where a Key Vault reference can't be followed, the setting holds the reference."""
    monkeypatch.delenv("hunter2", raising=False)
    if value is not None:
        monkeypatch.setenv("hunter2", value)
    with pytest.raises(ConfigurationError, match="secrets: ") as raised:
        declared(secrets=["hunter2"]).keys()
    assert "hunter2" not in str(raised.value), "it may be the secret, put where its name belongs"


def test_a_secret_that_is_none_of_its_scheme_is_told_by_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PORTAL", "hunter2 hunter2")
    source = declared(proof={"scheme": "standard-webhooks"}, secrets=["UNSET", "PORTAL"])
    with pytest.raises(ConfigurationError, match=r"secrets\.1: the setting must be whsec_") as told:
        source.keys()
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("proof", "secret"),
    [
        ({"scheme": "standard-webhooks"}, "whsec_aHVudGVy"),
        *((proof, "hunter2") for proof in ({"scheme": "jira"}, {"scheme": "slack"})),
        ({"scheme": "header-key", "header": "X-Key"}, "#"),
        ({"scheme": "basic", "user": "ada"}, "hunter2"),
    ],
)
def test_a_secret_that_can_be_guessed_is_none(
    monkeypatch: pytest.MonkeyPatch, proof: dict[str, str], secret: str
) -> None:
    monkeypatch.setenv("SHORT", secret)
    with pytest.raises(ConfigurationError, match=r"secrets\.0: the setting must hold") as told:
        declared(proof=proof, secrets=["SHORT"]).keys()
    assert secret not in str(told.value)


def test_senders_that_share_a_secret_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, secret in (("ONE", "open sesame"), ("TWO", "open sesame"), ("THREE", "shut sesame")):
        monkeypatch.setenv(name, secret)
    senders = {
        "by-value": declared(secrets=["ONE"]),
        "by-name": declared(secrets=["THREE", "TWO"]),
        "alone": declared(secrets=["UNSET"]),
        "as-well": declared(secrets=["UNSET", "THREE"]),
    }
    assert sharing(senders) == {
        "by-value": ("by-name",),
        "by-name": ("by-value", "as-well"),
        "alone": (),
        "as-well": ("by-name",),
    }


def test_the_pages_sources_are_complete(tmp_path: Path) -> None:
    copy = tmp_path / "sources.json"
    copy.write_text((CONNECT / "sources.json").read_text())
    assert {*load(str(copy))} == {*DOCUMENTED}
