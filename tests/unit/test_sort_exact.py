"""The sort model sorts every input there is, read whole and letter by letter with a cache."""

from app.checkpoints.catalog import Catalog
from app.paths import MODELS
from app.training.sort import LENGTH, all_inputs, sort_letters
from app.transformer.model import KeyValueCache


def test_all_729_inputs_come_out_sorted() -> None:
    inputs = all_inputs()
    assert len(inputs) == 729
    model = Catalog(MODELS).load("sort").model
    assert (sort_letters(model, inputs) == inputs.sort(-1).values).all()


def test_decoding_with_a_cache_sorts_them_too() -> None:
    inputs = all_inputs()
    loaded = Catalog(MODELS).load("sort")
    cache = KeyValueCache(loaded.spec, loaded.spec.positions, batch=len(inputs))
    tokens = inputs
    for place in range(LENGTH):
        stages = loaded.model.stages(tokens, cache=cache)
        try:
            while True:
                next(stages)
        except StopIteration as stop:
            tokens = stop.value[:, -1].argmax(-1, keepdim=True)  # [batch, 1]
        assert (tokens[:, 0] == inputs.sort(-1).values[:, place]).all()
