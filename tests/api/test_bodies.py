"""A model without a language head, through the doors: it is read and looked at, and nothing is said of tokens."""

import json
from collections.abc import Iterator

import httpx2
import pytest
import torch
from safetensors.torch import load_file, save_file

from app.settings import Settings

from ..conftest import Server, serving, write_model
from ..families import FAMILIES

READS = {"bert": "BertForSequenceClassification", "llama": "LlamaModel", "t5": ""}
# The lenses that speak of tokens to come.
SILENT = {"next_token", "distributions", "surprisal", "logit_lens", "token_rank", "contributions"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("bodies")
    paths = [write_model(folder / name, FAMILIES[name].body()) for name in READS]
    for path in paths:
        config = json.loads((path / "config.json").read_text())
        if READS[path.name]:
            config |= {"architectures": [READS[path.name]]}
        (path / "config.json").write_text(json.dumps(config))
    bert = paths[0] / "model.safetensors"
    save_file(load_file(bert) | {"pooler.dense.weight": torch.ones(16, 16), "classifier.bias": torch.ones(3)}, bert)
    (paths[2] / "atlas.json").write_text('{"start_ids": [0]}')
    with serving(Settings(models=paths)) as running:
        yield running


@pytest.mark.parametrize("name", READS)
def test_a_body_is_read_and_says_that_it_names_no_tokens(server: Server, name: str) -> None:
    model = server.get(f"/models/{name}")
    assert "no language head" in model["no_head"] and READS[name] in model["no_head"]
    assert model["no_head"][1:] in model["description"] and model["mask_id"] is None
    names = {tensor["name"] for tensor in server.get(f"/models/{name}/graph")["tensors"]}
    assert not names & {"logits", "probabilities", "W_U", "b_U"}
    run = server.make_run(model=name, tokens=[3, 1, 4, 1, 5])
    assert (run["state"], run["reason"], run["top"], run["predictions"]) == ("done", "complete", [], [])
    assert run["first_non_finite"] is None
    last = "decoder_hidden_states[-1]" if name == "t5" else "hidden_states[-1]"
    assert server.get(f"/runs/{run['id']}/activations/{last}")["shape"][-1] == 16
    assert server.client.get(f"/runs/{run['id']}/activations/logits").status_code == 404
    lenses = server.get(f"/runs/{run['id']}/lenses")["lenses"]
    assert {lens["name"] for lens in lenses if "no language head" in (lens["reason"] or "")} == SILENT
    for lens in lenses:
        if lens["reason"] is None:
            asked = {"which": "vocabulary"} if lens["name"] == "embeddings" else {}
            seen = server.client.get(f"/runs/{run['id']}/lenses/{lens['name']}", params=asked)
            assert seen.status_code == 200, seen.text
    proof = server.get(f"/models/{name}/parity")
    assert proof["relative"] < 1e-4 and not proof["not_finite"]


def test_stored_weights_that_are_not_on_the_map_are_named(server: Server) -> None:
    """By REST and on the model's page, with their sizes."""
    left_out = {weight["name"]: weight["shape"] for weight in server.get("/models/bert")["left_out"]}
    assert left_out == {"pooler.dense.weight": [16, 16], "classifier.bias": [3]}
    assert server.get("/models/llama")["left_out"] == []
    page = httpx2.get(f"http://127.0.0.1:{server.port}/models/bert").text
    assert "Weights that are not on the map" in page and "pooler.dense.weight" in page and "16 × 16" in page
    assert "not on the map" not in httpx2.get(f"http://127.0.0.1:{server.port}/models/llama").text


@pytest.mark.parametrize("name", READS)
def test_a_body_writes_nothing_and_says_why(server: Server, name: str) -> None:
    answer = server.client.post("/runs", json={"model": name, "tokens": [3, 1], "max_new_tokens": 2})
    assert answer.status_code == 422 and answer.json()["error"]["type"] == "writes_nothing"
    assert "no language head" in answer.json()["error"]["message"]
