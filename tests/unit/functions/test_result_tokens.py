"""The credential of a result address: a key of its own, or of earlier rows the id or a token."""

from collections.abc import Iterator
from datetime import UTC, datetime

import azure.functions as func
import pytest

from connorg.contract.onboarding import Onboarding, Status
from connorg.contract.problems import ProblemError
from connorg.core.onboarding.records import new_onboarding
from connorg.core.onboarding.reject import unreadable
from connorg.functions.http import result_tokens
from connorg.functions.http.addresses import Addresses
from connorg.functions.http.result_tokens import require_token, token_of
from tests.unit.core.services_under_test import simulated_core
from tests.unit.functions.requests import http_request
from tests.unit.once_per_process import made_anew
from tests.unit.partners import request

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ID = f"{'0' * 24}-{'1' * 32}"
OTHER_ID = f"{'0' * 24}-{'2' * 32}"
SECRET, OLDER = "1" * 32, "2" * 32
OF_BEFORE = Onboarding(
    id=ID,
    status=Status.WAITING,
    channel="http",
    created_date_time=NOW,
    last_action_date_time=NOW,
    give_up_date_time=NOW,
)
KEYED = OF_BEFORE.model_copy(update={"result_key": "k" * 22})


@pytest.fixture(autouse=True)
def _signing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CONNORG_RESULT_SECRETS", f"{SECRET} {OLDER}")
    with made_anew(result_tokens):
        yield


@pytest.fixture
def _without_secrets(monkeypatch: pytest.MonkeyPatch, _signing: None) -> Iterator[None]:
    monkeypatch.delenv("CONNORG_RESULT_SECRETS")
    with made_anew(result_tokens):
        yield


def poll(token: str | None) -> func.HttpRequest:
    parameters = {} if token is None else {"token": token}
    return http_request("GET", f"onboardings/{ID}/result", parameters, in_path={"id": ID})


def token(onboarding_id: str = ID) -> str:
    given = token_of(OF_BEFORE.model_copy(update={"id": onboarding_id}))
    assert given is not None
    return given


def refused(token: str | None, onboarding: Onboarding | None) -> None:
    with pytest.raises(ProblemError) as told:
        require_token(poll(token), ID, onboarding)
    assert (told.value.problem.status, told.value.problem.action) == (401, None)


def test_every_new_onboarding_has_a_random_key_of_128_bits() -> None:
    services = simulated_core()
    made = [new_onboarding(services, request(), "http") for _ in range(1000)]
    made += [unreadable(services, "queue", "no JSON") for _ in range(1000)]
    keys = {one.result_key for one in made}
    assert len(keys) == len(made)
    assert all(key and len(key) == 22 for key in keys), "128 bits in Base64"
    for one in made[:1] + made[-1:]:
        assert Addresses(poll(None)).result(one).endswith(f"/result?token={one.result_key}")
        require_token(poll(one.result_key), one.id, one)


def test_a_key_is_shown_nowhere_but_in_the_address() -> None:
    assert "k" * 22 not in str(KEYED.view_with_history()) + str(KEYED.progress())


@pytest.mark.usefixtures("_without_secrets")
def test_without_its_key_an_address_tells_nothing() -> None:
    for wrong in (None, "k" * 21, "k" * 23, "K" * 22, ID, "é" * 22):
        refused(wrong, KEYED)
    require_token(poll("k" * 22), ID, KEYED)


def test_a_token_is_no_key() -> None:
    refused(token(), KEYED)
    refused("k" * 22, OF_BEFORE)


@pytest.mark.usefixtures("_without_secrets")
def test_an_onboarding_of_an_earlier_version_opens_by_its_id() -> None:
    require_token(poll(None), ID, OF_BEFORE)
    assert Addresses(poll(None)).result(OF_BEFORE).endswith("/result")


def test_a_token_opens_its_own_address() -> None:
    require_token(poll(token()), ID, OF_BEFORE)
    assert Addresses(poll(None)).result(OF_BEFORE).endswith(f"/result?token={token()}")


def test_a_token_holds_a_whole_signature_of_its_id_alone() -> None:
    assert len(token()) == 43, "256 bits in Base64"
    assert len({token(f"{ID[:-3]}{i:03x}") for i in range(0x1000)}) == 0x1000
    assert SECRET not in token()


def test_without_the_token_nothing_is_told() -> None:
    for wrong in (None, ID, "A" * 43, token()[:-1], f"{token()}A", token().swapcase()):
        refused(wrong, OF_BEFORE)
        refused(wrong, None)  # nor whether there is one


def test_the_token_of_another_is_none() -> None:
    refused(token(OTHER_ID), OF_BEFORE)


def test_an_older_secret_still_opens_and_does_not_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    by_both = token()
    monkeypatch.setenv("CONNORG_RESULT_SECRETS", OLDER)
    with made_anew(result_tokens):
        by_older = token()
    assert by_older != by_both
    require_token(poll(by_older), ID, OF_BEFORE)
    monkeypatch.setenv("CONNORG_RESULT_SECRETS", "3" * 32)
    with made_anew(result_tokens), pytest.raises(ProblemError):
        require_token(poll(by_both), ID, OF_BEFORE)
