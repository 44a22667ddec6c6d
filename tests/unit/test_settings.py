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
