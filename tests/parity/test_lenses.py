"""The lenses on the bundled models, over REST, against `transformers` on the same weights: its own final norm and head
on its own hidden states, its attentions, its activations and its loss."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import BertForMaskedLM, GPT2LMHeadModel, MarianMTModel

from app.paths import MODELS
from tests.conftest import Server

pytestmark = pytest.mark.parity
STORY = "Once upon a time, there was a little girl. She had a red ball."


@dataclass(frozen=True)
class Both:
    """A run of ours, and what `transformers` computes of the same tokens."""

    run: dict[str, Any]
    model: Any
    out: Any

    @property
    def ids(self) -> list[int]:
        """Return the tokens of the text."""
        return [token["id"] for token in self.run["tokens"]]


def both(server: Server, name: str, reader: Any, text: str, **asked: Any) -> Both:
    run = server.make_run(model=name, text=text, **asked)
    model = reader.from_pretrained(MODELS / name, dtype=torch.float32, attn_implementation="eager").eval()
    # The last token that was written has not been read.
    ids = torch.tensor([[token["id"] for token in run["tokens"]]])[:, : len(run["tokens"]) - bool(asked)]
    given: dict[str, Any] = {"input_ids": ids}
    if name == "translate":
        given = {
            "input_ids": torch.tensor([[token["id"] for token in run["source"]]]),
            "decoder_input_ids": ids,
        }
    with torch.no_grad():
        return Both(run, model, model(**given, output_hidden_states=True, output_attentions=True))


@pytest.fixture(scope="module")
def story(server: Server) -> Both:
    return both(server, "stories", GPT2LMHeadModel, STORY)


@pytest.fixture(scope="module")
def filled(server: Server) -> Both:
    return both(server, "fill", BertForMaskedLM, "Once upon a [MASK], there was a little girl.")


@pytest.fixture(scope="module")
def translated(server: Server) -> Both:
    return both(server, "translate", MarianMTModel, "the cat sees the dog", max_new_tokens=5)


def see(server: Server, of: Both, lens: str, **query: Any) -> Any:
    return server.get(f"/runs/{of.run['id']}/lenses/{lens}", **query)


def assert_reads_like(seen: Any, logits: list[Tensor]) -> None:
    """Check every row's winner, its probability, the entropy and the divergence from the last."""
    assert len(seen["stops"]) == len(logits)
    final = torch.log_softmax(logits[-1].double(), -1)
    for row, expected in enumerate(logits):
        logs = torch.log_softmax(expected.double(), -1)
        assert seen["top"]["id"][row] == logs.argmax(-1).tolist(), seen["stops"][row]
        np.testing.assert_allclose(seen["probability"][row], logs.exp().amax(-1), atol=1e-4)
        np.testing.assert_allclose(seen["entropy"][row], -(logs.exp() * logs).sum(-1) / math.log(2), atol=1e-3)
        bits = (final.exp() * (final - logs)).sum(-1) / math.log(2)
        np.testing.assert_allclose(seen["divergence"][row], bits, atol=2e-3, rtol=1e-4)


def test_logit_lens_of_a_decoder(server: Server, story: Both) -> None:
    head, norm, states = story.model.lm_head, story.model.transformer.ln_f, story.out.hidden_states
    with torch.no_grad():
        # The last hidden state has been through the norm already.
        logits = [head(norm(state))[0] for state in states[:-1]] + [story.out.logits[0]]
    assert_reads_like(see(server, story, "logit_lens"), logits)


def test_logit_lens_of_an_encoder(server: Server, filled: Both) -> None:
    with torch.no_grad():
        logits = [filled.model.cls(state)[0] for state in filled.out.hidden_states]
    assert_reads_like(see(server, filled, "logit_lens"), logits)


def test_logit_lens_of_an_encoder_decoder(server: Server, translated: Both) -> None:
    model = translated.model
    with torch.no_grad():
        logits = [(model.lm_head(state) + model.final_logits_bias)[0] for state in translated.out.decoder_hidden_states]
    assert_reads_like(see(server, translated, "logit_lens"), logits)


def test_attention_is_that_of_transformers_in_every_part(
    server: Server, story: Both, filled: Both, translated: Both
) -> None:
    parts = [
        (story, "self", story.out.attentions),
        (filled, "self", filled.out.attentions),
        (translated, "encoder", translated.out.encoder_attentions),
        (translated, "decoder", translated.out.decoder_attentions),
        (translated, "cross", translated.out.cross_attentions),
    ]
    for of, part, attentions in parts:
        layer, head = len(attentions) - 1, attentions[0].shape[1] - 1
        seen = see(server, of, "attention", part=part, layer=layer, head=head)
        np.testing.assert_allclose(seen["matrix"], attentions[layer][0, head], atol=1e-5, err_msg=part)


def test_rollout_multiplies_the_attentions_of_transformers(server: Server, filled: Both) -> None:
    count = filled.out.attentions[0].shape[-1]
    expected = np.eye(count)
    for attention in filled.out.attentions:
        expected = (attention[0].double().mean(0).numpy() + np.eye(count)) / 2 @ expected
    np.testing.assert_allclose(see(server, filled, "rollout")["matrix"], expected, atol=1e-5)


def test_the_stream_is_as_long_as_the_hidden_states(server: Server, story: Both) -> None:
    seen = see(server, story, "residual_norms")
    blocks = [row for row, stop in enumerate(seen["stops"]) if not stop["label"].endswith("attention")]
    for row, state in zip(blocks[:-1], story.out.hidden_states[:-1], strict=True):
        np.testing.assert_allclose(seen["norms"][row], state[0].norm(dim=-1), rtol=1e-4)


@pytest.mark.parametrize("token, minus", [(" was", ""), (" boy", " girl")])
def test_parts_add_up_to_the_logits_of_transformers(server: Server, story: Both, token: str, minus: str) -> None:
    seen = see(server, story, "contributions", pos=4, token=token, minus=minus)
    logits = story.out.logits[0, 4]
    expected = logits[seen["token"]["id"]] - (logits[seen["minus"]["id"]] if minus else 0)
    assert sum(part["value"] for part in seen["parts"]) == pytest.approx(float(expected), abs=1e-4)


def test_a_neuron_is_what_the_activation_function_gave(server: Server, story: Both) -> None:
    caught: list[Tensor] = []
    hook = story.model.transformer.h[2].mlp.act.register_forward_hook(lambda *given: caught.append(given[2]))
    with torch.no_grad():
        story.model(torch.tensor([story.ids]))
    hook.remove()
    post = caught[0][0]
    strongest = see(server, story, "neurons", layer=2, over="text", by="activation", k=1)["neurons"][0]
    row, neuron = divmod(int(post.abs().argmax()), post.shape[1])
    assert (strongest["pos"], strongest["neuron"]) == (row, neuron)
    seen = see(server, story, "neuron", layer=2, neuron=neuron)
    np.testing.assert_allclose(seen["activation"], post[:, neuron], atol=1e-4)
    # Toward: what it writes, through the norm's gain and the head.
    gpt = story.model.transformer
    with torch.no_grad():
        written = gpt.h[2].mlp.c_proj.weight[neuron]
        raised = ((written - written.mean()) * gpt.ln_f.weight) @ story.model.lm_head.weight.T
    assert [one["id"] for one in seen["toward"]] == raised.topk(10).indices.tolist()
    drawn = see(server, story, "neuron", layer=2, neuron=neuron, draw="tokens it moves", format="table")
    assert [row[0] for row in drawn["rows"][:10]] == raised.topk(10).indices.tolist()
    np.testing.assert_allclose(drawn["rows"][0][2], float(raised.max()), rtol=1e-4)


def test_surprisal_is_the_loss_of_transformers(server: Server, story: Both) -> None:
    ids = torch.tensor([story.ids])
    with torch.no_grad():
        loss = story.model(ids, labels=ids).loss
    seen = see(server, story, "surprisal")
    assert seen["per_token"] * math.log(2) == pytest.approx(float(loss), rel=1e-4)
    assert seen["text"] == pytest.approx(seen["total"])
    assert seen["per_byte"] == pytest.approx(seen["total"] / len(STORY.encode()))


def test_distributions_are_its_softmax_at_a_temperature(server: Server, filled: Both, story: Both) -> None:
    for of in (filled, story):
        expected = torch.softmax(of.out.logits[0].double() / 0.7, -1)
        for pos, entry in enumerate(see(server, of, "distributions", k=4, temperature=0.7)["positions"]):
            best = expected[pos].topk(4)
            assert [one["id"] for one in entry["top"]] == best.indices.tolist()
            np.testing.assert_allclose([one["probability"] for one in entry["top"]], best.values, atol=1e-4)
