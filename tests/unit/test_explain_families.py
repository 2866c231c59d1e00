"""Cells of runs of every family explained: they add up, also across the two texts of an encoder-decoder."""

import random

import pytest

from app.runs.explain import explain_cell
from app.transformer.spec import Spec
from tests.families import FAMILIES
from tests.unit.test_lens_families import make_run


@pytest.mark.parametrize("name, spec", FAMILIES.items())
def test_a_cell_of_every_tensor_of_every_family_is_explained(name: str, spec: Spec) -> None:
    run, chance = make_run(name, spec), random.Random(name)
    for tensor in run.loaded.graph.tensors:
        weight = tensor.role == "weight"
        shape = run.loaded.graph.shape(tensor) if weight else run.recorder.shape(tensor.name)
        index = ",".join(str(chance.randrange(size)) for size in shape)
        found = explain_cell(run, tensor.name, index, "backward", 4)
        assert found.agrees or weight, (tensor.name, index, found.result, found.captured)
        assert (found.op is None) == weight
        fed = explain_cell(run, tensor.name, index, "forward", 4)
        looked_up = tensor.kind in ("W_E", "W_pos", "W_rel", "W_token_type") or not tensor.learned
        assert fed.feeds or not weight or looked_up, tensor.name
        for box in fed.feeds:
            limits = run.recorder.shape(box.tensor)
            assert all(0 <= start < stop <= size for start, stop, size in zip(box.start, box.stop, limits, strict=True))
