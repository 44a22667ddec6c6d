"""An attempt that goes on when its caller has had an answer."""

from dataclasses import replace
from typing import Any, cast

import pytest

from connorg.core.domain.claims import Submitted
from connorg.core.onboarding.idempotency import Submission
from connorg.core.onboarding.submit import submit
from tests.unit.core.services_under_test import simulated_core
from tests.unit.partners import request

SECRET = "hunter2"


class BrokenGateway:
    def __getattr__(self, name: str) -> object:
        raise RuntimeError(SECRET)


async def test_what_breaks_an_attempt_is_logged_without_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    services = replace(simulated_core(), gateway=cast("Any", BrokenGateway()))
    submission = Submission(request(), channel="http")
    accepted = await submit(services, submission, wait=5)
    assert isinstance(accepted, Submitted)
    assert not accepted.onboarding.status.terminal
    assert "builtins.RuntimeError" in caplog.text
    assert SECRET not in caplog.text
