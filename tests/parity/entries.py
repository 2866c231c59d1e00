"""Every entry of a configuration, changed one at a time: ours gives the numbers that `transformers` gives, or refuses.

    python -m tests.parity.entries            # all families: what differs, and what is refused without need
    python -m tests.parity.entries llama bert

A configuration that both read must mean the same to both; what is not understood has to be refused by its name. The
method found `is_causal` and its siblings, which were passed over in silence. The entries are those that the class of
`transformers` knows, and those that other families and older files have.
"""

import copy
import json
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor

from app.checkpoints.errors import CheckpointError

from .reference import load, randomise

_SIZES: dict[str, Any] = {
    "vocab_size": 23, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4,
    "max_position_embeddings": 12,
}  # fmt: skip
_GROUPED = _SIZES | {"num_key_value_heads": 2}
# model_type -> the class of the model, and its configuration's values
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": ("GPT2LMHeadModel", {"vocab_size": 23, "n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 12}),
    # A quarter of a head turns, an even number of dimensions.
    "gpt_neox": ("GPTNeoXForCausalLM", _SIZES | {"hidden_size": 32}),
    "llama": ("LlamaForCausalLM", _GROUPED),
    "mistral": ("MistralForCausalLM", _GROUPED | {"sliding_window": 5}),
    "qwen2": ("Qwen2ForCausalLM", _GROUPED),
    "qwen3": ("Qwen3ForCausalLM", _GROUPED | {"head_dim": 8}),
    "gemma": ("GemmaForCausalLM", _GROUPED | {"head_dim": 8}),
    "phi": ("PhiForCausalLM", _GROUPED | {"num_key_value_heads": 4}),
    "bert": ("BertForMaskedLM", _SIZES),
    "roberta": ("RobertaForMaskedLM", _SIZES | {"max_position_embeddings": 14, "type_vocab_size": 1}),
    "distilbert": ("DistilBertForMaskedLM", {"vocab_size": 23, "dim": 16, "hidden_dim": 24, "n_layers": 2,
                                              "n_heads": 4, "max_position_embeddings": 12}),
    "marian": ("MarianMTModel", {"vocab_size": 23, "decoder_vocab_size": 23, "d_model": 16, "encoder_layers": 2,
                                 "decoder_layers": 2, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
                                 "encoder_ffn_dim": 24, "decoder_ffn_dim": 24, "max_position_embeddings": 12,
                                 "pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0}),
    "t5": ("T5ForConditionalGeneration", {"vocab_size": 23, "d_model": 16, "d_kv": 4, "d_ff": 24, "num_layers": 2,
                                          "num_decoder_layers": 2, "num_heads": 4,
                                          "relative_attention_num_buckets": 8, "relative_attention_max_distance": 10,
                                          "pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0}),
}  # fmt: skip
# Entries of other families and of older files, some of which these families' code may heed.
_ELSEWHERE: dict[str, tuple[Any, ...]] = {
    "is_causal": (False, True),
    "rope_scaling": ({"type": "linear", "factor": 2.0}, {"rope_type": "dynamic", "factor": 2.0}),
    "rope_theta": (50.0,),
    "rotary_emb_base": (50.0,),
    "rotary_pct": (0.5, 1.0),
    "partial_rotary_factor": (0.5, 1.0),
    "rotary_dim": (2,),
    "head_dim": (4,),
    "sliding_window": (3, 0, None),
    "use_sliding_window": (True,),
    "max_window_layers": (1, 0),
    "layer_types": (["sliding_attention", "full_attention"], ["full_attention", "sliding_attention"]),
    "attention_bias": (True, False),
    "mlp_bias": (True,),
    "qk_layernorm": (True,),
    "use_bidirectional_attention": (True,),
    "is_decoder": (True, False),
    "add_cross_attention": (True,),
    "position_embedding_type": ("relative_key", "relative_key_query", "rotary"),
    "hidden_activation": ("relu", "gelu"),
    "hidden_act": ("relu", "gelu", "gelu_new", "silu", "gelu_fast", "gelu_pytorch_tanh", "quick_gelu", "gelu_10"),
    "activation_function": ("relu", "gelu", "gelu_new", "silu", "swish", "gelu_fast"),
    "activation": ("relu", "gelu", "gelu_new"),
    "attn_logit_softcapping": (1.0,),
    "final_logit_softcapping": (1.0,),
    "query_pre_attn_scalar": (2.0,),
    "logit_scale": (2.0,),
    "logits_scaling": (2.0,),
    "embedding_multiplier": (2.0,),
    "residual_multiplier": (0.5,),
    "attention_multiplier": (0.5,),
    "clip_qkv": (0.1,),
    "scale_embedding": (True,),
    "embedding_size": (8,),
    "normalize_before": (True,),
    "normalize_embedding": (True,),
    "add_final_layer_norm": (True,),
    "add_bias_logits": (True,),
    "static_position_embeddings": (False,),
    "extra_pos_embeddings": (0, 2),
    "use_parallel_residual": (False,),
    "tie_encoder_decoder": (True,),
    "tie_word_embeddings": (True, False),
    "scale_decoder_outputs": (True, False),
    "feed_forward_proj": ("gated-gelu", "gelu", "relu", "silu", "gated-silu"),
    "dense_act_fn": ("gelu", "relu"),
    "is_gated_act": (True,),
    "scale_attn_weights": (False,),
    "scale_attn_by_inverse_layer_idx": (True,),
    "reorder_and_upcast_attn": (True,),
    "sinusoidal_pos_embds": (True,),
    "pruned_heads": ({"0": [1]},),
    "chunk_size_feed_forward": (4,),
    "pad_token_id": (0, 1, 5, None, -1),
    "bos_token_id": (5,),
    "eos_token_id": (5,),
    "mask_token_id": (5,),
    "pretraining_tp": (2,),
    "tokenizer_class": ("BertTokenizer",),
    "type_vocab_size": (2,),
    "cross_attention_hidden_size": (8,),
    "rms_norm_eps": (0.1,),
    "layer_norm_eps": (0.1,),
    "layer_norm_epsilon": (0.1,),
    "norm_eps": (0.1,),
    "initializer_factor": (2.0,),
    "attn_implementation": ("sdpa",),
    "_attn_implementation": ("sdpa",),
    "max_position_embeddings": (10, 24),
    "original_max_position_embeddings": (4,),
    "num_key_value_heads": (1, 4),
    "n_inner": (None,),
    "use_cache": (False,),
}
_ROPE: tuple[dict[str, Any], ...] = (
    {"rope_type": "default", "rope_theta": 50.0},
    {"rope_type": "linear", "rope_theta": 50.0, "factor": 2.0},
    {"rope_type": "dynamic", "rope_theta": 50.0, "factor": 2.0},
    {"rope_type": "yarn", "rope_theta": 50.0, "factor": 2.0},
    {"rope_type": "yarn", "rope_theta": 50.0, "factor": 2.0, "truncate": False},
    {"rope_type": "yarn", "rope_theta": 50.0, "factor": 2.0, "original_max_position_embeddings": 4},
    {"rope_type": "llama3", "rope_theta": 50.0, "factor": 2.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
     "original_max_position_embeddings": 4},
    {"rope_type": "longrope", "rope_theta": 50.0, "short_factor": [1.0, 2.0], "long_factor": [2.0, 3.0],
     "factor": 2.0, "original_max_position_embeddings": 4},
    {"rope_type": "default", "rope_theta": 50.0, "partial_rotary_factor": 0.5},
)  # fmt: skip
# Not numbers: names, and what would need other code.
_SKIPPED = {
    "model_type", "architectures", "transformers_version", "dtype", "torch_dtype", "auto_map", "id2label", "label2id",
    "_name_or_path", "name_or_path", "output_hidden_states", "output_attentions", "return_dict", "problem_type",
    "task_specific_params", "is_encoder_decoder",
}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One entry with another value; `None` as the name leaves the configuration as it is."""

    name: str
    value: Any

    def __str__(self) -> str:
        return f"{self.name}: {json.dumps(self.value)}"


@dataclass(frozen=True)
class Verdict:
    """What came of a change: `same`, `refused`, `refused alone` (the reference reads it), or how the numbers differ."""

    change: Change
    what: str
    detail: str = ""


class Family:
    """One family's random model on disk, whose configuration is changed entry by entry."""

    def __init__(self, model_type: str, folder: Path) -> None:
        """Write the model that all changes start from."""
        name, values = FAMILIES[model_type]
        self.folder, self._class = folder / model_type, getattr(transformers, name)
        torch.manual_seed(0)
        self._values = values
        model = randomise(self._class(self._class.config_class(**values)), 0.0 if model_type == "gemma" else 1.0)
        model.save_pretrained(self.folder)
        self._plain: dict[str, Any] = json.loads((self.folder / "config.json").read_text())

    def changes(self) -> Iterator[Change]:
        """List every entry that the class knows or that stands elsewhere, with other values."""
        known = self._class.config_class(**self._values).to_dict()
        for name in sorted({*known, *_ELSEWHERE} - _SKIPPED):
            for value in (*_ELSEWHERE.get(name, ()), *_others(known.get(name))):
                if value != known.get(name, self):
                    yield Change(name, value)
        if "rope_parameters" in known:
            yield from (Change("rope_parameters", value) for value in _ROPE)

    def verdict(self, change: Change) -> Verdict:
        """Compare both models' numbers under a change."""
        path = self.folder / "config.json"
        path.write_text(json.dumps(copy.deepcopy(self._plain) | {change.name: change.value}))
        try:
            expected = self._reference()
        except Exception as error:
            return Verdict(change, "no reference", f"{type(error).__name__}: {error}"[:150])
        try:
            ours = self._ours()
        except CheckpointError as error:
            return Verdict(change, "refused alone" if torch.isfinite(expected).all() else "refused", str(error)[:150])
        if ours.shape != expected.shape:
            return Verdict(change, "shapes differ", f"{tuple(ours.shape)} and {tuple(expected.shape)}")
        difference = float((ours - expected).abs().max())
        if difference <= 1e-4 * max(1.0, float(expected.abs().max())):
            return Verdict(change, "same")
        return Verdict(change, "differs", f"by {difference:.3g} of {float(expected.abs().max()):.3g}")

    def _reference(self) -> Tensor:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = self._class.from_pretrained(self.folder, attn_implementation="eager").eval().float()
        with torch.no_grad():
            given = {"decoder_input_ids": TOKENS} if model.config.is_encoder_decoder else {}
            found: Tensor = model(TOKENS, **given).logits
        return found

    def _ours(self) -> Tensor:
        model = load(self.folder).model
        source = TOKENS if model.spec.kind == "encoder_decoder" else None
        with torch.no_grad():
            found: Tensor = model(TOKENS, source=source) if source is not None else model(TOKENS)
        return found


# Without the ids that configurations name as padding.
TOKENS = torch.tensor([[7, 3, 12, 9, 2, 20, 8, 11, 4, 6]])


def _others(value: Any) -> tuple[Any, ...]:
    """List other values of an entry's own kind."""
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int):
        return (value + 1, 0) if value < 100 else (value // 2,)
    if isinstance(value, float):
        return (value * 2 + 0.5,)
    return (True, 1) if value is None else ()


def sweep(model_type: str, folder: Path) -> list[Verdict]:
    """Judge every change of a family's configuration."""
    log: Any = transformers.logging
    log.set_verbosity(50)
    log.disable_progress_bar()
    family = Family(model_type, folder)
    return [family.verdict(change) for change in family.changes()]


def main() -> None:
    """Print what differs, and what is refused though the reference reads it."""
    worst = 0
    with tempfile.TemporaryDirectory() as folder:
        for model_type in sys.argv[1:] or FAMILIES:
            verdicts = sweep(model_type, Path(folder))
            counts = {what: sum(one.what == what for one in verdicts) for what in {one.what for one in verdicts}}
            print(model_type, counts, flush=True)
            for one in verdicts:
                if one.what not in ("same", "refused", "no reference"):
                    print(f"  {one.what}: {one.change}  ({one.detail})", flush=True)
                    worst += one.what != "refused alone"
    sys.exit(bool(worst))


if __name__ == "__main__":
    main()
