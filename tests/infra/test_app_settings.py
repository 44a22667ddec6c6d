"""The deployment sets every app setting that the code reads, and none that nobody reads."""

import re

import pytest

from connorg.partner_files.reader import LARGEST_FILE
from infra.bicep.values import Unknown, is_known
from infra.local.stack import LARGEST_REQUEST_BODY
from tests.infra.app_settings import ROOT, that_are_read, that_are_set
from tests.infra.environments import ENVIRONMENTS, deployed

READ_BUT_NOT_SET = {
    "AzureWebJobsStorage": "a connection string, for a laptop: it would hold a key",
    "WEBSITE_HOSTNAME": "App Service sets it",
    "WEBSITE_SITE_NAME": "the same",
    "WEBSITE_AUTH_ENABLED": "the same",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "for another collector than Application Insights",
    "OTEL_SERVICE_NAME": "the name of the app does",
    "OTEL_TRACES_SAMPLER": "every onboarding is traced",
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "the app sets it for the exporter",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "the same",
}
SET_FOR_THE_HOST = {
    "AzureWebJobsStorage__credential": "that the host comes with a managed identity",
    "AzureWebJobsStorage__clientId": "with which one",
    "AzureWebJobsStorage__blobServiceUri": "where the host keeps its locks",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "as whom the host sends telemetry",
    "PYTHON_ENABLE_OPENTELEMETRY": "that the worker puts the host's span over ours",
    "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "what the host hands on at most",
}

everywhere = pytest.mark.parametrize("environment", ENVIRONMENTS)


@everywhere
def test_every_setting_that_the_code_reads_is_set(environment: str) -> None:
    missing = that_are_read() - set(that_are_set(environment))
    assert missing == set(READ_BUT_NOT_SET)


def test_no_setting_is_set_that_nobody_reads() -> None:
    assert set(that_are_set("least")) - that_are_read() == set(SET_FOR_THE_HOST)


@everywhere
def test_further_settings_are_those_of_webhook_secrets_alone(environment: str) -> None:
    secrets = set(ENVIRONMENTS[environment].get("secretSettings", []))
    assert set(that_are_set(environment)) - set(that_are_set("least")) <= secrets


def test_the_page_of_settings_has_the_same() -> None:
    table = re.findall(r"^\| (`.*?) \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE)
    told = {name for cell in table for name in re.findall(r"`(CONNORG_\w+)`", cell)}
    assert told == {name for name in that_are_set("least") if name.startswith("CONNORG_")}


def test_secrets_are_references_to_the_vault() -> None:
    settings = that_are_set("most")
    for name in ENVIRONMENTS["most"]["secretSettings"]:
        reference = settings[name]
        assert isinstance(reference, Unknown)
        secret = name.lower().replace("_", "-")
        vault = deployed("most").only("Microsoft.KeyVault/vaults")
        version = vault.kind.partition("@")[2]
        assert reference.text == (
            "format('@Microsoft.KeyVault(SecretUri={0}secrets/{1})',"
            f" reference('{vault.id}', '{version}').vaultUri, '{secret}')"
        )
        assert re.fullmatch(r"[0-9a-zA-Z-]{1,127}", secret)  # what the vault takes as a name


@everywhere
def test_settings_hold_no_secret(environment: str) -> None:
    known = {n: v for n, v in that_are_set(environment).items() if is_known(v)}
    assert {n: v for n, v in known.items() if "SECRET" in n and v} == {}


def test_entra_is_required_where_app_service_asks_it_and_nowhere_else() -> None:
    for environment in ENVIRONMENTS:
        asked = deployed(environment).of_type("Microsoft.Web/sites/config") != []
        assert that_are_set(environment)["CONNORG_REQUIRE_ENTRA"] == str(asked).lower()


@pytest.mark.parametrize(
    ("cloud", "name"),
    [("AzureCloud", "global"), ("AzureUSGovernment", "usgov-l4"), ("AzureChinaCloud", "china")],
)
def test_graph_is_that_of_the_cloud(cloud: str, name: str) -> None:
    config = deployed("least", cloud).only("Microsoft.Web/sites").properties["siteConfig"]
    settings = {setting["name"]: setting["value"] for setting in config["appSettings"]}
    assert settings["CONNORG_CLOUD"] == name


@pytest.mark.parametrize("cloud", ["AzureCloud", "AzureUSGovernment", "AzureChinaCloud"])
def test_the_host_is_told_the_account_by_name_where_a_name_means_its_address(cloud: str) -> None:
    """Without the name the host now and then finds no blob service, whatever the URIs say."""
    account = deployed("least", cloud).only("Microsoft.Storage/storageAccounts")
    config = deployed("least", cloud).only("Microsoft.Web/sites").properties["siteConfig"]
    settings = {setting["name"]: setting["value"] for setting in config["appSettings"]}
    named = account.name if cloud == "AzureCloud" else ""
    assert settings["AzureWebJobsStorage__accountName"] == named
    assert "AzureWebJobsStorage__blobServiceUri" in settings


@everywhere
def test_the_host_takes_a_little_more_than_the_app_and_here_as_much_as_there(
    environment: str,
) -> None:
    limit = that_are_set(environment)["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"]
    assert limit == LARGEST_REQUEST_BODY
    assert LARGEST_FILE < int(LARGEST_REQUEST_BODY) < 4 * 1024 * 1024, "of which workers freeze"
