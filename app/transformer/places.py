"""Where tokens stand in a text, in bytes: from the characters that the `tokenizers` library names, and the tokens' own.

Neither is enough. The library gives every token of a split character the whole character, and a prepended space the
first one's place; the tokens' own bytes are another text's where the vocabulary changes it first (NFC, lower case).
So a token stands where the library says, and inside a character that several share they advance byte by byte.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Place = tuple[int, int]


def byte_offsets(text: str) -> list[int]:
    """List the byte at which each character starts, and the end."""
    offsets = [0]
    for character in text:
        offsets.append(offsets[-1] + len(character.encode()))
    return offsets


def byte_places(text: bytes, spans: Sequence[Place], spelled: Sequence[bytes]) -> list[Place]:
    """Find first byte and end of every token in `text`: they never overlap, and add up to no more than the text.

    `spans` are the bytes of the characters that the library names, `spelled` each token's own bytes.
    """
    if b"".join(spelled) == text:
        ends = [0]
        for own in spelled:
            ends.append(ends[-1] + len(own))
        return list(pairwise(ends))
    found: list[Place] = []
    at = first = 0
    while first < len(spans):
        end, last = spans[first][1], first + 1
        while last < len(spans) and spans[last][0] < end:
            end = max(end, spans[last][1])
            last += 1
        found += _shared(text, max(at, end), at, spans[first:last], spelled[first:last])
        at, first = max(at, end), last
    return found


def _shared(text: bytes, end: int, at: int, spans: Sequence[Place], spelled: Sequence[bytes]) -> list[Place]:
    """Place tokens that share characters up to the byte `end`; those before them end at `at`."""
    own = b"".join(spelled)
    sizes = [len(piece) for piece in spelled]
    start = max(at, spans[0][0])
    if text[max(at, end - len(own)) : end] == own:
        start = end - len(own)  # the library leaves spaces out that a token begins with
    elif len(own) > end - start and own[:1] == b" " and text[start : start + 1] != b" ":
        sizes[0] -= 1  # a space that the text does not have
    found = []
    for place, size in enumerate(sizes):
        start = max(start, min(spans[place][0], end)) if place else start
        stop = end if place == len(sizes) - 1 else min(end, start + size)
        found.append((start, stop))
        start = stop
    return found


@dataclass(frozen=True)
class Framed:
    """A text with what a model expects around it: `start` and `end` are where it stands there, in characters."""

    whole: str
    start: int
    end: int

    def own_bytes(self, text: str) -> list[int]:
        """Count, for every byte of the whole and its end, the bytes of the reader's `text` that lie before it."""
        size = len(text.encode())
        found = []
        inside = _aligned(self.whole[self.start : self.end], text)
        for place, character in enumerate(self.whole):
            if place < self.start:
                before, after = 0, 0
            elif place >= self.end:
                before = after = size
            else:
                before, after = inside[place - self.start : place - self.start + 2]
            width = len(character.encode())
            found += [min(before + byte, max(before, after)) if byte else before for byte in range(width)]
        return [*found, size]


def _aligned(written: str, text: str) -> list[int]:
    """Find the byte of a text at which every character that a template wrote for it stands, and the end.

    A template may trim the text or change its case. Of what it changes otherwise only the beginning and the end are
    told apart: what lies between is one place.
    """
    bytes_before = byte_offsets(text)
    found_at = text.find(written)
    if found_at >= 0:
        return bytes_before[found_at : found_at + len(written) + 1]
    if len(written) == len(text):
        return bytes_before
    least = min(len(written), len(text))
    head = next((n for n in range(least) if not _same(written[n], text[n])), least)
    tail = next((n for n in range(least - head) if not _same(written[-1 - n], text[-1 - n])), least - head)
    between = len(written) - head - tail
    middle = [bytes_before[len(text) - tail]] * (between - 1)
    return [*bytes_before[: head + 1], *middle, *bytes_before[len(text) - tail + (between == 0) :]]


def _same(one: str, other: str) -> bool:
    return one == other or one.casefold() == other.casefold()
