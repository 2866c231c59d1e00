"""Tokens of two texts are paired with the least that is left over; numbers are subtracted as they are paired."""

from functools import cache
from random import Random

import pytest
import torch

from app.runs.difference import NO_PARTNER, align, subtract


def _least(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    """Compute Levenshtein's distance as its definition says it."""

    @cache
    def of(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        return min(of(i - 1, j) + 1, of(i, j - 1) + 1, of(i - 1, j - 1) + (a[i - 1] != b[j - 1]))

    return of(len(a), len(b))


def test_pairs_cost_no_more_than_need_be_and_never_cross() -> None:
    random = Random(3)
    for _ in range(300):
        a, b = (tuple(random.choices(range(4), k=random.randrange(9))) for _ in range(2))
        partners = align(a, b)
        paired = [(place, int(partner)) for place, partner in enumerate(partners) if partner != NO_PARTNER]
        others = [partner for _, partner in paired]
        assert others == sorted(set(others))
        assert all(0 <= partner < len(b) for partner in others)
        replaced = sum(a[place] != b[partner] for place, partner in paired)
        assert replaced + len(a) + len(b) - 2 * len(paired) == _least(a, b)


@pytest.mark.parametrize(
    ("text", "other", "partners"),
    [
        ("the big cat sat", "the cat sat", [0, -1, 1, 2]),
        ("the cat sat", "the big cat sat", [0, 2, 3]),
        ("the dog sat", "the cat sat", [0, 1, 2]),
        ("a b", "", [-1, -1]),
        ("", "a b", []),
    ],
)
def test_a_replaced_token_has_a_partner_and_an_added_one_has_none(text: str, other: str, partners: list[int]) -> None:
    words = {word: number for number, word in enumerate(f"{text} {other}".split())}
    ids = [tuple(words[word] for word in one.split()) for one in (text, other)]
    assert align(*ids).tolist() == partners


def test_a_long_text_is_paired_too() -> None:
    random = Random(5)
    long = tuple(random.choices(range(50), k=1000))
    partners = align((*long[:400], 99, *long[410:]), long)
    assert partners[0] == 0
    assert partners[-1] == 999
    assert (partners >= 0).sum() >= 990


def test_numbers_are_subtracted_in_float32_and_what_is_masked_stays_so() -> None:
    inf, nan = torch.inf, torch.nan
    mine = torch.tensor([[0.1, -inf, -inf, 5.0], [1.0, 2.0, nan, inf]])
    theirs = torch.tensor([[0.7, -inf, 1.0, 2.0], [0.0, 0.5, 0.0, 0.0]])
    less = subtract(mine, theirs, [(0, torch.tensor([0, 1])), (1, torch.tensor([0, 1, 2, NO_PARTNER]))], inf)
    assert less[0, 0] == torch.tensor(0.1) - torch.tensor(0.7)
    assert less[0].tolist()[1:] == [-inf, -inf, inf]
    assert less[1].tolist()[:2] == [1.0, 1.5]
    assert less[1, 2].isnan()
    # An infinite difference cannot be told from "no partner", so it is not-a-number.
    assert subtract(mine, theirs, [], inf)[1, 3].isnan()
