"""What a callback is signed with and when it is tried again; its address is in nothing shown."""

from random import Random

import pytest

from connorg import standard_webhooks
from connorg.contract.messages import CallbackMessage, ProducerMessage
from connorg.contract.parsing import parse
from connorg.contract.requests import OnboardingRequest
from connorg.core.domain.timing import Timing
from connorg.settings import ConfigurationError, Settings, callback_keys, result_secrets
from tests.unit.partners import domain_source, request

ADDRESS = "https://prod-1.logic.azure.com/run?sig=secret"
ID = f"{'a' * 24}-{'b' * 32}"
REFERENCE = "@Microsoft.KeyVault(VaultName=contoso;SecretName=callbacks)"


def test_a_signature_is_that_of_the_specification() -> None:
    """The example of the Standard Webhooks specification and of its libraries' tests."""
    key = standard_webhooks.key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = standard_webhooks.signature(
        key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}'
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def message(address: str = ADDRESS, onboarding_id: str = ID) -> CallbackMessage:
    text = f'{{"onboardingId":"{onboarding_id}","callbackUrl":"{address}",'
    return parse(CallbackMessage, f'{text}"askedDateTime":"2026-11-02T09:30:00Z"}}')


def test_a_callback_is_named_by_its_onboarding_and_address_without_giving_it_away() -> None:
    names = {
        message().name,
        message(f"{ADDRESS}2").name,
        message(onboarding_id=f"{'a' * 24}-{'c' * 32}").name,
    }
    assert len(names) == 3
    assert message().name == message().name
    assert "secret" not in message().name
    assert "." not in message().name, "it would divide what is signed"


def test_an_address_is_in_nothing_that_is_written_or_shown() -> None:
    body = {**request(domain_source()).model_dump(mode="json"), "callbackUrl": ADDRESS}
    asked = OnboardingRequest.model_validate(body)
    assert asked.callback_url == ADDRESS
    texts = (repr(asked), str(asked), asked.model_dump_json(), str(asked.model_dump()))
    assert not [text for text in texts if "secret" in text]
    assert "secret" not in repr(message())
    produced = ProducerMessage.model_validate(body)
    assert produced.onboarding_request.callback_url == ADDRESS


def test_pauses_grow_with_each_failure_up_to_the_longest() -> None:
    timing, random = Timing(callback_retry=1), Random(1)
    for failures, longest in ((1, 2), (5, 32), (40, timing.longest_backoff)):
        drawn = [timing.callback_backoff(failures, random) for _ in range(500)]
        assert 1 <= min(drawn) <= 1 + longest / 10
        assert longest * 0.9 <= max(drawn) <= longest


@pytest.fixture
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields.values():
        monkeypatch.delenv(name.alias or "", raising=False)


@pytest.mark.usefixtures("_no_settings")
def test_without_a_secret_no_host_may_be_called(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.read().policy().callback_hosts == ()
    monkeypatch.setenv("CONNORG_CALLBACK_SECRETS", REFERENCE)
    assert Settings.read().policy().callback_hosts == (), "nor with a reference that leads nowhere"
    monkeypatch.setenv(
        "CONNORG_CALLBACK_SECRETS", "whsec_MDEyMzQ1Njc4OWFiY2RlZg==, whsec_ZmVkY2JhOTg3NjU0MzIxMA=="
    )
    assert callback_keys() == (b"0123456789abcdef", b"fedcba9876543210")
    monkeypatch.setenv("WEBSITE_HOSTNAME", "Connorg.azurewebsites.net")
    hosts = Settings.read().policy().callback_hosts
    assert hosts[-1] == "connorg.azurewebsites.net"
    assert "*.logic.azure.com" in hosts
    monkeypatch.setenv("WEBSITE_HOSTNAME", "localhost")
    assert "localhost" not in Settings.read().policy().callback_hosts
    monkeypatch.setenv("CONNORG_CALLBACK_HOSTS", "tickets.contoso.com")
    assert Settings.read().policy().callback_hosts == ("tickets.contoso.com",)


def test_a_secret_that_is_none_is_told_by_the_name_of_its_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CONNORG_CALLBACK_SECRETS", "hunter2!")
    with pytest.raises(ConfigurationError) as raised:
        callback_keys()
    assert "CONNORG_CALLBACK_SECRETS" in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("value", [REFERENCE, "hunter2", f"{'a' * 32},hunter2", ","])
def test_result_addresses_do_not_open_because_their_secret_is_wrong(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("CONNORG_RESULT_SECRETS", value)
    with pytest.raises(ConfigurationError) as raised:
        result_secrets()
    assert "hunter2" not in str(raised.value)
