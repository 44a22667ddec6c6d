import pytest

from connorg.settings import ConfigurationError, Settings, settings


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
    monkeypatch.setenv("CONNORG_ALLOWED", "Contoso.com, *.fabrikam.com\n72f988bf")
    monkeypatch.setenv("CONNORG_PROPOSED_ONLY", "queue webhook:*")
    policy = settings().policy()
    assert policy.allowed == {"contoso.com", "*.fabrikam.com", "72f988bf"}
    assert policy.proposed_only == ("queue", "webhook:*")


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


def test_an_empty_setting_is_as_good_as_a_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNORG_WAIT_SECONDS", "")
    monkeypatch.setenv("AzureWebJobsStorage__accountName", "")
    assert settings().wait_seconds == Settings.model_fields["wait_seconds"].default
    with pytest.raises(ConfigurationError, match="AzureWebJobsStorage__accountName"):
        settings().table_endpoint()
