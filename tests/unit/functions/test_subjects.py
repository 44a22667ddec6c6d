"""Which ids of Graph are let through to an address of Graph."""

from collections.abc import Iterator

import azure.functions as func
import pytest

from connorg.contract.problems import ProblemError
from connorg.functions.endpoints import subjects
from connorg.settings import settings


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.parametrize("odd", ["", ".", "..", ".a", "a/b", "a%2Fb", "a b", "a\n", "x" * 129])
@pytest.mark.parametrize("name", ["requestId", "resourceRoleId"])
async def test_what_is_no_id_never_gets_into_an_address(name: str, odd: str) -> None:
    params = {"requestId": "r-1", "resourceRoleId": "r_2", name: odd}
    request = func.HttpRequest("POST", "http://127.0.0.1/", route_params=params, body=b"{}")
    with pytest.raises(ProblemError) as refused:
        await subjects.add_organization(request)
    assert refused.value.problem.code == "InvalidParameter"
    assert name in refused.value.problem.detail
