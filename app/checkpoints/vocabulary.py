"""A tokenizer with what a model expects around a text: a beginning and an end, or a conversation's frame.

What stands around a text is, in this order: what our own `atlas.json` says; the model's own chat template, rendered
around the text, so that a question gets an answer; what its tokenizer adds. All of it is tokens that can be seen.
A frame and its text are split together, as one text: split apart they would be other tokens than the model knows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import processors
from tokenizers.processors import PostProcessor

from ..transformer.places import Framed
from ..transformer.tokenizer import TextTokenizer, TokenizeError
from .errors import CheckpointError
from .rendering import NotNowError, Renderer, RenderError

# Two texts that share no letter at any place: where their renderings differ the text stands.
_TEXT, _OTHER = "qzATLASqzTEXTqz", "wkOTHERwkWORDwk"
_MASKS = ("[MASK]", "<mask>")
_REMOVE = "Fetch the file again, or remove it to run on token ids."
Ids = tuple[int, ...]


@dataclass(frozen=True)
class TextSource:
    """What a format knows of a model's text: its tokenizer, chat template, and tokens that begin and end texts.

    `names` are what templates call the named tokens, such as `bos_token`; `no_template` says why a template that is
    there cannot be used. `adds_bos` and `adds_eos` say what goes around a text where the library adds nothing itself.
    """

    library: tokenizers.Tokenizer
    place: Path
    template: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    adds_bos: bool = False
    adds_eos: bool = False
    ends: Ids = ()
    no_template: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Frame:
    """What stands around every text, as tokens or written around it, and the tokens after which writing stops.

    `end_of_text` is the one of `ends` that ends a turn. `notes` say what of the files is not obeyed. `pairing`
    puts two texts together, with what belongs around and between them. `again` is when, on `time.monotonic`'s clock,
    a chat template that took too long is worth another try.
    """

    prefix: Ids = ()
    suffix: Ids = ()
    end_of_text: int | None = None
    mask: int | None = None
    ends: Ids = ()
    around: Callable[[str], Framed] | None = None
    notes: tuple[str, ...] = ()
    pairing: PostProcessor | None = None
    again: float | None = None


class ChatFrame:
    """A chat template around one message of the user's."""

    def __init__(self, renderer: Renderer, template: str, names: Mapping[str, str]) -> None:
        """Find out where the template writes the message.

        Raises:
            RenderError: it cannot be rendered, or does not write the message.
        """
        self._renderer, self._template, self._names = renderer, template, names
        self.example, other = self._render(_TEXT), self._render(_OTHER)
        self._before = self.example[: _common(self.example, other)]
        self._after = self.example[len(self.example) - _common(self.example[::-1], other[::-1]) :]
        if self.example == other:
            raise RenderError("it does not write the user's message")

    def _render(self, text: str) -> str:
        return self._renderer.render(self._template, text, self._names)

    def __call__(self, text: str) -> Framed:
        """Render the template around a text, and say where in it the text stands.

        Raises:
            TokenizeError: the template refuses the text, or takes too long.
        """
        try:
            whole = self._render(text)
        except RenderError as error:
            raise TokenizeError(
                f"the model's chat template cannot be rendered around this text: {error}",
                "Change the text, or send token ids instead.",
            ) from error
        # Compared anew: a template may write today's date.
        start, after = _common(whole, self._before), _common(whole[::-1], self._after[::-1])
        return Framed(whole, start, max(start, len(whole) - after))

    def ids(self, library: tokenizers.Tokenizer) -> tuple[Ids, Ids]:
        """Return the tokens that stand before every text, and after it."""
        start, end = len(self._before), len(self.example) - len(self._after)
        encoding = library.encode(self.example, add_special_tokens=False)
        placed = list(zip(encoding.ids, encoding.offsets, strict=True))
        before = tuple(token for token, (_, last) in placed if last <= start)
        return before, tuple(token for token, (first, _) in placed if first >= end)


def _common(one: str, other: str) -> int:
    """Count the characters that two texts begin with alike."""
    if one.startswith(other):
        return len(other)
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def read_tokenizer(path: Path) -> tuple[tokenizers.Tokenizer, str]:
    """Read a `tokenizer.json`, without the cutting and padding that it may ask for, and what it pads with.

    Raises:
        CheckpointError: it is none.
    """
    try:
        library = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception for a file it cannot read
        raise CheckpointError(f"{path} is not a tokenizer.json: {error}", _REMOVE) from error
    padding = library.padding
    library.no_truncation()
    library.no_padding()
    return library, str(padding["pad_token"]) if padding else ""


def frame_of(source: TextSource, about: Mapping[str, Any], d_vocab: int, renderer: Renderer) -> Frame:
    """Find what stands around a text.

    Raises:
        CheckpointError: `about`, from `atlas.json`, says it in a way that cannot be.
    """
    library, declared, note, again = source.library, _declared(source, about), "", None
    around: ChatFrame | WrittenFrame | None = declared if isinstance(declared, WrittenFrame) else None
    if declared is None:
        around, note, again = _chat(source, renderer)
    if isinstance(declared, tuple):
        prefix, suffix = declared
    else:
        prefix, suffix = around.ids(library) if around is not None else _added(source)
    named = about.get("end_of_text_id")
    ends = (named,) if isinstance(named, int) else source.ends
    ends = tuple(token for token in ends if 0 <= token < d_vocab)
    masks = filter(None, (source.names.get("mask_token"), *_MASKS))
    mask = about.get("mask_id", next(filter(None, map(library.token_to_id, masks)), None))
    mask = mask if isinstance(mask, int) and 0 <= mask < d_vocab else None
    end, notes = _end(source, ends, suffix), (*source.notes, *((note,) if note else ()))
    return Frame(prefix, suffix, end, mask, ends, around, notes, library.post_processor, again)


def text_tokenizer(source: TextSource, frame: Frame, d_vocab: int) -> TextTokenizer:
    """Build the tokenizer that runs use."""
    # What it adds is known by now, and it would shorten the places of tokens that begin with a space.
    source.library.post_processor = None
    pairing = frame.pairing
    if pairing is None and isinstance(frame.around, ChatFrame):
        # A conversation's frame is for one message: two texts stand bare beside each other, as in `transformers`.
        pairing = processors.ByteLevel(trim_offsets=False)
    return TextTokenizer(
        source.library,
        frame.prefix,
        frame.end_of_text,
        frame.suffix,
        frame.mask,
        end_ids=frame.ends,
        frame=frame.around,
        d_vocab=d_vocab,
        pairing=pairing,
    )


class WrittenFrame:
    """What `atlas.json` writes around a text."""

    def __init__(self, before: str, after: str) -> None:
        """Write `before` and `after` around every text."""
        self._before, self._after = before, after

    def __call__(self, text: str) -> Framed:
        """Return the text with what is written around it."""
        return Framed(self._before + text + self._after, len(self._before), len(self._before) + len(text))

    def ids(self, library: tokenizers.Tokenizer) -> tuple[Ids, Ids]:
        """Return the tokens that stand before every text, and after it."""
        return _ids(library, self._before), _ids(library, self._after)


def _declared(source: TextSource, about: Mapping[str, Any]) -> tuple[Ids, Ids] | WrittenFrame | None:
    """Read what `atlas.json` says, as ids or as text.

    Raises:
        CheckpointError: it says it with something else.
    """
    if not about.keys() & {"prefix_ids", "suffix_ids", "prefix", "suffix"}:
        return None
    for name in ("prefix", "suffix"):
        if not isinstance(about.get(name, ""), str):
            raise CheckpointError(f"{source.place.parent / 'atlas.json'}: {name} is no text", "Mend the file.")
        if any(not isinstance(token, int) or token < 0 for token in about.get(f"{name}_ids", ())):
            raise CheckpointError(
                f"{source.place.parent / 'atlas.json'}: {name}_ids are no token ids", "Mend the file."
            )
    if not (about.get("prefix_ids") or about.get("suffix_ids")):
        return WrittenFrame(about.get("prefix", ""), about.get("suffix", ""))

    def part(name: str) -> Ids:
        return tuple(about.get(f"{name}_ids", ())) or _ids(source.library, about.get(name, ""))

    return part("prefix"), part("suffix")


def _chat(source: TextSource, renderer: Renderer) -> tuple[ChatFrame | None, str, float | None]:
    """Return the chat template, or None; why there is one that cannot be used; and when to try it again."""
    why, again = source.no_template, None
    if source.template and not why:
        try:
            return ChatFrame(renderer, source.template, source.names), "", None
        except NotNowError as error:
            why, again = str(error), error.again
        except RenderError as error:
            why = str(error)
    return None, f"the chat template is not rendered, and texts are read without it: {why}" if why else "", again


def _added(source: TextSource) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Find what the tokenizer itself puts around a text."""
    library = source.library
    if library.post_processor is not None:
        tried = _readable(library)
        bare = library.encode(tried, add_special_tokens=False).ids
        full = library.encode(tried, add_special_tokens=True).ids
        for start in range(len(full) - len(bare) + 1) if bare else ():
            if full[start : start + len(bare)] == bare and len(full) > len(bare):
                return tuple(full[:start]), tuple(full[start + len(bare) :])

    def named(name: str) -> tuple[int, ...]:
        token = source.names.get(name)
        found = library.token_to_id(token) if token else None
        return () if found is None else (found,)

    return named("bos_token") if source.adds_bos else (), named("eos_token") if source.adds_eos else ()


def _readable(library: tokenizers.Tokenizer) -> str:
    """Find a short text that has tokens: a vocabulary without an unknown token has none for letters it lacks."""
    pieces = (library.id_to_token(number) or "" for number in range(1000))
    texts = ["a", *(piece.strip("▁Ġ#") for piece in pieces)]
    return next((text for text in texts if library.encode(text, add_special_tokens=False).ids), "a")


def _end(source: TextSource, ends: Sequence[int], suffix: Sequence[int]) -> int | None:
    """Find the token that ends a text; of several, the one that ends a turn in the chat template."""
    for token in ends:
        if token in suffix or (source.template and (source.library.id_to_token(token) or "\n\n") in source.template):
            return token
    return ends[0] if ends else None


def _ids(library: tokenizers.Tokenizer, text: str) -> tuple[int, ...]:
    return tuple(library.encode(text, add_special_tokens=False).ids) if text else ()
