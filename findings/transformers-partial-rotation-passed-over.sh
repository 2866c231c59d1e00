#!/usr/bin/env bash
# transformers 5.23.0, torch 2.13.0: a Llama's `partial_rotary_factor` is heeded or not by the kind of stretching.
#
# A configuration may say that only a part of each head's dimensions turns with the position. Phi and GPT-NeoX do as
# it says. Llama (and Mistral, Qwen 2, Qwen 3, Gemma, whose code is its copy) passes the entry over where positions are
# not stretched: the whole head turns, and the logits are those without the entry, bit for bit. Where they are
# stretched (linear here) the same entry halves the table of angles, and the pass ends in an error about shapes.
# So a reader of config.json cannot treat the entry as common to all families, nor as harmless.
#
# Seen: "llama, not stretched: same logits True" / "llama, linear: RuntimeError" / "phi: same logits False"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check transformers==5.23.0 torch==2.13.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM, PhiConfig, PhiForCausalLM

SIZES = dict(vocab_size=31, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
             max_position_embeddings=16)
TOKENS = torch.tensor([[3, 7, 1, 9, 4, 12]])


def logits(model_class, config_class, **rope):
    """The logits of a random model, the same numbers at every call, whose positions turn as `rope` says."""
    torch.manual_seed(0)
    with torch.no_grad():
        return model_class(config_class(**SIZES, rope_parameters=rope)).eval()(TOKENS).logits


def outcome(model_class, config_class, **rope):
    whole = logits(model_class, config_class, **rope)
    try:
        half = logits(model_class, config_class, **rope, partial_rotary_factor=0.5)
    except RuntimeError as error:
        return type(error).__name__
    return f"same logits {torch.equal(whole, half)}"


print("transformers", transformers.__version__, "torch", torch.__version__)
plain = outcome(LlamaForCausalLM, LlamaConfig, rope_type="default", rope_theta=100.0)
linear = outcome(LlamaForCausalLM, LlamaConfig, rope_type="linear", rope_theta=100.0, factor=2.0)
torch.manual_seed(0)
whole = logits(PhiForCausalLM, PhiConfig, rope_type="default", rope_theta=100.0, partial_rotary_factor=1.0)
half = logits(PhiForCausalLM, PhiConfig, rope_type="default", rope_theta=100.0, partial_rotary_factor=0.5)
phi = f"same logits {torch.equal(whole, half)}"
print("llama, not stretched:", plain)
print("llama, linear:", linear)
print("phi:", phi)
sys.exit((plain, linear, phi) != ("same logits True", "RuntimeError", "same logits False"))
PYTHON
