"""A run is computed on as many cores as the server was given."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import Settings
from app.threads import cores
from app.transformer.spec import Spec
from tests.conftest import Server, serving, write_model

# Large enough that computing is most of what a run costs.
WIDE = Spec(layers=4, heads=8, d_model=512, d_head=64, d_mlp=2048, d_vocab=100, positions=256)


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = write_model(tmp_path_factory.mktemp("models") / "wide", WIDE)
    with serving(Settings(models=[folder], default_model="wide")) as running:
        yield running


def processor_ticks() -> dict[str, int]:
    """Count what every thread of this process, the server's among them, has computed so far."""
    ticks = {}
    for task in Path("/proc/self/task").iterdir():
        fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
        ticks[task.name] = int(fields[11])
    return ticks


@pytest.mark.skipif(cores() < 2, reason="there is one core")
def test_a_run_is_computed_on_all_cores(wide: Server) -> None:
    question = {"model": "wide", "tokens": [token % 100 for token in range(256)]}
    wide.make_run(**question)
    # Slices, tiles and lenses are computed by threads of one core each: they change nothing about runs.
    run = wide.make_run(**question)["id"]
    wide.get(f"/runs/{run}/activations/blocks.0.hook_resid_post", index="0")
    wide.client.get(f"/runs/{run}/activations/blocks.0.hook_resid_post/tiles/0/0/0")
    wide.get(f"/runs/{run}/lenses/surprisal")
    before = processor_ticks()
    for _ in range(8):
        wide.make_run(**question)
    assert wide.get("/capabilities")["threads"] == cores()
    # Counted in time computed, not time passed: a busy machine makes both longer alike.
    spent = sorted((ticks - before.get(task, 0) for task, ticks in processor_ticks().items()), reverse=True)
    assert spent[1] >= spent[0] / 3, spent


def test_the_number_of_cores_is_a_setting(tiny_folder: Path) -> None:
    with serving(Settings(models=[tiny_folder], default_model="tiny", threads=1)) as running:
        running.make_run(model="tiny", tokens=[1, 2, 3])
        assert running.get("/capabilities")["threads"] == 1
