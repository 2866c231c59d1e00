"""The logit lens: what the model would say if it stopped after a layer."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..runs.run import Run
from ..transformer.spec import Spec
from .drawing import MOST_TEXTS, Chart, Scale, escaped, heat_map, labels_of, lines, quoted
from .lens import Lens, Place, View, nullable, positions_read
from .parameters import Parameter
from .parts import Stop, added, output_position, output_prefix, stream
from .readout import needs_head, rows_at_once, unembed

_AT = ("blocks", "sub-layers", "attention", "MLP")
_SHOWN = {
    "probability": "probability of the top token",
    "entropy": "entropy (bits)",
    "divergence": "divergence from the end (bits)",
    "rank": "rank of the token that wins in the end",
}
_UNITS = {"probability": "probability", "entropy": "bits", "divergence": "bits", "rank": "rank"}
# Multiplications that take about half a second on one core: what is done without being asked for more.
_WORK = 7_000_000_000
_MOST = 6
# Tokens named when a cell is pointed at.
_FEW = 5


@dataclass(frozen=True)
class Reading:
    """What each of some vectors of the stream says, `[stop, pos]` each, and how far the last is from the output.

    `tokens` and `shares` are the likeliest few with their probabilities, `[stop, pos, few]`.
    """

    tokens: Tensor
    shares: Tensor
    entropy: Tensor
    divergence: Tensor
    rank: Tensor
    difference: float | None

    @property
    def token(self) -> Tensor:
        """Return the likeliest token, `[stop, pos]`."""
        return self.tokens[..., 0]

    @property
    def probability(self) -> Tensor:
        """Return the likeliest token's probability, `[stop, pos]`."""
        return self.shares[..., 0]


def stops_of(run: Run, at: str) -> list[Stop]:
    """List the places of the stream that are read."""
    spec, graph, prefix = run.loaded.spec, run.loaded.graph, output_prefix(run.loaded.spec)
    if at == "attention":
        return added(graph, prefix, "attention", "cross-attention")
    if at == "MLP":
        return added(graph, prefix, "MLP")
    stops = stream(spec, graph, prefix)
    return [stop for stop in stops if at == "sub-layers" or stop.label == "embedding" or stop.label.endswith("MLP")]


def read_stream(run: Run, stops: Sequence[Stop], first: int, last: int, token: int | None) -> Reading:
    """Send every stop at positions `first` to `last` through the last norm and the unembedding.

    The end of the stream is not computed again: it is the run's own logits. `rank` is that of `token`, or of the
    token that wins in the end.
    """
    end = stream(run.loaded.spec, run.loaded.graph, output_prefix(run.loaded.spec))[-1].name
    batch = max(1, rows_at_once(run.loaded.spec) // len(stops))
    pieces, difference = [], None
    for start in range(first, last, batch):
        stop = min(last, start + batch)
        final = run.recorder.read("logits", start, stop).float().cpu()  # [pos, d_vocab]
        vectors = torch.stack([run.recorder.read(place.name, start, stop) for place in stops])
        # [stop, pos, d_model] -> [stop*pos, d_model] and back
        logits = unembed(run, vectors.flatten(0, 1)).unflatten(0, vectors.shape[:2])
        if stops[-1].name == end:
            found = float((logits[-1] - final).abs().max())
            difference = found if difference is None else max(difference, found)
            logits[-1] = final
        pieces.append(_read(logits, final, token))
    tokens, shares, entropy, divergence, rank = (torch.cat(parts, 1) for parts in zip(*pieces, strict=True))
    return Reading(tokens, shares, entropy, divergence, rank, difference)


def _read(logits: Tensor, final: Tensor, token: int | None) -> tuple[Tensor, ...]:
    """Read `logits [stop, pos, d_vocab]`: the likeliest tokens, their shares, entropy, divergence, a token's rank."""
    total = logits.logsumexp(-1)  # [stop, pos]
    best = logits.topk(min(_FEW, logits.shape[-1]))
    wanted = final.argmax(-1) if token is None else torch.full((final.shape[0],), token)
    own = logits.gather(-1, wanted.expand(logits.shape[:2]).unsqueeze(-1))  # [stop, pos, 1]
    rank = (logits > own).sum(-1) + 1
    ended = torch.softmax(final, -1)
    # Kullback-Leibler, KL(final ‖ here) = sum p_final (log p_final - log p_here)
    surprise = total - torch.einsum("spv,pv->sp", logits, ended)
    divergence = (surprise - surprise_of(final)).clamp_min(0)
    entropy = total - (logits - total.unsqueeze(-1)).exp_().mul_(logits).sum(-1)
    shares = (best.values - total.unsqueeze(-1)).exp()
    return best.indices, shares, entropy / math.log(2), divergence / math.log(2), rank


def surprise_of(logits: Tensor) -> Tensor:
    """Compute the entropy of `softmax(logits)` along the last axis, in nats."""
    shares = torch.log_softmax(logits, -1)
    return -(shares.exp() * shares).sum(-1)


def affordable(spec: Spec, stops: int) -> int:
    """Count the positions that can be read at so many stops without a wait."""
    return max(1, _WORK // (stops * spec.d_model * spec.d_vocab))


def _parameters(run: Run) -> Sequence[Parameter]:
    spec, count = run.loaded.spec, run.recorder.rows("logits")
    at_once = max(1, min(count, affordable(spec, len(stops_of(run, "blocks")))))
    most = max(1, min(count, _MOST * affordable(spec, len(stops_of(run, "blocks")))))
    return [
        Parameter("at", "read", "choice", "blocks", choices=_AT),
        Parameter("show", "colour", "choice", "probability", choices=tuple(_SHOWN)),
        Parameter("last", "up to position", "index", -1, of="pos", size=count),
        Parameter("count", "positions", "count", at_once, least=1, most=most),
        Parameter("token", "rank of", "token", "", empty="the token that wins in the end"),
    ]


def _view(run: Run, chosen: Mapping[str, Any]) -> View:
    positions_read(run)
    last = chosen["last"] + 1
    first = max(0, last - chosen["count"])
    stops = stops_of(run, chosen["at"])
    reading = read_stream(run, stops, first, last, chosen["token"])
    tokens = run.tokens[first:last]
    text_of = run.loaded.tokenizer.text_of
    winners = [[text_of(int(token)) for token in row] for row in reading.token]
    values = {name: nullable(getattr(reading, name).numpy()) for name in _SHOWN}
    numbers = {
        "lens": "logit_lens",
        "run": run.id,
        "axes": ["stop", "pos"],
        "stops": [{"name": stop.name, "label": stop.label} for stop in stops],
        "first": first,
        "tokens": [token.text for token in tokens],
        "top": {"id": reading.token.tolist(), "text": winners},
        # The likeliest few of every cell, from the top down.
        "likeliest": {"id": reading.tokens.tolist(), "probability": reading.shares.tolist()},
        "token": chosen["token"],
        **values,
        # The end is the run's own logits; this is how far the same computation done again is from them.
        "recomputed_difference": reading.difference,
    }

    def figure() -> Chart:
        show, rank_of = chosen["show"], chosen["token"]
        said = _SHOWN[show] if show != "rank" or rank_of is None else f"rank of {quoted(text_of(rank_of))}"
        labels = labels_of(tokens)
        few = reading.token.numel() <= MOST_TEXTS
        return heat_map(
            getattr(reading, show).numpy(), labels, [stop.label for stop in stops], _scale(show),
            title=f"{said}, positions {first} to {last - 1} of {run.recorder.rows('logits')}",
            across="after" if run.loaded.spec.writes else "at", down="read at",
            texts=[[escaped(text) for text in row] for row in winners], notes=_notes(run, reading) if few else None,
            bounds=(0, 1) if show == "probability" else None, unit=_UNITS[show],
        )  # fmt: skip

    rows: list[list[object]] = []
    places = list[Place | None]()
    for down, stop in enumerate(stops):
        for across, token in enumerate(tokens):
            made = [values[name][down][across] for name in _SHOWN]
            rows.append([stop.name, first + across, token.text, winners[down][across], *made])
            places.append((stop.name, (first + across, None)))
    return View(numbers, ["read_at", "pos", "token", "top", *_SHOWN], lambda: zip(rows, places, strict=True), figure)


def _scale(show: str) -> Scale:
    return "probability" if show == "probability" else "summary"


def _notes(run: Run, reading: Reading) -> list[list[str]]:
    """Write what every cell says when it is pointed at: its likeliest tokens."""
    text_of = run.loaded.tokenizer.text_of
    return [
        [
            "<br>".join(f"{escaped(text_of(token))} {share:.4f}" for token, share in zip(named, probable, strict=True))
            for named, probable in zip(*across, strict=True)
        ]
        for across in zip(reading.tokens.tolist(), reading.shares.tolist(), strict=True)
    ]


def _rank_parameters(run: Run) -> Sequence[Parameter]:
    return [
        output_position(run),
        Parameter("token", "token", "token", "", empty="the token that wins in the end"),
        Parameter("at", "read", "choice", "sub-layers", choices=_AT[:2]),
    ]


def _rank_view(run: Run, chosen: Mapping[str, Any]) -> View:
    positions_read(run)
    pos, stops = chosen["pos"], stops_of(run, chosen["at"])
    logits = run.recorder.read("logits", pos, pos + 1).float().cpu()
    token = int(logits[0].argmax()) if chosen["token"] is None else chosen["token"]
    reading = read_stream(run, stops, pos, pos + 1, token)
    ranks = reading.rank[:, 0].tolist()
    text = run.loaded.tokenizer.text_of(token)
    tops = [run.loaded.tokenizer.text_of(int(best)) for best in reading.token[:, 0]]
    numbers = {
        "lens": "token_rank",
        "run": run.id,
        "pos": pos,
        "after": run.tokens[pos].text,
        "token": {"id": token, "text": text},
        "stops": [{"name": stop.name, "label": stop.label} for stop in stops],
        "rank": ranks,
        "of": run.loaded.spec.d_vocab,
    }

    def figure() -> Chart:
        where = f"{'after' if run.loaded.spec.writes else 'at'} {quoted(run.tokens[pos].text)}, pos {pos}"
        notes = [f"{stop.label}: top {quoted(best)}" for stop, best in zip(stops, tops, strict=True)]
        return lines(
            [(escaped(text), ranks)], [stop.label for stop in stops], notes=notes, ranks=True,
            title=f"rank of {quoted(text)} {where}, among {run.loaded.spec.d_vocab}", unit="rank", along="read at",
        )  # fmt: skip

    rows: list[list[object]] = [
        [stop.name, rank, best, share]
        for stop, rank, best, share in zip(stops, ranks, tops, reading.probability[:, 0].tolist(), strict=True)
    ]
    places: list[Place | None] = [(stop.name, (pos, None)) for stop in stops]
    return View(numbers, ["read_at", "rank", "top", "probability"], lambda: zip(rows, places, strict=True), figure)


LENS = Lens(
    "logit_lens",
    "Logit lens",
    "Through the layers",
    _view,
    "Each row reads the residual stream after one layer with the model's own last norm and unembedding, as if the"
    " model stopped there (nostalgebraist 2020). A cell says the top token and its probability; other colours show"
    " the entropy, how many bits the distribution is from the last one (Kullback-Leibler), or the rank of a token."
    " The last row is the output itself.",
    (
        "Only the last layer was trained to be read so. That an early row says nothing does not mean that the layer"
        " knows nothing: it may hold it in a basis the unembedding does not read.",
        "Read at attention or MLP alone, the last norm blows up even a tiny vector; the row says where it points, not"
        " how much it moves.",
        "Rows name what would come after the token of the column, not the token itself (an encoder's name the token).",
    ),
    _parameters,
    needs_head,
)
RANK_LENS = Lens(
    "token_rank",
    "Rank of a token",
    "Through the layers",
    _rank_view,
    "The rank of one token among the whole vocabulary when the residual stream is read after each sub-layer with the"
    " last norm and the unembedding; 1 is the top. The scale is logarithmic, since the climb from 10,000 to 100 says as"
    " much as the one from 100 to 1.",
    (
        "A rank can fall although the token's own logit rises: others rose more.",
        "What is true of the logit lens is true of its ranks: early layers were not trained to be read.",
    ),
    _rank_parameters,
    needs_head,
)
LENSES = (LENS, RANK_LENS)
