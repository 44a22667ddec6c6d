"""Breaks of what Graph's answers are taken for, and of how an organization is looked for."""

from tests.mutations.mutation import Mutation

_MEANINGS = "connorg/graph/meanings.py"
_TEST = "tests/unit/graph/test_setbacks.py"
_SEARCH = "connorg/graph/search.py"
_CONFIRM = "tests/unit/core/test_confirm.py"
_STEPS = "tests/unit/core/test_steps.py"
_SEARCH_TEST = "tests/unit/graph/test_search.py"

MUTATIONS = (
    Mutation(
        "a fault of one object is taken for the app's",
        _MEANINGS,
        old="told.call in OF_THE_COLLECTION | {Call.LOOKUP}",
        new="told.call in Call",
        killed_by=f"{_TEST}::test_each_answer_has_its_meaning",
    ),
    Mutation(
        "a duplicate is known by the outer code alone",
        "connorg/graph/words.py",
        old="        body = self.body.lower()\n",
        new='        body = (self.code or "").lower()\n',
        killed_by=f"{_TEST}::test_a_duplicate_is_known_by_its_name_wherever_it_stands",
    ),
    Mutation(
        "a partner's name that speaks of licences stops everybody",
        _MEANINGS,
        old="    text = told.words.unquoted\n",
        new="    text = told.words.text\n",
        killed_by=f"{_TEST}::test_each_answer_has_its_meaning",
    ),
    Mutation(
        "a conflict is not looked up",
        _MEANINGS,
        old="_at(408, 409, 424, 499)",
        new="_at(408, 424, 499)",
        killed_by=f"{_TEST}::test_what_may_have_been_carried_out_is_looked_up",
    ),
    Mutation(
        "a Retry-After of nothing is obeyed",
        "connorg/graph/setbacks.py",
        old="seconds < _SHORTEST_PAUSE",
        new="seconds < -_SHORTEST_PAUSE",
        killed_by=f"{_TEST}::test_retry_after_is_read_in_each_of_its_forms",
    ),
    Mutation(
        "a search stops at the first page",
        _SEARCH,
        old="        if page.next_link is None:\n            works",
        new="        if True:\n            works",
        killed_by=f"{_SEARCH_TEST}::test_what_stands_is_found_in_every_dialect",
    ),
    Mutation(
        "a search believes a filter that is ignored",
        _SEARCH,
        old="found = next(filter(is_it, page.value), None)",
        new="found = next(iter(page.value), None)",
        killed_by=f"{_SEARCH_TEST}::test_what_does_not_stand_is_not_found_in_any_dialect",
    ),
    Mutation(
        "a search of a minute ago proves that nothing was created since",
        _SEARCH,
        old="asked_at - _LASTS if since is None else since",
        new="asked_at - _LASTS",
        killed_by=f"{_SEARCH_TEST}::test_an_older_listing_proves_nothing_of_what_came_after",
    ),
    Mutation(
        "what was deleted by hand is told to stand",
        "connorg/core/onboarding/submit.py",
        old="            return await is_gone(services, holder)\n",
        new="            return False\n",
        killed_by=f"{_CONFIRM}::test_a_new_request_has_it_onboarded_again",
    ),
    Mutation(
        "what was connected a moment ago is asked for again",
        "connorg/core/onboarding/confirm.py",
        old="now - concluded <= timedelta(seconds=timing.confirm_after)",
        new="now - concluded <= timedelta(0)",
        killed_by=f"{_CONFIRM}::test_what_was_concluded_minutes_ago_is_believed",
    ),
    Mutation(
        "a message that is delivered again recreates what was removed",
        "connorg/core/onboarding/confirm.py",
        old=" and asked > concluded",
        new="",
        killed_by=f"{_CONFIRM}::test_a_message_that_is_delivered_again_recreates_nothing",
    ),
    Mutation(
        "nobody tells when a message was put on the queue",
        "connorg/functions/queues/envelope.py",
        old="    return put if put is not None and put.tzinfo is not None else None\n",
        new="    return None\n",
        killed_by="tests/unit/functions/test_http_kit.py::test_a_message_tells_when_it_was_put",
    ),
    Mutation(
        "whatever Graph answers, what was asked for is gone",
        "connorg/core/onboarding/confirm.py",
        old="    if not isinstance(found, Refused) or not found.not_found:\n        return False\n",
        new="",
        killed_by=f"{_CONFIRM}::test_what_still_stands_is_asked_for_once_and_told_as_before",
    ),
    Mutation(
        "a message joins what its submit still asks Graph about",
        "connorg/core/onboarding/resume.py",
        old="if armed and age < services.timing.confirming:",
        new="if age < 0:",
        killed_by=f"{_CONFIRM}::test_the_message_waits_while_its_submit_asks_graph",
    ),
    Mutation(
        "a domain that no tenant has is connected all the same",
        "connorg/core/policy/rules.py",
        old="if self.tenant_only and has_none:",
        new="if self.tenant_only and tenant:",
        killed_by=f"{_STEPS}::test_where_only_tenants_may_be_connected_other_domains_are_refused",
    ),
    Mutation(
        "where no tenant can be looked up any domain is connected",
        "connorg/core/onboarding/steps.py",
        old="if policy.tenant_only and self._tenant_unknown:",
        new="if policy.tenant_only and self._has_no_tenant:",
        killed_by=f"{_STEPS}"
        "::test_where_only_tenants_may_be_connected_and_none_can_be_looked_up_all_wait",
    ),
    Mutation(
        "nobody is told that no tenant has the domain",
        "connorg/core/onboarding/steps.py",
        old="return (no_tenant(domain),) if self._has_no_tenant and domain else ()",
        new="return (no_tenant(domain),) if self._tenant and domain else ()",
        killed_by=f"{_STEPS}::test_a_domain_that_no_tenant_has_is_connected_with_a_warning",
    ),
)
