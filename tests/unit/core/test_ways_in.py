"""The table of who may have which effect, by which way in: walked whole."""

from itertools import product

import pytest

from connorg.contract.effects import ROLES, Effect, Role
from connorg.core.policy.rules import Policy
from connorg.core.policy.ways_in import ON_STANDING, WaysIn, effects_of
from tests.unit.partners import request

CHANNELS = ("http", "batch", "queue", "webhook:jira", "webhook:zendesk")
SETTINGS = ((), ("http",), ("batch",), ("queue",), ("webhook:jira",), ("webhook:*",), ("*",))
UPDATES_FROM = ((), ("queue",), ("webhook:jira",), ("webhook:*",), ("*",))
COVERED = {
    "http": {"http", "batch"},
    "batch": {"batch"},
    "queue": {"queue"},
    "webhook:jira": {"webhook:jira"},
    "webhook:*": {"webhook:jira", "webhook:zendesk"},
    "*": {*CHANNELS},
}
STANDS = {"update": True, "return": False, "fail": False, None: False}
ASKED = {
    (state, if_exists, sponsors): {
        Effect.PROPOSE if state == "proposed" else Effect.CONNECT,
        *([Effect.CHANGE] if if_exists == "update" else []),
        *([Effect.SPONSOR] if if_exists == "update" and sponsors else []),
    }
    for state, if_exists, sponsors in product(
        ("configured", "proposed"), STANDS, ((), ("ada@contoso.com",))
    )
}


def named(entries: tuple[str, ...]) -> set[str]:
    return {channel for entry in entries for channel in COVERED[entry]}


def wanted(effect: Effect, channel: str, ways_in: WaysIn) -> bool:
    """The table, in other words than the product's."""
    if channel in named(ways_in.proposed_only):
        return effect is Effect.PROPOSE
    if effect in {Effect.PROPOSE, Effect.CONNECT}:
        return True
    if effect in {Effect.CHANGE, Effect.SPONSOR}:
        return channel in {"http", "batch", *named(ways_in.updates_from)}
    return channel == "http"


def test_each_way_in_takes_what_the_table_says() -> None:
    walked = 0
    for proposed_only, updates_from in product(SETTINGS, UPDATES_FROM):
        ways_in = WaysIn(proposed_only, updates_from)
        for effect, channel in product(Effect, CHANNELS):
            place = f"{effect} by {channel} of {ways_in}"
            assert ways_in.take(effect, channel) is wanted(effect, channel, ways_in), place
            walked += 1
    assert walked == len(SETTINGS) * len(UPDATES_FROM) * len(Effect) * len(CHANNELS)


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_a_request_is_refused_where_its_way_in_may_not_have_its_effect(
    asked: tuple[str, str | None, tuple[str, ...]],
) -> None:
    state, if_exists, sponsors = asked
    one = request(state=state, ifExists=if_exists, internalSponsors=[*sponsors])
    assert effects_of(one) == ASKED[asked]
    for proposed_only, updates_from, channel in product(SETTINGS, UPDATES_FROM, CHANNELS):
        ways_in = WaysIn(proposed_only, updates_from)
        refused = {effect for effect in ASKED[asked] if not wanted(effect, channel, ways_in)}
        rules = {"proposedOnly"} if Effect.CONNECT in refused else set()
        rules |= {"updates"} if refused & ON_STANDING else set()
        policy = Policy(ways_in=ways_in)
        for refusal in (policy.early_refusal(one, channel), policy.refusal(one, channel)):
            found = {fault.rule for fault in refusal.faults} if refusal else set()
            assert found == rules, f"by {channel} of {ways_in}"


def test_who_may_submit_may_begin_and_change_nothing_that_stands() -> None:
    assert ROLES.keys() == set(Effect)
    assert {effect for effect, role in ROLES.items() if role is Role.SUBMIT} == {
        Effect.PROPOSE,
        Effect.CONNECT,
    }
    assert {effect for effect, role in ROLES.items() if role is Role.DELETE} == {
        Effect.DELETE,
        Effect.FORGET,
    }
    assert Role.READ not in ROLES.values()
