#!/usr/bin/env bash
# transformers 5.23.0, tokenizers 0.23.3: a tokenizer's class overrules how its tokenizer.json cuts numbers.
#
# A folder whose tokenizer_config.json names `GPT2Tokenizer` may have a tokenizer.json that cuts
# every digit off before GPT-2's own cut. The library tokenizers reads the file as it stands: 42 is two tokens.
# transformers 5 takes the vocabulary and the merges alone and puts the tokenizer together anew as GPT-2's:
# the step `Digits` is gone, and with merges that join digits 42 is one token. No word is said of it. If
# tokenizer_config.json names `PreTrainedTokenizerFast` the step stays. The model's type here is llama.
#
# Seen: "the file alone: ['4', '2']" / "GPT2Tokenizer: ['42']" / "PreTrainedTokenizerFast: ['4', '2']"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check transformers==5.23.0 tokenizers==0.23.3
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import json
import sys
from pathlib import Path

import tokenizers
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoTokenizer

alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
vocabulary = {piece: number for number, piece in enumerate(["<|endoftext|>", *alphabet, "42"])}
library = Tokenizer(models.BPE(vocabulary, [("4", "2")]))
library.pre_tokenizer = pre_tokenizers.Sequence(
    [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
)
library.decoder = decoders.ByteLevel()
library.add_special_tokens(["<|endoftext|>"])


def split(name: str) -> list[str]:
    """Split a number with the tokenizer of a folder whose configuration names this class."""
    place = Path(sys.argv[1]) / name
    place.mkdir()
    library.save(str(place / "tokenizer.json"))
    (place / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (place / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": name, "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"})
    )
    return AutoTokenizer.from_pretrained(place).tokenize("42")


print("transformers", transformers.__version__, "tokenizers", tokenizers.__version__)
seen = library.encode("42").tokens, split("GPT2Tokenizer"), split("PreTrainedTokenizerFast")
for said, pieces in zip(("the file alone", "GPT2Tokenizer", "PreTrainedTokenizerFast"), seen):
    print(f"{said}: {pieces}")
sys.exit(seen != (["4", "2"], ["42"], ["4", "2"]))
PYTHON
