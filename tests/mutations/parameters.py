"""Breaks of what a caller says beside the body: ignored, or read as something else."""

from tests.mutations.mutation import Mutation

_MODULE = "connorg/functions/http/parameters.py"
_TABLE = (
    "tests/unit/functions/test_parameters.py"
    "::test_whatever_a_route_does_not_take_is_refused_by_name"
)

MUTATIONS = (
    Mutation(
        "a misspelt parameter is ignored",
        _MODULE,
        old="        if name.lower() not in {*names, HOST_KEY}:\n",
        new="        if len(name) > 99:\n",
        killed_by=_TABLE,
    ),
    Mutation(
        "of a parameter that comes twice the first one counts",
        _MODULE,
        old="        if len(texts) > 1:\n",
        new="        if len(texts) > 9:\n",
        killed_by=_TABLE,
    ),
    Mutation(
        "an empty parameter counts as none",
        _MODULE,
        old="keep_blank_values=True",
        new="keep_blank_values=False",
        killed_by=_TABLE,
    ),
    Mutation(
        "a precondition is ignored where none is checked",
        _MODULE,
        old="for header in _STEERING if changes else ():",
        new="for header in _STEERING if not changes else ():",
        killed_by="tests/unit/functions/test_parameters.py"
        "::test_a_header_that_steers_is_used_or_refused",
    ),
    Mutation(
        "a number without a unit is a moment of 1970",
        "connorg/functions/http/onboarding_filters.py",
        old="        if re.fullmatch(_TIME, text.upper()):",
        new="        if text:",
        killed_by=_TABLE,
    ),
    Mutation(
        "a declared parameter is read by nobody",
        "connorg/functions/endpoints/onboardings.py",
        old="@takes(READ_BACK)\n",
        new="@takes(READ_BACK, DRY_RUN)\n",
        killed_by="tests/unit/functions/test_parameters.py"
        "::test_a_handler_reads_what_it_declares_and_nothing_else",
    ),
)
