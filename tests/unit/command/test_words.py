"""The command shares nothing with the app, but says the same words to it."""

from enum import StrEnum

import pytest

import function_app
from connorg.command import files, onboardings, overview
from connorg.contract import batches, onboarding, requests, sponsors


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (onboardings.Status, onboarding.Status),
        (files.OnInvalid, batches.OnInvalid),
        (files.State, requests.State),
        (overview.SponsorKind, sponsors.SponsorKind),
    ],
)
def test_a_choice_of_an_option_is_one_of_the_app_s(
    ours: type[StrEnum], theirs: type[StrEnum]
) -> None:
    assert [*map(str, ours)] == [*map(str, theirs)]


def test_each_report_is_a_route() -> None:
    routes = {route.path for route in function_app.routes}
    assert {f"reports/{report}" for report in overview.Report} <= routes
