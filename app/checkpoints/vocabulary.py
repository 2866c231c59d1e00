"""A tokenizer with what a model expects around a text: a beginning and an end, or a conversation's frame.

What stands around a text is, in this order: what our own `atlas.json` says; the model's own chat template, rendered
around the text, so that a question gets an answer; what its tokenizer adds. All of it is tokens that can be seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tokenizers
from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from app.transformer.tokenizer import TextTokenizer

from .errors import CheckpointError

# Stands for the text while a template is rendered: letters that no template writes.
_TEXT = "qzATLASqzTEXTqz"
_MASKS = ("[MASK]", "<mask>")
_REMOVE = "Fetch the file again, or remove it to run on token ids."


@dataclass(frozen=True)
class TextSource:
    """What a format knows of a model's text: its tokenizer, chat template, and tokens that begin and end texts."""

    library: tokenizers.Tokenizer
    place: Path
    template: str | None = None
    bos: str = ""
    eos: str = ""
    adds_bos: bool = False
    ends: tuple[int, ...] = ()


@dataclass(frozen=True)
class Frame:
    """Token ids before and after every text, and the one after which writing stops."""

    prefix: tuple[int, ...] = ()
    suffix: tuple[int, ...] = ()
    end_of_text: int | None = None
    mask: int | None = None


def read_tokenizer(path: Path) -> tokenizers.Tokenizer:
    """The tokenizer in a `tokenizer.json`, without the cutting and padding that it may ask for.

    Raises:
        CheckpointError: it is none.
    """
    try:
        library = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception for a file it cannot read
        raise CheckpointError(f"{path} is not a tokenizer.json: {error}", _REMOVE) from error
    library.no_truncation()
    library.no_padding()
    return library


def frame_of(source: TextSource, about: dict[str, Any], d_vocab: int) -> Frame:
    """What stands around a text.

    Raises:
        CheckpointError: the tokenizer has tokens that the model does not.
    """
    library = source.library
    highest = max(library.get_vocab(with_added_tokens=True).values(), default=-1)
    if highest >= d_vocab:
        raise CheckpointError(
            f"{source.place} does not match the model: it has token {highest}, the model only {d_vocab} of them",
            "Use the tokenizer that belongs to the weights, or remove it to run on token ids.",
        )
    prefix, suffix = _declared(about, library) or _chat(source) or _added(source)
    named = about.get("end_of_text_id")
    ends = (named,) if isinstance(named, int) else source.ends
    mask = about.get("mask_id", next(filter(None, map(library.token_to_id, _MASKS)), None))
    known = [token for token in (*prefix, *suffix, *ends, *([mask] if mask is not None else [])) if token >= d_vocab]
    if known:
        raise CheckpointError(f"{source.place}: token {known[0]} is not in the model's vocabulary", _REMOVE)
    return Frame(prefix, suffix, _end(source, ends, suffix), mask)


def text_tokenizer(source: TextSource, frame: Frame) -> TextTokenizer:
    """The tokenizer that runs use."""
    return TextTokenizer(source.library, frame.prefix, frame.end_of_text, frame.suffix, frame.mask)


def _declared(about: dict[str, Any], library: tokenizers.Tokenizer) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """What `atlas.json` says, as ids or as text."""
    if not about.keys() & {"prefix_ids", "suffix_ids", "prefix", "suffix"}:
        return None

    def part(name: str) -> tuple[int, ...]:
        return tuple(about.get(f"{name}_ids", ())) or _ids(library, str(about.get(name, "")))

    return part("prefix"), part("suffix")


def _chat(source: TextSource) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """The model's chat template around one message of the user's; None where it has none that can be split."""
    if not source.template:
        return None
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    try:
        rendered = environment.from_string(source.template).render(
            messages=[{"role": "user", "content": _TEXT}],
            add_generation_prompt=True,
            bos_token=source.bos,
            eos_token=source.eos,
        )
    except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError):
        return None
    before, found, after = rendered.partition(_TEXT)
    if not found or _TEXT in after:
        return None
    return _ids(source.library, before), _ids(source.library, after)


def _added(source: TextSource) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What the tokenizer itself puts around a text."""
    library = source.library
    if library.post_processor is not None:
        bare = library.encode("a", add_special_tokens=False).ids
        full = library.encode("a", add_special_tokens=True).ids
        for start in range(len(full) - len(bare) + 1) if bare else ():
            if full[start : start + len(bare)] == bare and len(full) > len(bare):
                return tuple(full[:start]), tuple(full[start + len(bare) :])
    begin = library.token_to_id(source.bos) if source.adds_bos and source.bos else None
    return ((begin,) if begin is not None else ()), ()


def _end(source: TextSource, ends: Sequence[int], suffix: Sequence[int]) -> int | None:
    """The token that ends a text; of several, the one that ends a turn in the chat template."""
    for token in ends:
        if token in suffix or (source.template and (source.library.id_to_token(token) or "\n\n") in source.template):
            return token
    return ends[0] if ends else None


def _ids(library: tokenizers.Tokenizer, text: str) -> tuple[int, ...]:
    return tuple(library.encode(text, add_special_tokens=False).ids) if text else ()
