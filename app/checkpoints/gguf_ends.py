"""Find the tokens of a GGUF file that end a text, and those that are control tokens by their name alone.

Many files name one end of text and leave the token that ends a turn to be known by how it is written, often with the
type of a normal token. llama.cpp's loader of vocabularies (`llama-vocab.cpp`) knows these names; this reads them alike.
"""

from collections.abc import Sequence
from typing import Any

# Tokens that end a turn, a message or a text wherever a vocabulary has them, those of turns first.
_ENDS = (
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<turn|>", "<EOT>", "_<EOT>", "[EOT]", "<|return|>",
    "<|call|>", "<|calls|>", "<|flush|>", "<end_of_utterance>", "<|tool_response>", "<|eom_id|>", "<|endoftext|>",
    "<|end_of_text|>", "</s>", "<eos>", "[EOS]", "<｜end▁of▁sentence｜>", "[e~[",
)  # fmt: skip
# What fills in code ends with: under a key of its own, or else the first of these names that is there.
_CODE_ENDS = {
    "fim_pad": ("<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"),
    "fim_rep": ("<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"),
    "fim_sep": ("<|file_sep|>",),
}
# Where all of the first are there, the second ends nothing: it stands within a turn.
_WITHIN = (
    ({"<|return|>", "<|call|>"}, "<|end|>"),
    ({"<|return|>", "<|calls|>"}, "<|end|>"),
    ({"<|call|>", "<|flush|>"}, "<|end|>"),
    ({"<|calls|>", "<|flush|>"}, "<|end|>"),
    ({"<|tool_response>"}, "</s>"),
)
# The ids that llama.cpp takes for SentencePiece's where the file says nothing. Its ids for `gpt2` files are Falcon's,
# a comma in other vocabularies: there only what the file says counts.
_DEFAULTS = {"llama": {"bos": 1, "eos": 2, "unknown": 0}}
_NAMES = {*_ENDS, *(name for names in _CODE_ENDS.values() for name in names)}


def token_id(metadata: dict[str, Any], name: str) -> int | None:
    """Read the id of a named token, such as `eos`; one beyond the vocabulary counts as not given."""
    tokens = metadata.get("tokenizer.ggml.tokens")
    size = len(tokens) if isinstance(tokens, list) else 2**31
    default = _DEFAULTS.get(str(metadata.get("tokenizer.ggml.model")), {}).get(name)
    for found in (metadata.get(f"tokenizer.ggml.{name}_token_id"), default):
        if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < size:
            return found
    return None


def end_ids(metadata: dict[str, Any]) -> tuple[int, ...]:
    """List the tokens after which llama.cpp stops: those that end a turn, a message or a text by id, then by name."""
    by_name = _named(metadata.get("tokenizer.ggml.tokens"))
    ends = [name for name in _ENDS if name in by_name]
    inner = {within for marks, within in _WITHIN if marks <= by_name.keys()}
    found = [token_id(metadata, name) for name in ("eot", "eom", "eos")]
    found += [by_name[name] for name in ends if name not in inner]
    for key, names in _CODE_ENDS.items():
        found.append(token_id(metadata, key))
        if found[-1] is None:
            found.append(next((by_name[name] for name in names if name in by_name), None))
    left_out = {by_name[name] for name in inner if name in by_name}
    return tuple(dict.fromkeys(token for token in found if token is not None and token not in left_out))


def control_by_name(tokens: Sequence[str]) -> set[int]:
    """Find the tokens that are read whole wherever a text has them, whatever type the file gives them."""
    return set(_named(tokens).values())


def _named(tokens: Any) -> dict[str, int]:
    """Find the ids of the names that mean something, in one walk through a vocabulary of any size."""
    if not isinstance(tokens, list):
        return {}
    return {token: number for number, token in enumerate(tokens) if token in _NAMES}
