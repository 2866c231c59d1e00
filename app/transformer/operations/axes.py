"""The letter that stands for each axis in a formula.

`q[pos, head, d_head]` is written q with p, h, d below it.
"""

LETTERS = {
    "pos": "p", "query_pos": "q", "key_pos": "k", "head": "h", "kv_head": "g", "d_head": "d", "d_model": "m",
    "d_mlp": "n", "d_vocab": "v", "d_transform": "t", "bucket": "b", "token_type": "s",
}  # fmt: skip


def letter_of(axis: str) -> str:
    """Return the axis's letter, or its name where it has none."""
    return LETTERS.get(axis, rf"\text{{{escaped(axis)}}}")


def escaped(text: str) -> str:
    """Escape what LaTeX would read as a subscript."""
    return text.replace("_", r"\_")
