"""The credential of a result address, where a secret is set."""

from collections.abc import Iterator

import azure.functions as func
import pytest

from connorg.contract.problems import ProblemError
from connorg.functions.endpoints.onboardings import result
from connorg.functions.http import result_tokens
from connorg.functions.http.addresses import Addresses
from connorg.functions.http.result_tokens import require_token, token_of
from tests.unit.once_per_process import made_anew

ID = f"{'0' * 24}-{'1' * 32}"
OTHER_ID = f"{'0' * 24}-{'2' * 32}"
SECRET, OLDER = "1" * 32, "2" * 32


@pytest.fixture(autouse=True)
def _signing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CONNORG_RESULT_SECRETS", f"{SECRET} {OLDER}")
    with made_anew(result_tokens):
        yield


def poll(token: str | None) -> func.HttpRequest:
    params = {} if token is None else {"token": token}
    url = f"http://127.0.0.1/api/onboardings/{ID}/result"
    return func.HttpRequest("GET", url, params=params, route_params={"id": ID}, body=b"")


def token(onboarding_id: str = ID) -> str:
    given = token_of(onboarding_id)
    assert given is not None
    return given


def test_a_token_opens_its_own_address() -> None:
    require_token(poll(token()), ID)
    assert Addresses(poll(None)).result(ID).endswith(f"/result?token={token()}")


def test_a_token_holds_a_whole_signature_of_its_id_alone() -> None:
    assert len(token()) == 43, "256 bits in Base64"
    assert len({token(f"{ID[:-3]}{i:03x}") for i in range(0x1000)}) == 0x1000
    assert SECRET not in token()


async def test_without_it_nothing_is_told() -> None:
    for wrong in (None, "", " ", ID, "A" * 43, token()[:-1], f"{token()}A", token().swapcase()):
        with pytest.raises(ProblemError) as refused:
            await result(poll(wrong))  # no storage is asked: there is none
        assert (refused.value.problem.status, refused.value.problem.action) == (401, None)


def test_the_token_of_another_is_none() -> None:
    with pytest.raises(ProblemError):
        require_token(poll(token(OTHER_ID)), ID)


def test_an_older_secret_still_opens_and_does_not_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    by_both = token()
    monkeypatch.setenv("CONNORG_RESULT_SECRETS", OLDER)
    with made_anew(result_tokens):
        by_older = token()
    assert by_older != by_both
    require_token(poll(by_older), ID)
    monkeypatch.setenv("CONNORG_RESULT_SECRETS", "3" * 32)
    with made_anew(result_tokens), pytest.raises(ProblemError):
        require_token(poll(by_both), ID)
