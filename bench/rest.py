"""What the door costs: a run made over REST beside the same captured pass in this process, in turns."""

import json
import urllib.request

import torch

from app.runs.recorder import Recorder
from app.transformer.blocks import build_graph
from app.transformer.model import Transformer
from app.transformer.spec import Spec

from .forward import GPT2_SMALL, finish
from .measure import interleave
from .server import Served, serving

_SMALL = Spec(layers=4, heads=4, d_model=128, d_head=32, d_mlp=512, d_vocab=1024, positions=1024)
_TOKENS = (64, 256)
_REPETITIONS = 9


def rows() -> list[tuple[str, str]]:
    """Measure the table's rows: milliseconds of the call, and the call over the pass, for two shapes and lengths."""
    shapes = {"gpt2": GPT2_SMALL, "small": _SMALL}
    with serving(shapes) as served:
        return [row for name, spec in shapes.items() for row in _rows(served, name, spec)]


def _rows(served: Served, name: str, spec: Spec) -> list[tuple[str, str]]:
    model = Transformer(spec).requires_grad_(False).eval()
    model.initialise(0)
    graph, found = build_graph(spec), []
    for count in _TOKENS:
        tokens = torch.arange(count)[None] * 7 % spec.d_vocab
        question = json.dumps({"model": name, "tokens": tokens[0].tolist(), "max_new_tokens": 0}).encode()

        def call(question: bytes = question) -> None:
            headers = {"content-type": "application/json"}
            request = urllib.request.Request(f"{served.url}/api/v1/runs", question, headers)
            with urllib.request.urlopen(request, timeout=120) as answer:
                answer.read()

        def compute(tokens: torch.Tensor = tokens) -> None:
            with torch.inference_mode():
                finish(model.stages(tokens, Recorder(model, graph).tap))

        timings = interleave({"REST": call, "in process": compute}, _REPETITIONS)
        found += [
            (f"{name}, {count} tokens: a run over REST", f"{timings.median('REST') * 1e3:.0f} ms"),
            (f"{name}, {count} tokens: REST / in process", timings.ratio("REST", "in process")),
        ]
    return found
