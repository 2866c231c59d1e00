"""The lenses of attention: their numbers against NumPy on the run's own tensors."""

import numpy as np
import pytest
import torch

from tests.api.seen import see, table
from tests.api.test_numbers import TOKENS, activation
from tests.conftest import TINY, Server


@pytest.mark.parametrize(
    "stage, name", [("pattern", "hook_pattern"), ("scores", "hook_attn_scores"), ("scores_raw", "hook_attn_scores_raw")]
)
def test_attention_is_the_runs_own(server: Server, run: str, stage: str, name: str) -> None:
    seen = see(server, run, "attention", layer=2, head=1, stage=stage)
    expected = activation(server, run, f"blocks.2.attn.{name}")[1]
    found = np.array([[-np.inf if value is None else value for value in row] for row in seen["matrix"]], np.float32)
    np.testing.assert_array_equal(found, expected)
    assert seen["tokens"] == [f"#{token}" for token in TOKENS] + seen["tokens"][7:]
    rows = table(server, run, "attention", layer=2, head=1, stage=stage)
    assert len(rows) == expected.size
    assert float(rows[0][stage]) == pytest.approx(float(expected[0, 0]))


def test_the_board_holds_every_head(server: Server, run: str) -> None:
    board = see(server, run, "attention_board")
    for layer in range(TINY.layers):
        pattern = activation(server, run, f"blocks.{layer}.attn.hook_pattern")
        np.testing.assert_allclose(board["maps"][layer], pattern, atol=5e-5)
        shares = np.where(pattern > 0, pattern, 1)
        entropy = -(pattern * np.log2(shares)).sum(-1).mean(-1)
        np.testing.assert_allclose(board["measures"]["entropy"][layer], entropy, atol=1e-5)
        before = [np.mean([pattern[head, q, q - 1] for q in range(1, pattern.shape[1])]) for head in range(2)]
        np.testing.assert_allclose(board["measures"]["previous"][layer], before, atol=1e-6)
    assert len(table(server, run, "attention_board")) == TINY.layers * TINY.heads
    one = see(server, run, "attention_board", layer=1)
    assert (one["layers"], one["maps"]) == ([1], [board["maps"][1]])
    assert one["measures"]["entropy"] == [board["measures"]["entropy"][1]]
    assert {row["layer"] for row in table(server, run, "attention_board", layer=1)} == {"1"}


def test_the_board_says_what_each_head_looks_at_above_the_usual(server: Server, run: str) -> None:
    """The last query's row, less what every key gets from all queries and heads that may look at it."""
    looks = see(server, run, "attention_board")["looks"]
    patterns = np.stack([activation(server, run, f"blocks.{layer}.attn.hook_pattern") for layer in range(TINY.layers)])
    last = patterns.shape[2] - 1
    assert looks["query"] == last
    above = patterns[:, :, last] - patterns.sum((0, 1, 2)) / (patterns > 0).sum((0, 1, 2))
    others = above[..., :last]
    np.testing.assert_array_equal(looks["keys"], others.argmax(-1))
    np.testing.assert_allclose(looks["above"], others.max(-1), atol=1e-5)
    shares = np.take_along_axis(patterns[:, :, last], others.argmax(-1)[..., None], -1)[..., 0]
    np.testing.assert_allclose(looks["shares"], shares, atol=1e-5)


def test_a_look_is_at_a_word_of_the_text(server: Server, story: str) -> None:
    """Not at what is put before it, which most heads rest on; one token alone has nothing to look at."""
    board = see(server, story, "attention_board")
    assert all(key > 0 for heads in board["looks"]["keys"] for key in heads)
    alone = server.make_run(model="tiny", tokens=[1])["id"]
    assert see(server, str(alone), "attention_board")["looks"] is None


def test_induction_is_measured_on_a_sequence_read_twice(server: Server, run: str) -> None:
    """The same sequence again as a run of its own, and the direct formula on its patterns."""
    seen = see(server, run, "head_measures", measure="induction", seed=3)
    length = seen["sequence"]["tokens"]
    order = torch.randperm(TINY.d_vocab, generator=torch.Generator().manual_seed(3)).tolist()[:length]
    again = server.make_run(model="tiny", tokens=[*order, *order])["id"]
    for layer in range(TINY.layers):
        pattern = activation(server, again, f"blocks.{layer}.attn.hook_pattern")
        for head in range(TINY.heads):
            shares = [pattern[head, length + i, i + 1] for i in range(length)]
            assert seen["measures"]["induction"][layer][head] == pytest.approx(np.mean(shares), abs=1e-5)
            shares = [pattern[head, length + i, i] for i in range(length)]
            assert seen["measures"]["duplicate"][layer][head] == pytest.approx(np.mean(shares), abs=1e-5)


def test_query_times_key_is_the_score(server: Server, run: str) -> None:
    seen = see(server, run, "query_key", layer=1, head=1, query=5, key=2)
    query = activation(server, run, "blocks.1.attn.hook_q")[5, 1]
    key = activation(server, run, "blocks.1.attn.hook_k")[2, 1]
    np.testing.assert_allclose(seen["products"], query * key / np.sqrt(TINY.d_head), rtol=1e-6)
    score = activation(server, run, "blocks.1.attn.hook_attn_scores_raw")[1, 5, 2]
    assert seen["sum"] == pytest.approx(seen["score"], abs=1e-5)
    assert seen["score"] == pytest.approx(float(score))


def test_rollout_rows_sum_to_one(server: Server, run: str) -> None:
    matrix = np.array(see(server, run, "rollout", layer=1)["matrix"])
    expected = np.eye(len(matrix))
    for layer in (0, 1):
        mean = activation(server, run, f"blocks.{layer}.attn.hook_pattern").astype(np.float64).mean(0)
        expected = (mean + np.eye(len(matrix))) / 2 @ expected
    np.testing.assert_allclose(matrix, expected, atol=1e-6)
