"""Hugging Face folders: `config.json` says which family, `families/` what that means, safetensors have the numbers."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..transformer.model import Transformer
from ..transformer.spec import Spec, SpecError
from .config import Config, read_json
from .errors import CheckpointError, shown
from .families import FAMILIES, Family
from .generation import Generation, read_generation
from .heads import is_other_head, without_head
from .named_tokens import name_tokens
from .rebuilt import class_of, default_names, lost_tokens, rebuild, without_chance
from .safetensors_folder import stored_tensors, weight_files
from .tensors import Plan, StoredTensor, unfused
from .vocabulary import TextSource, read_tokenizer

_GENERATION, _TOKENIZER, _TOKENIZER_CONFIG = "generation_config.json", "tokenizer.json", "tokenizer_config.json"
# What training libraries put before every name: torch.compile, DataParallel, PEFT's merged models.
_WRAPPERS = ("_orig_mod.", "module.", "base_model.model.")
_SUPPORTED = "Supported are model_type " + ", ".join(FAMILIES) + "."


class HuggingFaceFolder:
    """A folder with a configuration and weights; nothing is read before it is asked for."""

    def __init__(self, folder: Path) -> None:
        """Read the configuration.

        Raises:
            CheckpointError: it is missing, or of a family that is not supported.
        """
        self.path, self.config = folder, Config.of(folder)
        kind = self.config.get("model_type")
        if not isinstance(kind, str) or kind not in FAMILIES:
            raise CheckpointError(f"{self.config.path} says model_type {shown(kind)}", _SUPPORTED)
        self.family: Family = FAMILIES[kind]

    @cached_property
    def spec(self) -> Spec:
        """Return the spec that the configuration describes.

        Raises:
            CheckpointError: a variant that is not supported, or a value that is missing or impossible.
        """
        _refuse_quantised(self.config)
        try:
            spec = _seeing_both_ways(self.config, self.family.spec_of(self.config, self._stored_names))
            return without_head(spec, self._stored_names, self.class_name)
        except (SpecError, TypeError, OverflowError) as error:
            raise self.config.wrong(str(error), f"A {self.family.model_type} that can exist is needed.") from error

    @property
    def files(self) -> list[Path]:
        """List the files with the weights."""
        return weight_files(self.path)

    @property
    def kind(self) -> str:
        """Return what to call the family."""
        return self.family.model_type

    @cached_property
    def _of_writing(self) -> tuple[dict[str, Any], str]:
        """Find what is said of writing, and in which file: a file of its own counts alone where there is one."""
        own = (self.path / _GENERATION).is_file()
        return (self._optional(_GENERATION), _GENERATION) if own else (self.config.values, "config.json")

    @property
    def class_name(self) -> str:
        """Return the class that the configuration says it was saved from; empty where it names none."""
        named = self.config.get("architectures")
        return named[0][:80] if isinstance(named, list) and named and isinstance(named[0], str) else ""

    @property
    def start_id(self) -> int | None:
        """Return the token with which an encoder-decoder's own text begins."""
        said, _ = self._of_writing
        named = (said.get("decoder_start_token_id"), said.get("bos_token_id"))
        more = (self.config.get("decoder_start_token_id"), self.config.get("pad_token_id"))
        found = [token for token in (*named, *more) if isinstance(token, int)]
        return found[0] if found and self.spec.kind == "encoder_decoder" else None

    @cached_property
    def generation(self) -> Generation:
        """Return what the folder asks of writing.

        Raises:
            CheckpointError: its generation_config.json is no JSON object.
        """
        values, place = self._of_writing
        return read_generation(values, place, self.spec.d_vocab, own_file=place == _GENERATION)

    @property
    def end_ids(self) -> tuple[int, ...]:
        """List the tokens after which writing stops."""
        return self.generation.rules.ends

    @property
    def no_text(self) -> str:
        """Say why there is no tokenizer."""
        return "" if (self.path / _TOKENIZER).is_file() else f"its folder has no {_TOKENIZER}"

    def text_source(self) -> TextSource:
        """Return the tokenizer, and what the folder says goes around a text.

        Raises:
            CheckpointError: one of the files is broken.
        """
        library, padding = read_tokenizer(self.path / _TOKENIZER)
        settings = self._optional(_TOKENIZER_CONFIG)
        kind = class_of(settings, self.config.values, library)
        lost = lost_tokens(library, kind, settings)
        names = name_tokens(library, self.path, self._optional, default_names(kind, padding))
        notes = filter(None, [without_chance(library), lost, rebuild(library, kind, settings, names)])
        template, why = self._template()
        return TextSource(
            library, self.path / _TOKENIZER, template, names, ends=self.end_ids, no_template=why, notes=tuple(notes)
        )

    def _template(self) -> tuple[str | None, str]:
        """Find the chat template, or why there is one that cannot be used; its own files come before an entry."""
        files = {path.stem: path for path in sorted((self.path / "chat_templates").glob("*.jinja"))}
        if (single := self.path / "chat_template.jinja").is_file():
            files["default"] = single
        found: Any = {name: path.read_text(encoding="utf-8", errors="replace") for name, path in files.items()}
        found = found or self._optional(_TOKENIZER_CONFIG).get("chat_template")
        if isinstance(found, list) and all(isinstance(each, dict) for each in found):
            found = {str(each.get("name")): each.get("template") for each in found}
        if isinstance(found, dict):
            if found and "default" not in found:
                return None, f"there are several, and none is called default: {', '.join(sorted(found))[:200]}"
            found = found.get("default")
        return (found, "") if isinstance(found, str | None) else (None, f"{_TOKENIZER_CONFIG} gives no text for it")

    def _optional(self, name: str) -> dict[str, Any]:
        path = self.path / name
        return read_json(path) if path.is_file() else {}

    def check(self) -> None:
        """Compare the weights' headers with the spec.

        Raises:
            CheckpointError: they do not fit.
        """
        self._plan().check()

    def load(self, device: str, dtype: torch.dtype) -> Transformer:
        """Load the model on the folder's numbers.

        Raises:
            CheckpointError: the weights are missing, broken, or do not fit the spec.
        """
        return self._plan().build(device, dtype)

    @property
    def _stored_names(self) -> set[str]:
        """List the weights' names, where the files are there already: a few configurations do not say it all."""
        try:
            return {self._plain_name(name) for name in stored_tensors(self.path)}
        except CheckpointError:
            return set()

    @property
    def left_out(self) -> dict[str, tuple[int, ...]]:
        """List weights of the files that are not part of the map, under the files' names, with their shapes.

        None where the files are not there yet; what is wrong with them `check` says.
        """
        try:
            stored = stored_tensors(self.path)
        except CheckpointError:
            return {}
        return {name: tensor.shape for name, tensor in stored.items() if is_other_head(self._plain_name(name))}

    def _plain_name(self, name: str) -> str:
        """Strip a stored tensor's name of what wrappers and old versions of the libraries made of it."""
        while wrapper := next((prefix for prefix in _WRAPPERS if name.startswith(prefix)), ""):
            name = name.removeprefix(wrapper)
        # The names of norms in files made from TensorFlow's, such as bert-base-uncased's.
        for old, new in (("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")):
            if name.endswith(old):
                name = name.removesuffix(old) + new
        return self.family.own_name(name)

    def _plan(self) -> Plan:
        family, spec = self.family, self.spec
        stored = {self._plain_name(name): tensor for name, tensor in stored_tensors(self.path).items()}
        stored = {name: tensor for name, tensor in stored.items() if not family.ignores(name)}
        stored = {name: tensor for name, tensor in stored.items() if not is_other_head(name)}
        plan = Plan(
            str(self.path), spec, lambda name: family.source(name, spec), self._without_copies(stored), family.fused
        )
        return plan

    def _without_copies(self, stored: Mapping[str, StoredTensor]) -> dict[str, StoredTensor]:
        """Drop tensors that repeat another one's numbers, once compared: a tied head, or embeddings of two stacks."""
        kept = dict(stored)
        for name, original in self.family.copies.items():
            if name in kept and original not in kept and not self._has_own_head(name):
                # Of a tied pair a file may keep either name: safetensors' `save_model` keeps the alphabet's first.
                kept[original] = kept.pop(name)
            if not (name in kept and original in kept) or (name.endswith("weight") and self._has_own_head(name)):
                continue
            one, other = kept[name], kept[original]
            if one.shape != other.shape or not torch.equal(one.read(), other.read()):
                raise CheckpointError(
                    f"{self.path}: config.json says the embeddings are tied, but {name} differs from {original}",
                    'Set "tie_word_embeddings": false in config.json, where the family allows it.',
                )
            del kept[name]
        return kept

    def _has_own_head(self, name: str) -> bool:
        return not self.spec.tied and self.family.source("W_U", self.spec).name == name


def _seeing_both_ways(config: Config, spec: Spec) -> Spec:
    """Turn a decoder whose configuration says `is_causal: false`, an embedding model's, into an encoder.

    Raises:
        CheckpointError: its queries look back a limited way as well, which no encoder here does.
    """
    if spec.kind == "encoder_decoder":
        config.demand("is_causal", True)
    if spec.kind != "decoder" or config.flag("is_causal", True):
        return spec
    if spec.window:
        raise config.wrong("is_causal is False beside a sliding window", "Supported is one of the two.")
    return replace(spec, kind="encoder")


def _refuse_quantised(config: Config) -> None:
    given = config.get("quantization_config")
    if given is None:
        return
    method = given.get("quant_method") if isinstance(given, dict) else given
    raise config.wrong(
        f"its weights are quantised ({str(method)[:40]}), which is not read from folders",
        "Get the model in float32, float16 or bfloat16, or as a GGUF file.",
    )


def export_state(model: Transformer, dtype: torch.dtype) -> dict[str, Tensor]:
    """Return the parameters under the names of the family that `export_config` chooses, for `model.safetensors`."""
    family = _family_of(model.spec)
    state = {}
    for name, parameter in unfused(model, family.fused).items():
        source = family.source(name, model.spec)
        prefix = family.prefix if not _OWN_NAMES.intersection(source.name.split(".")[:1]) else ""
        state[prefix + source.name] = source.transform.write(parameter, model.spec).to(dtype).contiguous()
    return state


# What stands beside the body in a file, without its prefix.
_OWN_NAMES = {"lm_head", "cls", "embed_out", "final_logits_bias"}


def export_config(spec: Spec, end_of_text_id: int | None, **more: Any) -> dict[str, Any]:
    """Write the spec as `config.json` of the first family that can say all of it; `more` are further entries."""
    family = _family_of(spec)
    assert family.config_of is not None
    ids = {"bos_token_id": end_of_text_id, "eos_token_id": end_of_text_id}
    return {"model_type": family.model_type, **family.config_of(spec), **ids, **more}


def _family_of(spec: Spec) -> Family:
    for family in FAMILIES.values():
        if family.config_of is None or (spec.rotary is None and family.model_type == "llama"):
            continue
        try:
            described = family.spec_of(Config(family.config_of(spec), Path("config.json")), set())
        except (CheckpointError, SpecError):
            continue
        if described == spec:
            return family
    raise ValueError("no family can describe this spec")  # the last family, `atlas`, always can
