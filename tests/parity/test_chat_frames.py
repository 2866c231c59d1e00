"""A text in its chat frame has the tokens that `apply_chat_template` gives it; a text without one, the tokenizer's.

One entry of one file at a time: where names, added tokens and templates are said differs from model to model.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from app.checkpoints.rendering import Renderer
from tests.vocabularies import NAMED, VOCABULARIES, byte_level, entry_of, folder_with, reader_of

pytestmark = pytest.mark.parity

_ASK = "{{ '<|user|>' + m['content'] }}"
TEMPLATES = {
    "Llama 2": "{% for m in messages %}{{ bos_token + '[INST] ' + m['content'] + ' [/INST]' }}{% endfor %}",
    "lines": "{% for m in messages %}{{ '<user>\n' + m['content'] + eos_token + '\n' }}{% endfor %}{{ '<bot>\n' }}",
    "colon": "{{ bos_token }}{% for m in messages %}{{ 'User: ' + m['content'] + '\n\n' }}{% endfor %}{{ 'Bot:' }}",
    "trimmed": "{% for m in messages %}{{ bos_token + 'User: ' + (m['content'] | trim) }}{% endfor %} he",
    "changed": "{% for m in messages %}{{ m['content'] | upper }}{% endfor %}{{ eos_token }}",
    "json": "{% for m in messages %}{{ m | tojson }}{% endfor %}",
}
TEXTS = ["hello", " hello the", "he: cafe\u0301 \N{GRINNING FACE}", '"</s>"\n']
ALONE = {
    "break": "{% for m in messages %}{{ bos_token }}" + _ASK + "{% break %}{% endfor %}",
    "continue": "{% for m in messages %}{% if m.role != 'user' %}{% continue %}{% endif %}" + _ASK + "{% endfor %}",
    "date": "{{ strftime_now('%Y') }}{% for m in messages %}" + _ASK + "{% endfor %}",
    "generation": "{% for m in messages %}" + _ASK + "{% endfor %}{% generation %}{{ '<s>' }}{% endgeneration %}",
    "every name": "{{ pad_token }}{{ unk_token }}{{ eos_token }}{% for m in messages %}" + _ASK + "{% endfor %}",
    "tools": "{{ 'none' if not tools and documents is none }}{% for m in messages %}" + _ASK + "{% endfor %}",
    "namespace": "{% set n = namespace(a=1) %}{% set n.a = dict(b='he')['b'] %}{{ n.a }}{{ messages[0]['content'] }}",
    "without a beginning": "{% if add_generation_prompt %}{{ messages[0].content }}{% endif %}{{ cls_token }}",
}
_PLAIN = TEMPLATES["colon"]
_NEW = {"content": "<|im_start|>", "special": True, "lstrip": False, "rstrip": False, "normalized": False}
_WORD = {**_NEW, "content": "hehe", "special": False, "normalized": True, "single_word": True}
# Files and entries, each of which changes the tokens of a text in `transformers`.
FILES: dict[str, dict[str, Any]] = {
    "names in special_tokens_map.json": {"files": {"special_tokens_map.json": NAMED}, "chat_template": _PLAIN},
    "names said twice": {**NAMED, "files": {"special_tokens_map.json": {"bos_token": "</s>"}}, "chat_template": _PLAIN},
    "a map beside a list of added tokens": {
        **NAMED, "added_tokens_decoder": {"1": {**_NEW, "content": "<s>"}}, "chat_template": _PLAIN,
        "files": {"special_tokens_map.json": {"bos_token": "</s>"}},
    },
    "names with properties": {
        **NAMED, "bos_token": {"__type": "AddedToken", **_NEW, "content": "<s>"}, "chat_template": _PLAIN,
    },
    "a name of its own": {**NAMED, "image_token": "<|im_start|>"},
    "added_tokens_decoder": {**NAMED, "added_tokens_decoder": {"266": _NEW}},
    "two of them": {**NAMED, "added_tokens_decoder": {"267": _NEW, "266": _WORD}},
    "added_tokens.json": {**NAMED, "files": {"added_tokens.json": {"<|im_start|>": 266, "hehe": 267}}},
    "additional_special_tokens": {**NAMED, "additional_special_tokens": ["<|im_start|>"]},
    "extra_special_tokens": {**NAMED, "extra_special_tokens": ["<|im_start|>"]},
    "extra ones by name": {**NAMED, "extra_special_tokens": {"x_token": "<|im_start|>"}},
    "a name of its own in a template": {
        **NAMED, "image_token": "<|im_start|>", "chat_template": "{{ image_token }}" + _PLAIN,
    },
    "extra ones by name in a template": {
        **NAMED, "extra_special_tokens": {"image_token": "<|im_start|>", "x": "hehe"},
        "chat_template": "{{ image_token + x }}" + _PLAIN,
    },
    "model's own in a template": {
        **NAMED, "model_specific_special_tokens": {"y_token": "<|im_start|>"},
        "chat_template": "{{ y_token }}" + _PLAIN,
    },
    "listed ones have no names": {
        **NAMED, "additional_special_tokens": ["<|im_start|>"], "extra_special_tokens": ["hehe"],
        "chat_template": "{{ additional_special_tokens }}{{ extra_special_tokens }}" + _PLAIN,
    },
    "a name that is a word": {**NAMED, "eos_token": "he"},
    "a name that is new": {**NAMED, "pad_token": "<|im_start|>"},
    "split_special_tokens": {**NAMED, "split_special_tokens": True},
    "add_bos_token": {**NAMED, "add_bos_token": True},
    "add_eos_token": {**NAMED, "add_eos_token": True},
    "add_prefix_space": {**NAMED, "add_prefix_space": True},
    "a list of templates": {**NAMED, "chat_template": [{"name": "default", "template": _PLAIN}]},
    "a template's own file": {**NAMED, "chat_template": "no", "files": {"chat_template.jinja": _PLAIN}},
    "a folder of templates": {
        **NAMED, "files": {"chat_template.jinja": _PLAIN, "chat_templates/tool_use.jinja": "no"},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    """Start one process that renders for all."""
    found = Renderer(seconds=30)
    yield found
    found.close()


def same_tokens(folder: Path, renderer: Renderer, texts: list[str]) -> None:
    """Check that our tokens of each text are those of `transformers`."""
    theirs: Any = AutoTokenizer.from_pretrained(folder)
    entry = entry_of(folder, renderer)
    ours = reader_of(entry)
    assert entry.frame.notes == ()
    for text in texts:
        message = [{"role": "user", "content": text}]
        if theirs.chat_template:
            wanted = theirs.apply_chat_template(message, add_generation_prompt=True, return_dict=False)
        else:
            wanted = theirs(text).input_ids
        tokens = ours.encode(text)
        assert [token.id for token in tokens] == wanted, text
        at = 0
        for token in tokens:
            assert at <= token.start <= token.end <= len(text.encode()), text
            at = token.end


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@pytest.mark.parametrize("template", TEMPLATES)
def test_a_frame_and_its_text_are_split_together(
    tmp_path: Path, renderer: Renderer, vocabulary: str, template: str
) -> None:
    folder = folder_with(tmp_path / "chat", VOCABULARIES[vocabulary], chat_template=TEMPLATES[template], **NAMED)
    same_tokens(folder, renderer, TEXTS)


@pytest.mark.parametrize("template", ALONE)
def test_templates_may_use_what_transformers_gives_them(tmp_path: Path, renderer: Renderer, template: str) -> None:
    folder = folder_with(tmp_path / "t", byte_level(), chat_template=ALONE[template], pad_token="</s>", **NAMED)
    same_tokens(folder, renderer, TEXTS)


@pytest.mark.parametrize("entry", FILES)
def test_names_and_added_tokens_are_read_wherever_they_are_said(tmp_path: Path, renderer: Renderer, entry: str) -> None:
    folder = folder_with(tmp_path / "files", byte_level(), **FILES[entry])
    same_tokens(folder, renderer, ["<|im_start|>he", "x hehe <s></s> he"])


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_a_text_without_a_frame(tmp_path: Path, renderer: Renderer, vocabulary: str) -> None:
    folder = folder_with(tmp_path / "plain", VOCABULARIES[vocabulary], **NAMED)
    same_tokens(folder, renderer, [*TEXTS, "<s>hello</s> he"])
