"""What is known of one model without reading its weights: its architecture, graph, tokenizer, texts and rules.

`entry_at` reads it from a file or folder; `atlas.json` holds what only we say of a model, and most folders have none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ..transformer.blocks import build_graph
from ..transformer.graph import Graph
from ..transformer.positions import rotary_frequencies
from ..transformer.rules import Rules
from ..transformer.spec import Spec
from ..transformer.tokenizer import IdTokenizer, Tokenizer
from .config import read_json
from .errors import CheckpointError, shown
from .families import FAMILIES
from .files import Checkpoint, name_of, open_checkpoint
from .guard import Guarded, reading
from .rendering import Renderer
from .vocabulary import Frame, TextSource, frame_of, text_tokenizer

# Read when the page opens, where a model does not come with a text of its own (Vaswani et al. 2017's examples).
_SENTENCE = "The animal didn't cross the street because it was too tired."


@dataclass(frozen=True, eq=False)
class ModelEntry:
    """What is known of a model without reading its weights."""

    id: str
    checkpoint: Checkpoint = field(repr=False)
    about: dict[str, Any] = field(repr=False)
    bundled: bool
    renderer: Renderer = field(default_factory=Renderer, repr=False)

    @property
    def folder(self) -> Path:
        """Return where it lies."""
        path = self.checkpoint.path
        return path if path.is_dir() else path.parent

    @property
    def spec(self) -> Spec:
        """Return its architecture."""
        return self.checkpoint.spec

    @cached_property
    def graph(self) -> Graph:
        """Return all tensors and operations, known without weights."""
        return build_graph(self.spec)

    @property
    def title(self) -> str:
        """Return what the page calls it."""
        return str(self.about.get("title", self.id))

    @property
    def description(self) -> str:
        """Describe it in a line."""
        layers = f"{self.spec.encoder_layers} + {self.spec.layers}" if self.spec.encoder_layers else self.spec.layers
        told = f"{self.checkpoint.kind}: {layers} layers, width {self.spec.d_model}."
        if self.no_head:
            told += f" {self.no_head[0].upper()}{self.no_head[1:]}."
        return str(self.about.get("description", told))

    @property
    def size_bytes(self) -> int:
        """Return the bytes of its weights on the disk."""
        try:
            return sum(path.stat().st_size for path in self.checkpoint.files)
        except (OSError, CheckpointError):
            return 0

    @property
    def has_tokenizer(self) -> bool:
        """Tell whether it reads text, or only token ids."""
        return not self.no_tokenizer

    @property
    def no_tokenizer(self) -> str:
        """Say why it has no tokenizer; empty where it has."""
        return self.checkpoint.no_text

    @property
    def no_head(self) -> str:
        """Say why it names no tokens: a body whose head, if any, is not drawn; empty where it has a language head."""
        if self.spec.head:
            return ""
        named = self.checkpoint.class_name
        return f"this model has no language head{f': {named}' if named else ''}"

    @property
    def left_out(self) -> Mapping[str, tuple[int, ...]]:
        """List the weights of its files that are not on the map, such as a classifier's or pooler's, and shapes."""
        return self.checkpoint.left_out

    @cached_property
    def text_source(self) -> TextSource | None:
        """Return its tokenizer, read once.

        Raises:
            CheckpointError: it is broken.
        """
        return self.checkpoint.text_source() if self.has_tokenizer else None

    @cached_property
    def frame(self) -> Frame:
        """Return what stands around a text. The first time, this takes as long as reading the tokenizer.

        Raises:
            CheckpointError: the tokenizer is broken.
        """
        source = self.text_source
        if source is not None:
            with reading(source.place):
                return frame_of(source, self.about, self.spec.d_vocab, self.renderer)
        named = self.about.get("end_of_text_id")
        ends = (named,) if isinstance(named, int) else self.checkpoint.end_ids
        ends = tuple(token for token in ends if 0 <= token < self.spec.d_vocab)
        return Frame(end_of_text=next(iter(ends), None), ends=ends)

    @property
    def prefix_ids(self) -> tuple[int, ...]:
        """Return the token ids before every text."""
        return self.frame.prefix

    @property
    def suffix_ids(self) -> tuple[int, ...]:
        """Return the token ids after every text."""
        return self.frame.suffix

    @property
    def end_of_text_id(self) -> int | None:
        """Return the token after which writing stops."""
        return self.frame.end_of_text

    @cached_property
    def rules(self) -> Rules:
        """Return what its files ask of writing, and where it stops.

        Raises:
            CheckpointError: one of them is broken.
        """
        return replace(self.checkpoint.generation.rules, ends=self.frame.ends)

    @property
    def not_obeyed(self) -> tuple[str, ...]:
        """Say in sentences what its files ask of text and writing and is not done.

        Raises:
            CheckpointError: one of them is broken.
        """
        return (*self.frame.notes, *self.checkpoint.generation.not_obeyed)

    @property
    def mask_id(self) -> int | None:
        """Return the token that hides another, of a model that fills in; None where its tokenizer is broken."""
        if self.spec.writes or not self.spec.head:
            return None
        try:
            return self.frame.mask
        except CheckpointError:
            return None

    @property
    def uncounted_id(self) -> int | None:
        """Return the padding token of a model that counts positions without it, which no text may hold here."""
        family = FAMILIES.get(self.checkpoint.kind)
        return None if family is None else family.uncounted_id

    @property
    def start_ids(self) -> tuple[int, ...]:
        """Return what an encoder-decoder's own text begins with."""
        if self.spec.kind != "encoder_decoder":
            return ()
        start = self.checkpoint.start_id
        named = self.about.get("start_ids", () if start is None else (start,))
        return tuple(token for token in named if 0 <= token < self.spec.d_vocab)

    @property
    def default_text(self) -> str:
        """Return the page's first text: what `atlas.json` says, or a sentence, or ids where no text can be read."""
        room = self.spec.source_positions or self.spec.positions
        ids = " ".join(map(str, range(1, min(9, self.spec.d_vocab, room + 1))))
        unasked = ids if not self.has_tokenizer else _SENTENCE if room > len(_SENTENCE) else ""
        return str(self.about.get("default_text", unasked))

    @property
    def default_temperature(self) -> float | None:
        """Return the temperature that suits the model if a reader chose none; None where it does not matter."""
        temperature = self.about.get("default_temperature")
        return None if temperature is None else float(temperature)

    @property
    def default_new_tokens(self) -> int:
        """Return how much it writes at first."""
        return int(self.about.get("default_new_tokens", min(64, max(1, self.spec.positions // 2))))

    @property
    def card(self) -> str | None:
        """Return the model's card in Markdown, if it has one.

        Raises:
            CheckpointError: it is not UTF-8, or may not be read.
        """
        path = self.folder / "card.md"
        if not path.is_file():
            return None
        with reading(path):
            try:
                return path.read_text(encoding="utf-8")
            except UnicodeDecodeError as error:
                raise CheckpointError(f"{path} is not UTF-8: {error}", "Write it as UTF-8, or take it away.") from error

    def check(self) -> None:
        """Look for everything that can be wrong and be found without reading the weights' numbers.

        Raises:
            CheckpointError: something is.
        """
        self.checkpoint.check()
        if (source := self.text_source) is not None:
            with reading(source.place):
                text_tokenizer(source, self.frame, self.spec.d_vocab)
        _ = self.rules, self.not_obeyed, self.start_ids, self.card


def entry_at(path: Path, bundled: bool, renderer: Renderer) -> ModelEntry:
    """Read what a file or folder says of a model, without its weights.

    Raises:
        CheckpointError: it cannot be read, or is not supported.
    """
    with reading(path):
        path = path.expanduser().resolve()
        checkpoint = Guarded(open_checkpoint(path))
        entry = ModelEntry(
            name_of(path), checkpoint, _about(path, checkpoint.spec) if path.is_dir() else {}, bundled, renderer
        )
        _ = entry.graph  # whatever is wrong with its description is found now
        rotary = entry.spec.rotary
        if rotary is not None and not bool(rotary_frequencies(rotary).isfinite().all()):
            raise CheckpointError(
                f"{path}: its rotary positions are no finite numbers", "Use the configuration that came with it."
            )
        return entry


def check_model(path: Path) -> None:
    """Look for everything that can be wrong with a model and be found without reading its numbers.

    Raises:
        CheckpointError: something is, its tokenizer included.
    """
    renderer = Renderer()
    try:
        entry_at(path, False, renderer).check()
    finally:
        renderer.close()


def tokenizer_for(entry: ModelEntry) -> Tokenizer:
    """Make the tokenizer of a model, which takes token ids alone where its files hold none.

    Raises:
        CheckpointError: it is broken.
    """
    frame, source = entry.frame, entry.text_source
    if source is None:
        return IdTokenizer(frame.end_of_text, entry.no_tokenizer, frame.ends)
    with reading(source.place):
        return text_tokenizer(source, frame, entry.spec.d_vocab)


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _is_ids(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_id, value))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


# What each entry of `atlas.json` must be, in words and as a question.
_ENTRIES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(("title", "description", "default_text", "prefix", "suffix"), ("no text", _is_text)),
    **dict.fromkeys(("prefix_ids", "suffix_ids", "start_ids"), ("no list of token ids", _is_ids)),
    **dict.fromkeys(("mask_id", "end_of_text_id"), ("no token id", lambda value: value is None or _is_id(value))),
    "default_temperature": (
        "not from 0 to 10",
        lambda value: isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 10,
    ),
    "default_new_tokens": ("no positive whole number", lambda value: _is_id(value) and value > 0),
}


def _about(folder: Path, spec: Spec) -> dict[str, Any]:
    """Read what only we say of a model, in `atlas.json`: title, default text, prefix. Most folders have none."""
    path = folder / "atlas.json"
    if not path.is_file():
        return {}
    about = read_json(path)
    for name, (fault, holds) in _ENTRIES.items():
        if name in about and not holds(about[name]):
            raise CheckpointError(f"{path}: {name} is {shown(about[name])}, {fault}", "Mend the file or remove it.")
    for name in ("prefix_ids", "suffix_ids", "start_ids"):
        beyond = [token for token in about.get(name, ()) if token >= spec.d_vocab]
        if beyond:
            raise CheckpointError(
                f"{path}: {name} names token {beyond[0]}; the model has {spec.d_vocab}", "Mend the file or remove it."
            )
    return about
