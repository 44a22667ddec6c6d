"""A table in one test hides no wrong case behind another."""

import pytest

from tests.cases import each


def is_even(numbers: list[int]) -> None:
    for case in each(numbers):
        with case as number:
            assert number % 2 == 0, 1 / number


def is_refused(texts: list[str]) -> None:
    for case in each(texts):
        with case as text, pytest.raises(ValueError, match="invalid literal"):
            int(text)


def test_every_wrong_case_is_named_with_what_was_wrong_about_it() -> None:
    with pytest.raises(BaseExceptionGroup) as raised:
        is_even([1, 2, "3", 5])  # type: ignore[list-item]
    assert [type(error) for error in raised.value.exceptions] == [
        AssertionError,
        TypeError,
        AssertionError,
    ]
    assert raised.value.message.splitlines()[1:] == ["The case: 1", "The case: '3'", "The case: 5"]


def test_where_nothing_was_raised_that_should_have_been_the_case_is_wrong() -> None:
    with pytest.raises(BaseExceptionGroup, match=r"1 of 3 are wrong:\nThe case: '7'$"):
        is_refused(["seven", "7", ""])


def test_a_table_without_a_wrong_case_passes() -> None:
    is_even([2, 4])
    is_refused(["seven"])


def test_an_empty_table_shows_nothing() -> None:
    with pytest.raises(AssertionError, match="the table is empty"):
        is_even([])
