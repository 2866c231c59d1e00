"""Measures of heads on patterns made by hand, and rollout and projection against their definitions."""

import math

import numpy as np
import pytest
import torch

from app.lenses.embeddings import principal_components
from app.lenses.measures import in_repetition, in_text, mean_square_pool
from app.lenses.rollout import rollout


def pattern_to(targets: list[int], size: int) -> torch.Tensor:
    """Make one head whose query q gives everything to `targets[q]`."""
    pattern = torch.zeros(1, size, size)
    for query, key in enumerate(targets):
        pattern[0, query, key] = 1
    return pattern


def test_a_perfect_induction_head_scores_one() -> None:
    start, length = 1, 5
    size = start + 2 * length
    second = range(start + length, size)
    perfect = pattern_to([0] * (start + length) + [query - length + 1 for query in second], size)
    assert in_repetition(perfect, start, length)["induction"].tolist() == [1]
    assert in_repetition(perfect, start, length)["duplicate"].tolist() == [0]
    twin = pattern_to([0] * (start + length) + [query - length for query in second], size)
    assert in_repetition(twin, start, length)["duplicate"].tolist() == [1]
    half = (perfect + pattern_to([0] * size, size)) / 2
    assert in_repetition(half, start, length)["induction"].tolist() == [0.5]


def test_measures_of_heads_that_look_at_one_place() -> None:
    size = 6
    previous = in_text(pattern_to([0, 0, 1, 2, 3, 4], size))
    assert previous["previous"].tolist() == [1]
    assert previous["first"].tolist() == [pytest.approx(1 / 5)]  # only query 1 has the first token before it
    assert previous["distance"].tolist() == [pytest.approx(5 / 6)]
    assert previous["entropy"].tolist() == [0]
    first = in_text(pattern_to([0] * size, size))
    assert first["first"].tolist() == [1]
    assert first["distance"].tolist() == [pytest.approx(sum(range(size)) / size)]


def test_entropy_of_an_even_head() -> None:
    size = 4
    even = torch.ones(size, size).tril()
    even = (even / even.sum(-1, keepdim=True)).unsqueeze(0)
    assert in_text(even)["entropy"].item() == pytest.approx(sum(math.log2(n) for n in (1, 2, 3, 4)) / size)


def test_one_token_has_none_before_it() -> None:
    assert set(in_text(torch.ones(1, 1, 1))) == {"entropy", "distance"}


def test_pooling_keeps_a_lone_cell_visible() -> None:
    pattern = torch.zeros(1, 64, 64)
    pattern[0, 40, 20] = 1
    pooled = mean_square_pool(pattern, 16)
    assert pooled.shape == (1, 16, 16)
    assert pooled[0, 10, 5] == pytest.approx(math.sqrt(1 / 16))
    assert pooled.count_nonzero() == 1
    assert torch.equal(mean_square_pool(pattern[:, :9, :9], 16), pattern[:, :9, :9])


def test_rollout_is_the_papers_recursion() -> None:
    generator = np.random.default_rng(0)
    weights = generator.random((3, 2, 5, 5))
    weights /= weights.sum(-1, keepdims=True)
    expected = np.eye(5)
    for layer in weights:
        expected = (0.5 * layer.mean(0) + 0.5 * np.eye(5)) @ expected
    found = rollout([torch.tensor(layer, dtype=torch.float32) for layer in weights]).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-6)


def test_projection_is_numpys_svd() -> None:
    vectors = np.random.default_rng(1).normal(size=(40, 12)) * np.arange(1, 13)
    points, share = principal_components(torch.tensor(vectors), 3)
    centred = vectors - vectors.mean(0)
    _, singular, right = np.linalg.svd(centred, full_matrices=False)
    expected = centred @ right[:3].T
    np.testing.assert_allclose(np.abs(points.numpy()), np.abs(expected), atol=1e-9)
    np.testing.assert_allclose(share.numpy(), singular[:3] ** 2 / (singular**2).sum(), atol=1e-12)
    # The same data as their covariance's eigenvectors see it: the variances along the components.
    eigenvalues = np.linalg.eigvalsh(np.cov(vectors.T))[::-1][:3]
    np.testing.assert_allclose(points.numpy().var(0, ddof=1), eigenvalues, rtol=1e-9)
