"""llama.cpp's k-quants, which the `gguf` package reads but cannot write: blocks of random bytes, unpacked here by hand.

Each function below follows the C of ggml-quants.c, `dequantize_row_q*_K`, number for number; a super-block holds 256.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from transformers import LlamaConfig, LlamaForCausalLM

from .gguf_files import SIZES, Pack, Packed, write_gguf
from .reference import POSITIONS, compare, load, random_tokens, randomise

pytestmark = pytest.mark.parity

_BLOCK = 256


def _half(block: bytes, at: int) -> float:
    return float(np.frombuffer(block[at : at + 2], np.float16)[0])


def _q2(block: bytes) -> list[float]:
    scales, quants, d, least = block[:16], block[16:80], _half(block, 80), _half(block, 82)
    out = []
    for part in range(8):  # two halves of 128, four shifts each
        half, shift = divmod(part, 4)
        for side in range(2):
            scale = scales[2 * part + side]
            for place in range(16):
                bits = quants[32 * half + 16 * side + place] >> 2 * shift & 3
                out.append(d * (scale & 15) * bits - least * (scale >> 4))
    return out


def _q3(block: bytes) -> list[float]:
    high, quants, packed, d = block[:32], block[32:96], block[96:108], _half(block, 108)
    # sixteen scales of six bits: four low bits in the first eight bytes, two high bits in the last four
    low = [packed[place] & 15 for place in range(8)] + [packed[place] >> 4 for place in range(8)]
    scales = [low[place] | (packed[8 + place % 4] >> 2 * (place // 4) & 3) << 4 for place in range(16)]
    out = []
    for part in range(8):
        half, shift = divmod(part, 4)
        for side in range(2):
            scale = d * (scales[2 * part + side] - 32)
            for place in range(16 * side, 16 * side + 16):
                bits = quants[32 * half + place] >> 2 * shift & 3
                out.append(scale * (bits - (0 if high[place] >> part & 1 else 4)))
    return out


def _scale_and_least(packed: bytes, place: int) -> tuple[int, int]:
    """Follow `get_scale_min_k4`: eight pairs of six bits in twelve bytes."""
    if place < 4:
        return packed[place] & 63, packed[place + 4] & 63
    low = packed[place + 4]
    return low & 15 | packed[place - 4] >> 6 << 4, low >> 4 | packed[place] >> 6 << 4


def _q4(block: bytes) -> list[float]:
    d, least, packed, quants = _half(block, 0), _half(block, 2), block[4:16], block[16:144]
    out = []
    for part in range(8):
        scale, minimum = _scale_and_least(packed, part)
        for place in range(32):
            bits = quants[part // 2 * 32 + place] >> 4 * (part % 2) & 15
            out.append(d * scale * bits - least * minimum)
    return out


def _q5(block: bytes) -> list[float]:
    d, least, packed, high, quants = _half(block, 0), _half(block, 2), block[4:16], block[16:48], block[48:176]
    out = []
    for part in range(8):
        scale, minimum = _scale_and_least(packed, part)
        for place in range(32):
            bits = quants[part // 2 * 32 + place] >> 4 * (part % 2) & 15 | (high[place] >> part & 1) << 4
            out.append(d * scale * bits - least * minimum)
    return out


def _q6(block: bytes) -> list[float]:
    low, high, scales, d = block[:128], block[128:192], np.frombuffer(block[192:208], np.int8), _half(block, 208)
    out = []
    for half in range(2):
        for quarter in range(4):
            for place in range(32):
                nibble = low[64 * half + 32 * (quarter % 2) + place] >> 4 * (quarter // 2) & 15
                bits = (nibble | (high[32 * half + place] >> 2 * quarter & 3) << 4) - 32
                out.append(d * int(scales[8 * half + 2 * quarter + place // 16]) * bits)
    return out


# How to unpack a block, and where in it its halves in float16 stand, which random bytes would make infinite.
KINDS: dict[str, tuple[Callable[[bytes], list[float]], tuple[int, ...]]] = {
    "Q2_K": (_q2, (80, 82)),
    "Q3_K": (_q3, (108,)),
    "Q4_K": (_q4, (0, 2)),
    "Q5_K": (_q5, (0, 2)),
    "Q6_K": (_q6, (208,)),
}


def _random_blocks(names: tuple[str, ...]) -> Pack:
    """Put random blocks in every matrix's place, of these kinds in turn: files mix them, Q4_K_M has Q6_K too."""
    generator, turn = np.random.default_rng(0), iter(range(1000))

    def pack(name: str, numbers: np.ndarray) -> Packed:
        kind = GGMLQuantizationType[names[next(turn) % len(names)]]
        unpack, halves = KINDS[kind.name]
        rows, columns = numbers.shape
        blocks = generator.integers(0, 256, (rows * columns // _BLOCK, GGML_QUANT_SIZES[kind][1]), np.uint8)
        for at in halves:
            small = (generator.random((len(blocks), 1)) * 2e-4).astype(np.float16)
            blocks[:, at : at + 2] = small.view(np.uint8)
        widened = np.array([unpack(block.tobytes()) for block in blocks], np.float32)
        return blocks.reshape(rows, -1), kind, widened.reshape(rows, columns)

    return pack


@pytest.mark.parametrize("names", [("Q6_K",), ("Q4_K", "Q6_K"), ("Q5_K",), ("Q2_K", "Q3_K")], ids="+".join)
def test_every_number_equals_the_references(tmp_path: Path, names: tuple[str, ...]) -> None:
    sizes = SIZES | {"hidden_size": _BLOCK, "intermediate_size": _BLOCK, "num_hidden_layers": 1}
    reference = randomise(LlamaForCausalLM(LlamaConfig(**sizes)))
    reference.set_attn_implementation("eager")
    write_gguf(tmp_path / "tiny.gguf", reference, "llama", _random_blocks(names))
    loaded = load(tmp_path / "tiny.gguf")
    assert any(name in loaded.entry.description for name in names)
    compare(loaded, reference, random_tokens(POSITIONS))
