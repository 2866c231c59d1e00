"""The lenses: their numbers against NumPy on the run's own tensors and weights, or against transformers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from transformers import GPT2LMHeadModel

from tests.api.seen import see, table, weight
from tests.api.test_numbers import activation
from tests.conftest import TINY, Server

# ---- through the layers -----------------------------------------------------------------------------------------


def test_logit_lens_is_transformers_norm_and_head_on_its_hidden_states(
    server: Server, run: str, tiny_folder: Path
) -> None:
    model_class: Any = GPT2LMHeadModel
    reference = model_class.from_pretrained(tiny_folder, attn_implementation="eager").eval()
    ids = [token["id"] for token in server.get(f"/runs/{run}")["tokens"]][:9]
    with torch.no_grad():
        out = reference(torch.tensor([ids]), output_hidden_states=True)
        # The last hidden state has been through the norm already.
        logits = [reference.lm_head(reference.transformer.ln_f(state))[0] for state in out.hidden_states[:-1]]
        logits.append(out.logits[0])
    seen = see(server, run, "logit_lens")
    assert seen["first"] == 0 and len(seen["stops"]) == 4
    final = torch.log_softmax(logits[-1].double(), -1)
    for row, expected in enumerate(logits):
        shares = torch.log_softmax(expected.double(), -1)
        assert seen["top"]["id"][row] == shares.argmax(-1).tolist()
        np.testing.assert_allclose(seen["probability"][row], shares.exp().amax(-1), atol=1e-4)
        np.testing.assert_allclose(
            seen["entropy"][row], -(shares.exp() * shares).sum(-1) / np.log(2), atol=1e-4, err_msg="entropy"
        )
        divergence = (final.exp() * (final - shares)).sum(-1) / np.log(2)
        np.testing.assert_allclose(seen["divergence"][row], divergence, atol=1e-3)
        won = final.argmax(-1)
        ranks = [(shares[pos] > shares[pos, won[pos]]).sum().item() + 1 for pos in range(9)]
        assert seen["rank"][row] == ranks


def test_the_last_row_of_the_logit_lens_is_the_output(server: Server, run: str) -> None:
    seen = see(server, run, "logit_lens", at="sub-layers")
    probabilities = activation(server, run, "probabilities")
    assert seen["top"]["id"][-1] == probabilities.argmax(-1).tolist()
    np.testing.assert_allclose(seen["probability"][-1], probabilities.max(-1), rtol=1e-6)
    assert seen["divergence"][-1] == [pytest.approx(0, abs=1e-5)] * 9
    assert set(seen["rank"][-1]) == {1}
    assert 0 <= seen["recomputed_difference"] < 1e-4
    for at in ("attention", "MLP"):
        alone = see(server, run, "logit_lens", at=at)
        assert [stop["name"].split("hook_")[1] for stop in alone["stops"]] == [
            {"attention": "attn_out", "MLP": "mlp_out"}[at]
        ] * 3
        assert alone["recomputed_difference"] is None


def test_rank_of_a_token_is_the_logit_lens_rank(server: Server, run: str) -> None:
    grid = see(server, run, "logit_lens", at="sub-layers", token="#7")
    curve = see(server, run, "token_rank", pos=4, token="#7")
    assert curve["rank"] == [row[4] for row in grid["rank"]]
    logits = activation(server, run, "logits")[4]
    assert curve["rank"][-1] == (logits > logits[7]).sum() + 1


# ---- residual stream --------------------------------------------------------------------------------------------


def test_norms_are_lengths(server: Server, run: str) -> None:
    seen = see(server, run, "residual_norms")
    assert len(seen["stops"]) == 1 + 2 * TINY.layers
    for row, stop in zip(seen["norms"], seen["stops"], strict=True):
        np.testing.assert_allclose(row, np.linalg.norm(activation(server, run, stop["name"]), axis=-1), rtol=1e-5)


@pytest.mark.parametrize("pos, token, minus", [(8, "", ""), (3, "#5", ""), (6, "#5", "#17")])
def test_contributions_sum_to_the_logit(server: Server, run: str, pos: int, token: str, minus: str) -> None:
    seen = see(server, run, "contributions", pos=pos, token=token, minus=minus)
    logits = activation(server, run, "logits")[pos].astype(np.float64)
    expected = logits[seen["token"]["id"]] - (logits[17] if minus else 0)
    assert seen["logit"] == pytest.approx(expected, abs=1e-6)
    assert sum(part["value"] for part in seen["parts"]) == pytest.approx(expected, abs=1e-4)
    assert abs(seen["difference"]) < 1e-4
    heads = [part for part in seen["parts"] if part["kind"] == "head"]
    assert len(heads) == TINY.layers * TINY.heads


def test_one_heads_contribution_by_hand(server: Server, run: str) -> None:
    part = next(p for p in see(server, run, "contributions", pos=2, token="#4")["parts"] if p["label"] == "head 1.1")
    result = activation(server, run, "blocks.1.attn.hook_result")[2, 1].astype(np.float64)
    scale = activation(server, run, "ln_final.hook_scale")[2]
    through = (result - result.mean()) / scale * weight(server, "ln_final.w")
    assert part["value"] == pytest.approx(float(through @ weight(server, "W_U")[:, 4]), abs=1e-5)


# ---- neurons ----------------------------------------------------------------------------------------------------


def test_strongest_neurons_are_the_largest_activations(server: Server, run: str) -> None:
    posts = np.stack([activation(server, run, f"blocks.{layer}.mlp.hook_post")[4] for layer in range(3)])
    seen = see(server, run, "neurons", pos=4, by="activation", k=6)["neurons"]
    order = np.argsort(-np.abs(posts), axis=None)[:6]
    assert [(one["layer"], one["neuron"]) for one in seen] == [divmod(int(at), TINY.d_mlp) for at in order]
    first = seen[0]
    written = weight(server, f"blocks.{first['layer']}.mlp.W_out")[first["neuron"]] * first["activation"]
    raised = (written - written.mean()) * weight(server, "ln_final.w") @ weight(server, "W_U")
    assert first["toward"] == [f"#{token}" for token in np.argsort(-raised)[:5]]
    assert first["against"] == [f"#{token}" for token in np.argsort(raised)[:5]]


def test_strongest_along_the_text_and_by_effect(server: Server, run: str) -> None:
    post = activation(server, run, "blocks.1.mlp.hook_post")
    seen = see(server, run, "neurons", over="text", layer=1, by="effect", k=3)["neurons"]
    strength = np.abs(post) * np.linalg.norm(weight(server, "blocks.1.mlp.W_out"), axis=-1)
    best = np.argsort(-strength.max(0))[:3]
    assert [one["neuron"] for one in seen] == best.tolist()
    assert [one["pos"] for one in seen] == [int(strength[:, neuron].argmax()) for neuron in best]


def test_one_neuron_along_the_text(server: Server, run: str) -> None:
    seen = see(server, run, "neuron", layer=2, neuron=11)
    np.testing.assert_allclose(seen["activation"], activation(server, run, "blocks.2.mlp.hook_post")[:, 11], rtol=1e-6)


# ---- embeddings -------------------------------------------------------------------------------------------------


def test_projection_is_numpys_svd_of_the_chosen_rows(server: Server, run: str) -> None:
    seen = see(server, run, "embeddings", which="vocabulary", dimensions="3")
    assert seen["rows"] == list(range(TINY.d_vocab))
    table_of = weight(server, "W_E")
    centred = table_of - table_of.mean(0)
    _, singular, right = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.abs(seen["points"]), np.abs(centred @ right[:3].T), atol=1e-5)
    np.testing.assert_allclose(seen["variance"], (singular**2 / (singular**2).sum())[:3], atol=1e-6)


def test_neighbours_are_the_nearest_by_cosine(server: Server, story: str) -> None:
    vectors = weight(server, "W_E", "stories")
    tokens = {one["text"]: one["id"] for one in see(server, story, "neighbours", words="She - girl")["terms"]}
    target = vectors[tokens[" She"]] - vectors[tokens[" girl"]]
    cosine = vectors @ target / np.linalg.norm(vectors, axis=-1) / np.linalg.norm(target)
    order = [int(token) for token in np.argsort(-cosine) if token not in tokens.values()][:15]
    seen = see(server, story, "neighbours", words="She - girl")
    assert [one["id"] for one in seen["neighbours"]] == order
    np.testing.assert_allclose([one["cosine"] for one in seen["neighbours"]], cosine[order], atol=1e-5)
    assert {one["text"] for one in seen["left_out"]} == {" She", " girl"}


def test_positions_are_compared_by_cosine(server: Server, run: str) -> None:
    vectors = weight(server, "W_pos")
    unit = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    seen = see(server, run, "position_similarity", first=2, count=5, step=3)
    np.testing.assert_allclose(seen["cosine"], (unit @ unit.T)[2:15:3, 2:15:3], atol=1e-6)


# ---- tokens -----------------------------------------------------------------------------------------------------


def softmax(logits: NDArray[Any], temperature: float) -> NDArray[np.float64]:
    scaled = logits.astype(np.float64) / temperature
    exponentials = np.exp(scaled - scaled.max(-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(-1, keepdims=True))


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_next_token_is_the_softmax_of_the_logits(server: Server, run: str, temperature: float) -> None:
    probabilities = softmax(activation(server, run, "logits"), temperature)
    seen = see(server, run, "next_token", pos=3, k=5, temperature=temperature)["candidates"]
    order = np.argsort(-probabilities[3])[:5]
    assert [one["id"] for one in seen] == order.tolist()
    np.testing.assert_allclose([one["probability"] for one in seen], probabilities[3][order], rtol=1e-5)
    assert see(server, run, "next_token")["pos"] == 8
    assert len(table(server, run, "next_token", k=29)) == 29


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_surprisal_is_minus_log2_of_what_came(server: Server, run: str, temperature: float) -> None:
    probabilities = softmax(activation(server, run, "logits"), temperature)
    ids = [token["id"] for token in server.get(f"/runs/{run}")["tokens"]]
    expected = [-np.log2(probabilities[pos, ids[pos + 1]]) for pos in range(len(ids) - 1)]
    seen = see(server, run, "surprisal", temperature=temperature)
    np.testing.assert_allclose([entry["surprisal"] for entry in seen["positions"]], expected, rtol=1e-4)
    assert seen["total"] == pytest.approx(sum(expected), rel=1e-4)
    assert seen["per_byte"] is None, "ids without a tokenizer stand for no bytes"


def test_a_texts_cost_per_byte(server: Server, story: str) -> None:
    seen = see(server, story, "surprisal")
    assert seen["bytes"] == len(b"Once upon a time, there was a little girl. She")
    assert seen["per_byte"] == pytest.approx(seen["total"] / seen["bytes"])


def test_every_positions_distribution(server: Server, run: str) -> None:
    probabilities = softmax(activation(server, run, "logits"), 1)
    ids = [token["id"] for token in server.get(f"/runs/{run}")["tokens"]]
    for pos, entry in enumerate(see(server, run, "distributions", k=3)["positions"]):
        row = probabilities[pos]
        assert [one["id"] for one in entry["top"]] == np.argsort(-row)[:3].tolist()
        assert entry["entropy"] == pytest.approx(float(-(row * np.log2(row)).sum()), rel=1e-4)
        assert entry["probability"] == pytest.approx(float(row[ids[pos + 1]]), rel=1e-4)
        assert entry["rank"] == int((row > row[ids[pos + 1]]).sum()) + 1
