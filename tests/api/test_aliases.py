"""Every other name of a tensor, at every door: what one call knows, all of them know, and the stream too."""

from collections.abc import Iterator

import pytest

from app.settings import Settings

from ..conftest import Server, serving, write_model
from ..families import FAMILIES
from .client import StreamClient

TOKENS = [3, 1, 4, 1, 5]
ALIASES = {
    "gpt2": {
        "hidden_states[0]": "blocks.0.hook_resid_pre",
        "hidden_states[1]": "blocks.1.hook_resid_pre",
        "hidden_states[-1]": "ln_final.hook_out",
        "attentions[1]": "blocks.1.attn.hook_pattern",
        "embed.hook_out": "hook_embed",
        "pos_embed.hook_out": "hook_pos_embed",
        "unembed.hook_out": "logits",
    },
    "bert": {
        "hidden_states[0]": "blocks.0.hook_resid_pre",
        "hidden_states[-1]": "blocks.1.hook_resid_post",
        "attentions[-1]": "blocks.1.attn.hook_pattern",
        "embed.hook_out": "ln_embed.hook_out",
        "pos_embed.hook_out": "hook_pos_embed",
        "embed_ln.hook_scale": "ln_embed.hook_scale",
    },
    "t5": {
        "encoder_hidden_states[0]": "encoder.blocks.0.hook_resid_pre",
        "encoder_hidden_states[-1]": "encoder.ln_final.hook_out",
        "decoder_hidden_states[-1]": "decoder.ln_final.hook_out",
        "encoder_attentions[2]": "encoder.blocks.2.attn.hook_pattern",
        "decoder_attentions[0]": "decoder.blocks.0.attn.hook_pattern",
        "cross_attentions[1]": "decoder.blocks.1.cross_attn.hook_pattern",
        "embed.hook_out": "encoder.hook_embed",
        "decoder_embed.hook_out": "decoder.hook_embed",
        "encoder_blocks.0.hook_resid_post": "encoder.blocks.0.hook_resid_post",
        "decoder_blocks.1.self_attn.hook_q": "decoder.blocks.1.attn.hook_q",
        "decoder_blocks.0.hook_resid_mid2": "decoder.blocks.0.hook_resid_mid_cross",
        "encoder_ln_final.hook_out": "encoder.ln_final.hook_out",
        "decoder_ln_final.hook_scale": "decoder.ln_final.hook_scale",
        "unembed.hook_out": "logits",
    },
    "marian": {
        "encoder_hidden_states[-1]": "encoder.blocks.0.hook_resid_post",
        "pos_embed.hook_out": "encoder.hook_pos_embed",
        "decoder_pos_embed.hook_out": "decoder.hook_pos_embed",
    },
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("aliases")
    paths = [write_model(folder / name, FAMILIES[name]) for name in ALIASES]
    for name in ("t5", "marian"):
        (folder / name / "atlas.json").write_text('{"start_ids": [0]}')
    with serving(Settings(models=paths)) as running:
        yield running


@pytest.mark.parametrize("model", ALIASES)
def test_calls_know_every_name(server: Server, model: str) -> None:
    run = server.make_run(model=model, tokens=TOKENS)["id"]
    for alias, name in ALIASES[model].items():
        found = server.get(f"/runs/{run}/activations/{alias}")
        assert found == server.get(f"/runs/{run}/activations/{name}"), alias
        assert found["name"] == name
        head = {"head": 0} if "head" in found["axes"] else {}
        for door in ("/activations/{}/tiles/0/0/0", "/activations/{}/stats", "/explain/{}"):
            cell = {"index": ",".join("0" for _ in found["axes"])}
            asked: dict[str, str | int] = {**cell} if "explain" in door else {**head} if "tiles" in door else {}
            one, other = (
                server.client.get(f"/runs/{run}{door.format(called)}", params=asked) for called in (alias, name)
            )
            assert one.status_code == 200, (alias, door, one.text)
            assert one.content == other.content, (alias, door)


@pytest.mark.parametrize("model", ALIASES)
def test_interventions_know_every_name(server: Server, model: str) -> None:
    derived = {a["name"] for a in server.get(f"/models/{model}/graph")["tensors"] if a["derived"]}
    for alias, name in ALIASES[model].items():
        if name in derived:
            continue
        change = {"index": "0", "action": "set", "value": 0.0}
        made = [
            server.make_run(model=model, tokens=TOKENS, interventions=[{"name": called, **change}])["interventions"]
            for called in (alias, name)
        ]
        assert made[0] == made[1], alias


@pytest.mark.parametrize("model", ALIASES)
def test_wishes_of_the_stream_know_every_name(server: Server, model: str) -> None:
    run = server.make_run(model=model, tokens=TOKENS)["id"]
    axes = {a["name"]: a["axes"] for a in server.get(f"/models/{model}/graph")["tensors"]}
    places = {"level": 0, "row": 0, "col": 0}
    with StreamClient.open(server) as client:
        for epoch, (alias, name) in enumerate(ALIASES[model].items(), 1):
            wish = {"run": run, "name": alias, "index": [0] if "head" in axes[name] else []}
            cells = {**wish, "row": 0, "col": 0, "rows": 1, "cols": 1}
            client.want(epoch, run, alias, resend=[alias], tiles=[{**wish, **places}], cells=[cells])
            came = set[str]()
            while came != {"rows", "tile", "cells"}:
                frame = client.next()
                if isinstance(frame, dict):
                    assert frame["type"] != "error", (alias, frame)
                elif frame.header["epoch"] == epoch:
                    assert frame.header["name"] == name
                    came.add(frame.header["type"])


def test_stars_stand_in_transformer_lenss_names_too(server: Server) -> None:
    run = server.make_run(model="t5", tokens=TOKENS)["id"]
    with StreamClient.open(server) as client:
        client.want(1, run, "decoder_blocks.*.self_attn.hook_q")
        client.read_until_quiet()
    assert {frame.header["name"] for frame in client.frames} == {
        "decoder.blocks.0.attn.hook_q",
        "decoder.blocks.1.attn.hook_q",
    }
