import re
from collections.abc import Callable

import pytest

from connorg import wiring
from connorg.core.policy.callback_urls import LOGIC_APPS
from connorg.settings import (
    CALLBACK_SECRETS,
    RESULT_SECRETS,
    ConfigurationError,
    Settings,
    callback_keys,
    result_secrets,
    settings,
)
from infra.local.child import ROOT
from tests.cases import each
from tests.unit.partners import CONTOSO_TENANT

ALIASES = {str(field.alias): name for name, field in Settings.model_fields.items()}
REFERENCE = "@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/hunter2)"
LONG = "hunter2-" * 4
ADDRESSES = (
    "hunter2",
    "https://",
    "https:/hunter2.example",
    "http://hunter2.example",
    "http://127.0.0.1.hunter2.example",
    "http://localhost@hunter2.example",
    "https://hunter2@graph.example",
    "https://graph.example?hunter2",
    "https://graph.example#hunter2",
    "https://[hunter2",
    "ftp://graph.example",
    " ",
)
SWITCH = ("maybe", "flase", "2", "-1", " ", "true false")
NUMBER = ("hunter2", "-1", "1e9", "nan", "inf", "-inf", "20s", "1,5", " ")
PARTNERS = (
    ",",
    " ",
    "hunter2",
    "https://contoso.com",
    "contoso.com/hunter2",
    "a.com;b.com",
    "ada@contoso.com",
    "contoso.com:443",
    "*contoso.com",
    "*",
    "*.",
    "contoso.*",
    "10.0.0.1",
    "contoso.local",
    "contoso.com hunter2",
    CONTOSO_TENANT[:-1],
    f"{{{CONTOSO_TENANT}}}",
)
REFUSED = {
    "CONNORG_REQUIRE_ENTRA": SWITCH,
    "AzureWebJobsStorage__accountName": ("hunter2.example/", "x@hunter2", "Hunter2", "-", " "),
    "AzureWebJobsStorage__queueServiceUri": ADDRESSES,
    "AzureWebJobsStorage__tableServiceUri": ADDRESSES,
    "CONNORG_CREDENTIAL": ("hunter2", "Managed_Identity", " "),
    "CONNORG_CLOUD": ("hunter2", "GLOBAL", " "),
    "CONNORG_GRAPH_ROOT": ADDRESSES,
    "CONNORG_GRAPH_VERSION": ("hunter2", "v2.0", "1.0", " "),
    "CONNORG_TENANT_LOOKUP": SWITCH,
    "CONNORG_READ_BACK": SWITCH,
    "CONNORG_HOME_TENANT": ("hunter2", "contoso.com", "0" * 32, " "),
    "CONNORG_ALLOWED": PARTNERS,
    "CONNORG_DENIED": PARTNERS,
    "CONNORG_PUBLIC_MAIL": SWITCH,
    "CONNORG_TENANT_ONLY": SWITCH,
    "CONNORG_PROPOSED_ONLY": (
        *(",", " ", "hunter2", "https", "webhook", "webhooks:*", "webhook:", "webhook:a b"),
        *("webhook:Ada/", "queue;http", "onboarding"),
    ),
    "CONNORG_UPDATES_FROM": (",", " ", "hunter2", "http", "batch", "queue http", "webhooks:*"),
    "CONNORG_ENTRA_TENANT": ("hunter2", "contoso.com", "common", "0" * 32, " ", CONTOSO_TENANT),
    "CONNORG_ENTRA_AUDIENCE": (",", " ", "api://hunter2"),
    "CONNORG_ENTRA_AUTHORITY": ADDRESSES,
    "CONNORG_WAIT_SECONDS": (*NUMBER, "101"),
    "CONNORG_ATTEMPT_SECONDS": (*NUMBER, "0", "101"),
    "CONNORG_SETTLE_SECONDS": (*NUMBER, "601"),
    "CONNORG_BLOCKED_RETRY_SECONDS": (*NUMBER, "0", "3601"),
    "CONNORG_GIVE_UP_HOURS": (*NUMBER, "0", "169"),
    "CONNORG_RETENTION_DAYS": (*NUMBER, "7", "3651"),
    "CONNORG_TICKET_LINK": (
        *("hunter2", "https://hunter2.example/", "http://hunter2.example/{reference}"),
        *("https://{reference}.example/", "javascript:hunter2({reference})"),
    ),
    "CONNORG_FORWARDED_HOSTS": (",", " ", "*", "https://hunter2.example", "*hunter2", "a/b", "a;b"),
    "CONNORG_CALLBACK_HOSTS": (",", " ", "*", "https://hunter2.example", "*hunter2", "a/b", "a;b"),
    "CONNORG_CALLBACK_RETRY_SECONDS": (*NUMBER, "0", "901"),
}
SEEN_LATER = {
    "AzureWebJobsStorage": "storage refuses it, or the SDK does",
    "AZURE_CLIENT_ID": "the identity's endpoint refuses it",
    "WEBSITE_HOSTNAME": "the platform sets it",
    "WEBSITE_AUTH_ENABLED": "the same; what is not `true` lets nobody in",
    "CONNORG_WEBHOOK_SOURCES": "refused where a sender calls; below",
}


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    settings.cache_clear()
    for name in Settings.model_fields.values():
        monkeypatch.delenv(name.alias or "", raising=False)


def test_an_account_name_is_all_that_storage_needs_in_azure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AzureWebJobsStorage__accountName", "stcontoso")
    assert settings().queue_endpoint() == "https://stcontoso.queue.core.windows.net"
    assert settings().table_endpoint() == "https://stcontoso.table.core.windows.net"


def test_addresses_of_another_cloud_are_taken_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    address = "https://stcontoso.table.core.chinacloudapi.cn"
    monkeypatch.setenv("AzureWebJobsStorage__tableServiceUri", address)
    assert settings().table_endpoint() == address


def test_a_missing_account_is_told_by_the_name_of_its_setting() -> None:
    with pytest.raises(ConfigurationError, match="AzureWebJobsStorage__accountName"):
        settings().table_endpoint()


@pytest.mark.parametrize(
    ("cloud", "root"),
    [
        ("global", "https://graph.microsoft.com"),
        ("usgov-l4", "https://graph.microsoft.us"),
        ("usgov-l5", "https://dod-graph.microsoft.us"),
        ("china", "https://microsoftgraph.chinacloudapi.cn"),
    ],
)
def test_a_cloud_brings_the_root_of_its_graph(
    monkeypatch: pytest.MonkeyPatch, cloud: str, root: str
) -> None:
    monkeypatch.setenv("CONNORG_CLOUD", cloud)
    assert settings().graph_root == root
    assert settings().policy().cloud == cloud
    monkeypatch.setenv("CONNORG_GRAPH_ROOT", "https://graph.example/")
    settings.cache_clear()
    assert settings().graph_root == "https://graph.example", "unless another one is named"


def test_lists_take_commas_and_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNORG_ALLOWED", f"Contoso.com, *.fabrikam.com\n{CONTOSO_TENANT.upper()}")
    monkeypatch.setenv("CONNORG_PROPOSED_ONLY", "queue webhook:*")
    policy = settings().policy()
    assert policy.allowed == {"contoso.com", "*.fabrikam.com", CONTOSO_TENANT}
    assert policy.ways_in.proposed_only == ("queue", "webhook:*")


def test_a_partner_is_denied_in_whatever_spelling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNORG_DENIED", "B\u00fccher.de CONTOSO.com. *.m\u00fcnchen.de *.Example")
    assert settings().policy().denied == {
        "xn--bcher-kva.de",
        "contoso.com",
        "*.xn--mnchen-3ya.de",
        "*.example",
    }


def test_a_home_tenant_must_be_a_tenant_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNORG_HOME_TENANT", "contoso.com")
    with pytest.raises(ConfigurationError, match="CONNORG_HOME_TENANT"):
        settings()


def test_a_wrong_setting_is_told_by_name_and_never_by_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CONNORG_GRAPH_ROOT", "http://user:hunter2@graph.example")
    monkeypatch.setenv("CONNORG_WAIT_SECONDS", "hunter2")
    with pytest.raises(ConfigurationError) as raised:
        settings()
    assert "CONNORG_GRAPH_ROOT" in str(raised.value)
    assert "CONNORG_WAIT_SECONDS" in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(("text", "days"), [("", 365), ("0", 0), ("8", 8), ("3650", 3650)])
def test_onboardings_are_kept_a_year_or_as_long_as_is_said(
    monkeypatch: pytest.MonkeyPatch, text: str, days: float
) -> None:
    monkeypatch.setenv("CONNORG_RETENTION_DAYS", text)
    assert settings().retention_days == days


@pytest.mark.parametrize("text", ["7", "0.5", "-1", "3651", "for ever", "nan"])
def test_nothing_is_purged_that_something_may_still_ask_for(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("CONNORG_RETENTION_DAYS", text)
    with pytest.raises(ConfigurationError, match="CONNORG_RETENTION_DAYS"):
        settings()


def test_each_setting_is_tried_with_wrong_values() -> None:
    assert REFUSED.keys() | SEEN_LATER.keys() == ALIASES.keys()


def test_a_wrong_value_is_refused_and_told_by_the_name_of_its_setting() -> None:
    for case in each((name, wrong) for name, values in REFUSED.items() for wrong in values):
        with case as (name, wrong), pytest.MonkeyPatch.context() as environment:
            settings.cache_clear()
            environment.setenv(name, wrong)
            with pytest.raises(ConfigurationError, match=name) as raised:
                settings()
            assert "hunter2" not in str(raised.value).lower()


def test_every_empty_setting_is_as_good_as_a_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = settings()
    for name in ALIASES:
        monkeypatch.setenv(name, "")
    settings.cache_clear()
    assert settings() == missing


def test_what_a_missing_setting_means_is_what_the_page_says() -> None:
    """A cell of the column `Default` that holds code is a value that the setting takes."""
    rows = re.findall(
        r"^\|([^|]*`[^|]*)\|([^|]*)\|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE
    )
    told = {name: default for names, default in rows for name in re.findall(r"`(\w+)`", names)}
    defaults = {name: Settings.model_fields[field].default for name, field in ALIASES.items()}
    for name in told.keys() & ALIASES.keys():
        code = re.fullmatch(r" `([^`]+)` ", told[name])
        given = {name: code[1]} if code else {}
        meant = getattr(Settings.model_validate(given), ALIASES[name])
        assert meant == defaults[name], f"{name}: the page says {told[name]}"
        assert code or not meant or meant == "{}", f"{name}: the page has no default"
    assert len(told.keys() & ALIASES.keys()) > 20


@pytest.mark.parametrize(
    "wrong",
    ["hunter2", "[]", "{", "7", '{"jira": {}}', '{"Jira!": {"profile": "jira"}}', " ", REFERENCE],
)
def test_a_wrong_declaration_of_webhooks_lets_nobody_in(
    monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    wiring.webhook_senders.cache_clear()
    monkeypatch.setenv("CONNORG_WEBHOOK_SOURCES", wrong)
    with pytest.raises(ConfigurationError, match="CONNORG_WEBHOOK_SOURCES") as raised:
        wiring.webhook_senders()
    assert "hunter2" not in str(raised.value)


def test_without_a_declaration_there_is_no_sender() -> None:
    wiring.webhook_senders.cache_clear()
    assert wiring.webhook_senders() == {}


@pytest.mark.parametrize(
    ("name", "read", "wrong"),
    [
        *((RESULT_SECRETS, result_secrets, wrong) for wrong in ("hunter2", LONG[1:], ",")),
        *((RESULT_SECRETS, result_secrets, wrong) for wrong in (f"{LONG} hunter2", REFERENCE)),
        *((CALLBACK_SECRETS, callback_keys, wrong) for wrong in ("hunter2!", "whsec_", "whsec_*")),
        (CALLBACK_SECRETS, callback_keys, "whsec_YQ=="),
        (CALLBACK_SECRETS, callback_keys, "whsec_aHVudGVyMmh1bnRlcjI="),
        (CALLBACK_SECRETS, callback_keys, "whsec_aHVudGVyMg== hunter2!"),
    ],
)
def test_a_secret_that_can_be_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, read: Callable[[], object], wrong: str
) -> None:
    monkeypatch.setenv(name, wrong)
    with pytest.raises(ConfigurationError, match=name) as raised:
        read()
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("nothing", ["", " ", ",", REFERENCE])
def test_without_a_secret_nobody_is_called_back(
    monkeypatch: pytest.MonkeyPatch, nothing: str
) -> None:
    monkeypatch.setenv(CALLBACK_SECRETS, nothing)
    monkeypatch.setenv("CONNORG_CALLBACK_HOSTS", "tickets.contoso.com")
    assert callback_keys() == ()
    assert settings().policy().callback_hosts == ()


def test_who_may_be_called_back_is_told_or_logic_apps_and_the_app(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(CALLBACK_SECRETS, "whsec_MDEyMzQ1Njc4OWFiY2RlZg==")
    for own, added in (("App.azurewebsites.net", ["app.azurewebsites.net"]), ("localhost", [])):
        monkeypatch.setenv("WEBSITE_HOSTNAME", own)
        settings.cache_clear()
        assert [*settings().policy().callback_hosts] == [*LOGIC_APPS, *added]
    monkeypatch.setenv("CONNORG_CALLBACK_HOSTS", "tickets.contoso.com")
    settings.cache_clear()
    assert settings().policy().callback_hosts == ("tickets.contoso.com",)


def test_only_tenants_can_be_asked_for_where_they_are_looked_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CONNORG_TENANT_ONLY", "true")
    assert settings().policy().tenant_only
    settings.cache_clear()
    monkeypatch.setenv("CONNORG_TENANT_LOOKUP", "false")
    with pytest.raises(ConfigurationError, match="CONNORG_TENANT_ONLY"):
        settings()
    settings.cache_clear()
