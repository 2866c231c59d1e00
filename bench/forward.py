"""What capturing costs: a forward pass with everything kept, without, and `transformers`' with its outputs."""

from collections.abc import Iterator

import torch
from torch import Tensor

from app.checkpoints.huggingface import export_config, export_state
from app.runs.recorder import Recorder
from app.transformer.blocks import build_graph
from app.transformer.model import KeyValueCache, Tap, Transformer, no_tap
from app.transformer.spec import Spec

from .measure import interleave

GPT2_SMALL = Spec(layers=12, heads=12, d_model=768, d_head=64, d_mlp=3072, d_vocab=50257, positions=1024)
GPT2_XL = Spec(layers=48, heads=25, d_model=1600, d_head=64, d_mlp=6400, d_vocab=50257, positions=1024)
_TOKENS, _REPETITIONS, _NEW_TOKENS = 64, 30, 24


def finish(stages: Iterator[None]) -> Tensor:
    """Run a staged pass to its end; its logits."""
    while True:
        try:
            next(stages)
        except StopIteration as stop:
            logits: Tensor = stop.value
            return logits


def _reference(model: Transformer) -> torch.nn.Module:
    """Load the same weights in `transformers`, with the attention that can return its patterns."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(**export_config(model.spec, None))
    config._attn_implementation = "eager"
    reference: torch.nn.Module = GPT2LMHeadModel(config)
    reference.load_state_dict(export_state(model, torch.float32), strict=False)
    return reference.train(False)


def rows() -> list[tuple[str, str]]:
    """Measure the table's rows for the forward pass and for generation."""
    model = Transformer(GPT2_SMALL).requires_grad_(False).eval()
    model.initialise(0)
    graph, reference = build_graph(GPT2_SMALL), _reference(model)
    tokens = torch.arange(_TOKENS)[None] * 7 % GPT2_SMALL.d_vocab
    with torch.inference_mode():
        difference = float((reference(tokens).logits - model(tokens)).abs().max())
        timings = interleave(
            {
                "plain": lambda: finish(model.stages(tokens)),
                "captured": lambda: finish(model.stages(tokens, Recorder(model, graph).tap)),
                "transformers": lambda: reference(
                    tokens, output_attentions=True, output_hidden_states=True, use_cache=False
                ),
            },
            _REPETITIONS,
        )
        return [
            ("logits differ from transformers' by at most", f"{difference:.1e}"),
            ("forward pass, GPT-2 small's shape, 64 tokens", f"{timings.median('plain') * 1e3:.0f} ms"),
            ("everything captured / without", timings.ratio("captured", "plain")),
            ("everything captured / transformers with its outputs", timings.ratio("captured", "transformers")),
            *_generation(model, tokens),
        ]


def _generation(model: Transformer, tokens: Tensor) -> list[tuple[str, str]]:
    graph = build_graph(model.spec)

    def generate(tap: Tap) -> None:
        cache = KeyValueCache(model.spec, _TOKENS + _NEW_TOKENS)
        logits = finish(model.stages(tokens, tap, cache))
        for _ in range(_NEW_TOKENS):
            logits = finish(model.stages(logits[:, -1:].argmax(-1), tap, cache))

    timings = interleave(
        {"plain": lambda: generate(no_tap), "captured": lambda: generate(Recorder(model, graph).tap)}, 5, warm_up=1
    )
    speed = {name: _NEW_TOKENS / timings.median(name) for name in ("plain", "captured")}
    return [
        ("tokens a second, prompt included, captured", f"{speed['captured']:.1f}"),
        ("tokens a second, prompt included, without", f"{speed['plain']:.1f}"),
        ("generation captured / without", timings.ratio("captured", "plain")),
    ]
