"""One model in the forms in which tools write it: in parts, in half precision, its whole state, without the prefix.

`save_pretrained` renames and leaves out on the way; `safetensors` writes what `state_dict` says, copies and all.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from .reference import POSITIONS, SIZES, close, load, random_tokens, randomise

pytestmark = pytest.mark.parity

T: Any = transformers
_GROUPED: dict[str, Any] = SIZES | {"num_key_value_heads": 2}
MODELS: dict[str, Callable[[], Any]] = {
    "llama, tied": lambda: T.LlamaForCausalLM(T.LlamaConfig(**_GROUPED, tie_word_embeddings=True)),
    "qwen3": lambda: T.Qwen3ForCausalLM(T.Qwen3Config(**_GROUPED, head_dim=8)),
    "gpt_neox": lambda: T.GPTNeoXForCausalLM(T.GPTNeoXConfig(**SIZES)),
    "gpt_neox, tied": lambda: T.GPTNeoXForCausalLM(T.GPTNeoXConfig(**SIZES, tie_word_embeddings=True)),
    "bert": lambda: T.BertForMaskedLM(T.BertConfig(**SIZES)),
}


def _in_parts(model: Any, folder: Path) -> None:
    model.save_pretrained(folder, max_shard_size="20KB")
    assert len(list(folder.glob("*.safetensors"))) > 1


def _halved(model: Any, folder: Path) -> None:
    copy.deepcopy(model).to(torch.bfloat16).save_pretrained(folder)
    for parameter in model.parameters():  # and not the rotary frequencies, which no file holds
        parameter.data = parameter.data.bfloat16().float()


def _whole_state(model: Any, folder: Path) -> None:
    model.save_pretrained(folder)
    save_file({name: tensor.clone() for name, tensor in model.state_dict().items()}, folder / "model.safetensors")


def _without_prefix(model: Any, folder: Path) -> None:
    model.save_pretrained(folder)
    path, prefix = folder / "model.safetensors", f"{model.base_model_prefix}."
    save_file({name.removeprefix(prefix): tensor.clone() for name, tensor in load_file(path).items()}, path)


@pytest.mark.parametrize("form", [_in_parts, _halved, _whole_state, _without_prefix])
@pytest.mark.parametrize("name", MODELS)
def test_every_form_gives_the_references_logits(tmp_path: Path, name: str, form: Callable[[Any, Path], None]) -> None:
    torch.manual_seed(0)
    model = randomise(MODELS[name]())
    form(model, tmp_path / "saved")
    loaded, tokens = load(tmp_path / "saved"), random_tokens(POSITIONS)
    with torch.no_grad():
        close(loaded.model(tokens), model(tokens).logits, "logits")
