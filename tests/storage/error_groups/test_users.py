"""Sketches of users: exact for few, within three percent for many, the same in any order."""

import random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.error_groups.users import EXACT_AT_MOST, joined, number_of, user_key, with_users

PROJECT = UUID(int=7)
keys = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=50)


def users(first: int, last: int) -> list[int]:
    return [user_key(PROJECT, f"user-{number}") for number in range(first, last)]


@pytest.mark.parametrize("number", [0, 1, 2, EXACT_AT_MOST - 1, EXACT_AT_MOST])
def test_few_users_are_counted_exactly(number: int) -> None:
    assert number_of(with_users(None, users(0, number))) == number


@pytest.mark.parametrize("number", [EXACT_AT_MOST + 1, 5_000, 20_000, 41_000, 60_000, 300_000])
def test_many_users_are_counted_within_three_percent(number: int) -> None:
    assert abs(number_of(with_users(None, users(0, number))) / number - 1) <= 0.03


@given(keys, keys, st.randoms(use_true_random=False))
def test_order_repetition_and_parts_do_not_matter(
    some: list[int], others: list[int], chance: random.Random
) -> None:
    every = some + others + some
    chance.shuffle(every)
    expected = with_users(None, every)
    assert with_users(with_users(None, some), others) == expected
    assert joined([with_users(None, some), with_users(None, others)]) == expected
    assert number_of(expected) == len(set(every))


def test_exact_and_estimated_sketches_are_joined_without_loss() -> None:
    many, few, all_ = users(0, 5_000), users(4_900, 5_100), users(0, 5_100)
    expected = with_users(None, all_)
    parts = [with_users(None, many), with_users(None, few)]
    assert joined(parts) == joined(parts[::-1]) == expected
    assert joined([expected, expected, None]) == expected
