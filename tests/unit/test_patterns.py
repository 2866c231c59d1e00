"""What a wish with stars means, and that no wish takes long to match."""

import time

import pytest

from app.runs.patterns import Names, PatternError, patterns

NAMES = [
    "hook_embed",
    "blocks.0.attn.hook_q",
    "blocks.0.hook_mlp_out",
    "blocks.1.hook_mlp_out",
    "blocks.11.ln1.hook_out",
]


@pytest.mark.parametrize(
    "wish, expected",
    [
        ("hook_embed", ["hook_embed"]),
        ("hook_", []),
        ("*", ["hook_embed"]),
        ("***", ["hook_embed"]),
        ("hook_*embed", ["hook_embed"]),
        ("hook_e*embed", []),
        ("*d*e*", []),
        ("*e*d*", ["hook_embed"]),
        ("blocks.*.hook_mlp_out", ["blocks.0.hook_mlp_out", "blocks.1.hook_mlp_out"]),
        ("blocks.**.hook_*_out", ["blocks.0.hook_mlp_out", "blocks.1.hook_mlp_out"]),
        ("blocks.1*.*.*", ["blocks.11.ln1.hook_out"]),
        ("*.*.*.*", ["blocks.0.attn.hook_q", "blocks.11.ln1.hook_out"]),
        ("*blocks.0.hook_mlp_out", ["blocks.0.hook_mlp_out"]),
        ("", []),
    ],
)
def test_a_star_stands_for_any_text_between_two_dots(wish: str, expected: list[str]) -> None:
    assert Names(NAMES).matching(wish) == expected


def test_a_name_has_few_stars_and_takes_no_time() -> None:
    names = Names(["a" * 200] * 100)
    started = time.process_time()
    assert names.matching("*" * 199 + "x") == []
    assert names.matching("*a" * 8 + "b") == []
    assert time.process_time() - started < 1
    with pytest.raises(PatternError):
        names.matching("*a" * 9)


def test_only_different_wishes_with_stars_are_counted() -> None:
    assert patterns(["a", "b*", "b*", "*.c"]) == 2
