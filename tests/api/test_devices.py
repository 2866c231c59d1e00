"""Computing elsewhere than on the processor: the same numbers, the same pictures, whatever the device."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from app.lenses import LENSES
from app.server import choose_device
from app.settings import Settings

from ..conftest import Server, serving
from .client import StreamClient
from .test_numbers import activation

_TEXT = "Once upon a time, there was a little girl"
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is here")


@pytest.fixture(scope="module")
def on_cuda() -> Iterator[Server]:
    with serving(Settings(device="cuda", default_model="stories")) as server:
        yield server


@needs_cuda
@pytest.mark.parametrize("name", ["stories", "fill", "translate"])
def test_cuda_captures_what_the_processor_does(server: Server, on_cuda: Server, name: str) -> None:
    assert on_cuda.get("/capabilities")["device"] == "cuda"
    text = server.get(f"/models/{name}")["default_text"] or _TEXT
    new_tokens = 0 if name == "fill" else 4
    runs = [each.make_run(model=name, text=text, max_new_tokens=new_tokens) for each in (server, on_cuda)]
    assert [token["id"] for token in runs[0]["tokens"]] == [token["id"] for token in runs[1]["tokens"]]
    for tensor in server.get(f"/runs/{runs[0]['id']}/activations")["activations"]:
        here, there = (
            activation(each, run["id"], tensor["name"]) for each, run in zip((server, on_cuda), runs, strict=True)
        )
        largest = float(np.abs(here[np.isfinite(here)]).max(initial=1.0))
        np.testing.assert_allclose(there, here, rtol=1e-3, atol=1e-3 * largest, err_msg=tensor["name"])


@needs_cuda
def test_every_lens_and_an_explanation_on_cuda(on_cuda: Server) -> None:
    run = on_cuda.make_run(model="stories", text=_TEXT)["id"]
    for lens in LENSES:
        assert on_cuda.client.get(f"/runs/{run}/lenses/{lens}").status_code == 200, lens
    found = on_cuda.client.get(f"/runs/{run}/explain/blocks.1.attn.hook_z", params={"index": "2,0,1"})
    assert found.status_code == 200
    parity = on_cuda.get("/models/stories/parity")
    assert parity["device"] == "cuda"


@needs_cuda
def test_cuda_streams_every_row(on_cuda: Server) -> None:
    with StreamClient.open(on_cuda) as client:
        run = client.start(model="stories", text=_TEXT)["run"]
        client.want(1, run, "logits")
        client.take("done")
        client.read_until_quiet()
        assert np.isfinite(client.tensor("logits")).all()


def test_a_device_that_is_not_there_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == choose_device("cpu") == "cpu"
    with pytest.raises(ValueError, match="no CUDA device"):
        choose_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == choose_device("cuda") == "cuda"
