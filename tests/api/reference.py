"""Every tensor of a decoder in float64, from the weights as the API gives them, with NumPy alone."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from app.transformer.spec import Spec

Array = NDArray[np.float64]


def every_tensor(spec: Spec, tokens: list[int], weight: Callable[[str], Array]) -> dict[str, Array]:
    """Compute the named tensors of one full pass over `tokens`."""
    found: dict[str, Array] = {}
    count = len(tokens)
    found["hook_embed"] = weight("W_E")[tokens]
    found["hook_pos_embed"] = weight("W_pos")[:count]
    resid = found["hook_embed"] + found["hook_pos_embed"]
    for layer in range(spec.layers):
        block = f"blocks.{layer}"
        found[f"{block}.hook_resid_pre"] = resid
        read = _norm(found, f"{block}.ln1", resid, weight, spec.norm_epsilon)
        _attention(found, f"{block}.attn", read, weight)
        z, output = found[f"{block}.attn.hook_z"], weight(f"{block}.attn.W_O")
        found[f"{block}.attn.hook_result"] = np.stack([z[:, h] @ output[h] for h in range(spec.heads)], 1)
        found[f"{block}.hook_attn_out"] = found[f"{block}.attn.hook_result"].sum(1) + weight(f"{block}.attn.b_O")
        resid = resid + found[f"{block}.hook_attn_out"]
        found[f"{block}.hook_resid_mid"] = resid
        read = _norm(found, f"{block}.ln2", resid, weight, spec.norm_epsilon)
        pre = read @ weight(f"{block}.mlp.W_in") + weight(f"{block}.mlp.b_in")
        post = 0.5 * pre * (1 + np.tanh(math.sqrt(2 / math.pi) * (pre + 0.044715 * pre**3)))
        found[f"{block}.mlp.hook_pre"], found[f"{block}.mlp.hook_post"] = pre, post
        found[f"{block}.hook_mlp_out"] = post @ weight(f"{block}.mlp.W_out") + weight(f"{block}.mlp.b_out")
        resid = resid + found[f"{block}.hook_mlp_out"]
        found[f"{block}.hook_resid_post"] = resid
    found["logits"] = _norm(found, "ln_final", resid, weight, spec.norm_epsilon) @ weight("W_U")
    exponentials = np.exp(found["logits"] - found["logits"].max(-1, keepdims=True))
    found["probabilities"] = exponentials / exponentials.sum(-1, keepdims=True)
    return found


def _norm(found: dict[str, Array], name: str, x: Array, weight: Callable[[str], Array], epsilon: float) -> Array:
    mean = x.mean(-1)
    scale = np.sqrt(x.var(-1) + epsilon)
    normalized = (x - mean[:, None]) / scale[:, None]
    found[f"{name}.hook_mean"], found[f"{name}.hook_scale"] = mean, scale
    found[f"{name}.hook_normalized"] = normalized
    found[f"{name}.hook_out"] = normalized * weight(f"{name}.w") + weight(f"{name}.b")
    return found[f"{name}.hook_out"]


def _attention(found: dict[str, Array], name: str, read: Array, weight: Callable[[str], Array]) -> None:
    query, key, value = (
        np.einsum("pm,hmd->phd", read, weight(f"{name}.W_{letter}")) + weight(f"{name}.b_{letter}") for letter in "QKV"
    )
    raw = np.einsum("qhd,khd->hqk", query, key) / math.sqrt(query.shape[-1])
    count = raw.shape[-1]
    scores = np.where(np.tril(np.ones((count, count), bool)), raw, -np.inf)
    largest = scores.max(-1)
    exponentials = np.exp(scores - largest[..., None])
    pattern = exponentials / exponentials.sum(-1, keepdims=True)
    found[f"{name}.hook_q"], found[f"{name}.hook_k"], found[f"{name}.hook_v"] = query, key, value
    found[f"{name}.hook_attn_scores_raw"], found[f"{name}.hook_attn_scores"] = raw, scores
    found[f"{name}.hook_max"], found[f"{name}.hook_sum"] = largest, exponentials.sum(-1)
    found[f"{name}.hook_pattern"] = pattern
    found[f"{name}.hook_z"] = np.einsum("hqk,khd->qhd", pattern, value)
