#!/usr/bin/env bash
# tokenizers 0.23.3: with byte fallback every byte of a character has the whole character's offsets, and so has the
# space that a vocabulary prepends. Whoever adds up `end - start` counts a text's characters several times.
# Exits non-zero if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q tokenizers==0.23.3
"$folder/venv/bin/python" - <<'PY'
import tokenizers
from tokenizers import Tokenizer, models, normalizers

vocabulary = {"<unk>": 0, "▁": 1, "a": 2, **{f"<0x{byte:02X}>": byte + 3 for byte in range(256)}}
library = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>", byte_fallback=True))
library.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
text = "漢a"
found = library.encode(text)
counted = sum(last - first for first, last in found.offsets)
print("tokenizers", tokenizers.__version__)
print(list(zip(found.tokens, found.offsets)))
print(f"the text has {len(text)} characters, its tokens' offsets add up to {counted}")
raise SystemExit(0 if found.offsets == [(0, 1)] * 4 + [(1, 2)] else 1)
PY
# Seen on 2026-11-29:
# tokenizers 0.23.3
# [('▁', (0, 1)), ('<0xE6>', (0, 1)), ('<0xBC>', (0, 1)), ('<0xA2>', (0, 1)), ('a', (1, 2))]
# the text has 2 characters, its tokens' offsets add up to 5
