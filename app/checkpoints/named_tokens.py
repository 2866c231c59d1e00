"""Tokens that lie beside a `tokenizer.json`: the named ones (`bos_token` and so on), and those added to a vocabulary.

They are read as `transformers` reads them: `tokenizer_config.json` first; where it lists no `added_tokens_decoder`,
the older `special_tokens_map.json` and `added_tokens.json` too. What the vocabulary lacks is added to it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer

from .errors import CheckpointError

NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
Optional = Callable[[str], dict[str, Any]]
_MEND = "Fetch the file again, or remove it."


def name_tokens(
    library: Tokenizer, folder: Path, read: Optional, defaults: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Find what the folder's files call the named tokens; tokens that `library` lacks are added to it.

    `read` gives a JSON object from a file of the folder, an empty one where there is no such file; `defaults` are
    names that a tokenizer's class gives where the files give none.

    Raises:
        CheckpointError: one of the files describes a token in a way that cannot be.
    """
    settings = dict(read("tokenizer_config.json"))
    try:
        added = _added(settings, read)
        settings = {**(defaults or {}), **settings}
        _complete(library, settings, added)
    except (TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{folder}: its added or special tokens cannot be read: {error}", _MEND) from error
    library.encode_special_tokens = settings.get("split_special_tokens") is True
    named = {name: content_of(settings.get(name)) for name in NAMES}
    named |= {name: content_of(token) for name, token in _own_names(settings).items()}
    return {name: content for name, content in named.items() if content}


def content_of(token: Any) -> str:
    """Return a token's text, which configurations give plainly or with properties."""
    if isinstance(token, AddedToken):
        return token.content
    found = token.get("content") if isinstance(token, dict) else token
    return found if isinstance(found, str) else ""


def _added(settings: dict[str, Any], read: Optional) -> dict[int, AddedToken]:
    """Read added tokens by their numbers; `settings` get what the older files say of named ones."""
    if "added_tokens_decoder" in settings:
        return {int(number): _token(token) for number, token in dict(settings["added_tokens_decoder"]).items()}
    for name, value in read("special_tokens_map.json").items():
        settings[name] = _token({**value, "special": True}) if _is_token(value) else value
    special = {content_of(settings.get(name)) for name in NAMES} | {content_of(token) for token in _extra(settings)}
    return {
        int(number): AddedToken(content, normalized=content not in special, special=content in special)
        for content, number in read("added_tokens.json").items()
    }


def _complete(library: Tokenizer, settings: dict[str, Any], added: dict[int, AddedToken]) -> None:
    """Add what the vocabulary lacks: they get the next free numbers, in the order of those they are said to have."""
    known = library.get_added_tokens_decoder()
    described = {repr(token) for token in known.values()}
    lacking = [token for _, token in sorted(added.items()) if repr(token) not in described]
    contents = {token.content for token in [*known.values(), *lacking]}
    by_content = {token.content: token for token in added.values()}
    named = [settings.get(name) for name in NAMES]
    for token in [*named, *_extra(settings)]:
        content = content_of(token)
        if content and content not in contents:
            contents.add(content)
            lacking.append(by_content.get(content) or (token if isinstance(token, AddedToken) else _special(token)))
    for token in lacking:
        token.special = token.special or token.content in {content_of(each) for each in named}
    library.add_tokens(lacking)


def _extra(settings: dict[str, Any]) -> list[Any]:
    """List special tokens beside the usual ones: under names of their own, or listed."""
    listed = settings.get("extra_special_tokens") or settings.get("additional_special_tokens") or []
    return [*_own_names(settings).values(), *([] if isinstance(listed, dict) else listed)]


def _own_names(settings: dict[str, Any]) -> dict[str, Any]:
    """List special tokens under names of a model's own, such as `image_token`; chat templates use these names."""
    found = {name: value for name, value in settings.items() if name.endswith("_token") and name not in NAMES}
    for entry in ("extra_special_tokens", "model_specific_special_tokens"):
        more = settings.get(entry)
        found |= more if isinstance(more, dict) else {}
    return {
        str(name): value for name, value in found.items() if isinstance(value, str | AddedToken) or _is_token(value)
    }


def _is_token(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("content"), str)


def _special(token: Any) -> AddedToken:
    return _token({**token, "special": True}) if _is_token(token) else AddedToken(content_of(token), special=True)


def _token(described: dict[str, Any]) -> AddedToken:
    properties = ("content", "single_word", "lstrip", "rstrip", "normalized", "special")
    return AddedToken(**{name: described[name] for name in properties if name in described})
