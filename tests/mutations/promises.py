"""Breaks of what connorg promises: each partner once, nothing lost, the true reason is given."""

from tests.mutations.mutation import Mutation

_LEDGER = "tests/contract/test_ledger.py"
_LIFECYCLE = "tests/unit/core/test_lifecycle.py"
_POLICY = "tests/unit/core/test_policy_rules.py"
_PROOF = "tests/unit/webhooks/test_proof.py"
_REQUESTS = "tests/unit/contract/test_requests.py"
_SETBACKS = "tests/unit/graph/test_setbacks.py"

MUTATIONS = (
    Mutation(
        "an attempt that died leaves no doubt",
        "connorg/core/domain/lifecycle.py",
        old="    return limit + timedelta(seconds=timing.settle)",
        new="    return onboarding.doubt_until",
        killed_by=f"{_LIFECYCLE}::test_who_takes_over_from_the_dead_is_in_doubt",
    ),
    Mutation(
        "an ambiguous answer leaves no doubt",
        "connorg/core/domain/lifecycle.py",
        old="isinstance(setback, Later) and setback.ambiguous",
        new="isinstance(setback, Later) and setback.throttled",
        killed_by=f"{_LIFECYCLE}::test_an_ambiguous_failure_leaves_a_doubt_and_a_clear_one_does_not",
    ),
    Mutation(
        "a replay forgets the doubt",
        "connorg/core/domain/lifecycle.py",
        old="        attempts=0,\n",
        new="        attempts=0,\n        doubt_until=None,\n",
        killed_by=f"{_LIFECYCLE}::test_a_replay_starts_anew_but_keeps_the_doubt",
    ),
    Mutation(
        "a server error is taken for a call that did nothing",
        "connorg/graph/setbacks.py",
        old="Later(error, ambiguous=True,",
        new="Later(error, ambiguous=False,",
        killed_by=f"{_SETBACKS}::test_what_may_have_been_carried_out_is_looked_up",
    ),
    Mutation(
        "a newcomer takes over an identity source without its doubt",
        "connorg/core/domain/claims.py",
        old='{"doubt_until": max(doubts, default=None)}',
        new='{"doubt_until": newcomer.doubt_until}',
        killed_by=f"{_LIFECYCLE}::test_who_takes_over_an_identity_source_takes_over_the_doubt",
    ),
    Mutation(
        "an onboarding that runs gives way to another",
        "connorg/core/domain/claims.py",
        old="        return holder.status.terminal\n",
        new="        return True\n",
        killed_by=f"{_LEDGER}::test_a_claim_that_does_not_give_way_keeps_others_out",
    ),
    Mutation(
        "another body under the same Idempotency-Key is taken for the first",
        "connorg/core/onboarding/idempotency.py",
        old="bound.fingerprint != fingerprint",
        new="bound.fingerprint == ''",
        killed_by="tests/unit/core/test_idempotency.py::test_another_body_is_a_conflict_with_the_first",
    ),
    Mutation(
        "two callers share their Idempotency-Keys",
        "connorg/storage/entities.py",
        old='f"{caller}\\0{key}".encode()',
        new="key.encode()",
        killed_by=f"{_LEDGER}::test_keys_of_two_callers_are_two_keys",
    ),
    Mutation(
        "what a newer version wrote is read and written over",
        "connorg/contract/versions.py",
        old="known > VERSION",
        new="known > VERSION + 1",
        killed_by="tests/contract/test_recorded.py::test_a_message_of_a_newer_version_is_told_from_one_that_cannot_be_understood",
    ),
    Mutation(
        "a field that nobody knows is ignored",
        "connorg/contract/model.py",
        old='extra="forbid"',
        new='extra="ignore"',
        killed_by=f"{_REQUESTS}::test_an_unknown_field_is_refused_by_name",
    ),
    Mutation(
        "the partner's default domain is not held against the list of the denied",
        "connorg/core/policy/rules.py",
        old="names += [tenant.tenant_id, tenant.default_domain_name]",
        new="names += [tenant.tenant_id]",
        killed_by=f"{_POLICY}::test_who_is_denied_is_known_by_domain_tenant_and_default_domain",
    ),
    Mutation(
        "a channel that may only propose may configure",
        "connorg/core/policy/ways_in.py",
        old="fnmatchcase(channel, entry)",
        new="channel is entry",
        killed_by=f"{_POLICY}::test_some_sources_may_only_propose",
    ),
    Mutation(
        "a delivery proves itself for ever",
        "connorg/webhooks/proof.py",
        old="WINDOW = timedelta(minutes=5)",
        new="WINDOW = timedelta(days=5)",
        killed_by=f"{_PROOF}::test_a_replay_outside_the_window_is_refused",
    ),
    Mutation(
        "the signature of a callback leaves its time out",
        "connorg/standard_webhooks.py",
        old='f"{webhook_id}.{timestamp}."',
        new='f"{webhook_id}.."',
        killed_by="tests/unit/core/test_callbacks.py::test_a_signature_is_that_of_the_specification",
    ),
)
