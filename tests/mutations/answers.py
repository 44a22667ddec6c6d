"""Breaks of what Graph's answers are taken for, and of how an organization is looked for."""

from tests.mutations.mutation import Mutation

_MEANINGS = "connorg/graph/meanings.py"
_TEST = "tests/unit/graph/test_setbacks.py"
_SEARCH = "connorg/graph/search.py"
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
)
