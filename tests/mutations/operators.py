"""Breaks of what operators see, and of what they do to many at once."""

from tests.mutations.mutation import Mutation

_HISTORY = "tests/unit/core/test_history.py"
_AUDIT = "tests/unit/functions/test_audit.py"

MUTATIONS = (
    Mutation(
        "the ledger does not keep the history",
        "connorg/storage/entities.py",
        old='"history": history_of(entity)',
        new='"history": ()',
        killed_by=f"{_HISTORY}::test_who_asked_is_told_too_where_the_message_comes_first",
    ),
    Mutation(
        "the oldest steps are kept and the last are lost",
        "connorg/core/domain/history.py",
        old="[-MOST_STEPS:]",
        new="[:MOST_STEPS]",
        killed_by=f"{_HISTORY}::test_the_last_steps_are_kept",
    ),
    Mutation(
        "what was looked up is not written down",
        "connorg/core/onboarding/attempt.py",
        old="remember(current, *looked_up)",
        new="remember(current)",
        killed_by=f"{_HISTORY}::test_what_was_looked_up_is_told",
    ),
    Mutation(
        "a refused role leaves no line in the audit",
        "connorg/functions/http/audited.py",
        old="return is_dry or is_passed_over",
        new="return is_dry or is_passed_over or response.status_code == 403",
        killed_by=f"{_AUDIT}::test_a_refused_role_is_told_too",
    ),
    Mutation(
        "a route that changes something is not audited",
        "connorg/functions/http/route.py",
        old="if self.name in EFFECTS:",
        new='if self.name in EFFECTS and self.method == "POST":',
        killed_by=f"{_AUDIT}::test_each_route_that_changes_something_leaves_its_line",
    ),
    Mutation(
        "a dry run replays",
        "connorg/core/onboarding/several.py",
        old="None if dry_run else lambda onboarding_id: replay(services, onboarding_id, by),",
        new="lambda onboarding_id: replay(services, onboarding_id, by),",
        killed_by="tests/unit/core/test_several.py::test_a_dry_run_says_the_same_and_changes_nothing",
    ),
    Mutation(
        "a retry without a filter takes all",
        "connorg/functions/endpoints/onboarding_lists.py",
        old="[ids is not None, not which.is_empty, is_all].count(True) == 1",
        new="[ids is not None, not which.is_empty, is_all].count(True) < 2",
        killed_by="tests/unit/functions/test_onboarding_lists.py::test_a_call_must_say_which",
    ),
    Mutation(
        "a function key is taken for an error code",
        "connorg/functions/http/onboarding_filters.py",
        old="_CODE.fullmatch(code)",
        new="code",
        killed_by="tests/unit/functions/test_onboarding_filters.py::test_parameters_make_a_filter",
    ),
)
