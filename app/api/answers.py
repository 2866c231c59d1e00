"""What the engine says, as it goes over the wire, and what a client asks for, as the engine takes it."""

from collections.abc import Sequence

from ..engine.values import Activation, Change, LensOffer, RunDescription, RunSpec
from ..runs.explain import finite
from ..runs.run import Candidate, Generated, Prediction
from ..transformer.decoding import Sampling
from ..transformer.tokenizer import Token
from . import schemas
from .clients import client


def spec_of(asked: schemas.RunBase, *, write: int | None = None, cut_to_fit: bool = False) -> RunSpec:
    """Return the run that a client asks for, to write `write` tokens at once; all that fit if None."""
    return RunSpec(
        model=asked.model,
        text=asked.text,
        text_pair=asked.text_pair,
        tokens=asked.tokens,
        token_types=asked.token_types,
        target_tokens=asked.target_tokens,
        max_new_tokens=asked.max_new_tokens,
        sampling=sampling_of(asked.sampling),
        interventions=[Change(one.name, one.index, one.action, one.value) for one in asked.interventions],
        write=write,
        cut_to_fit=cut_to_fit,
        client=client.get(),
    )


def sampling_of(asked: schemas.Sampling) -> Sampling:
    """Return the sampling that was asked for."""
    return Sampling(asked.temperature, asked.top_k, asked.top_p, asked.seed, asked.beams)


def token_answer(token: Token) -> schemas.Token:
    """Write a token as it goes over the wire."""
    return schemas.Token(id=token.id, text=token.text, start=token.start, end=token.end)


def candidates_answer(top: Sequence[Candidate]) -> list[schemas.Candidate]:
    """Write what may come next as it goes over the wire."""
    return [
        schemas.Candidate(
            id=one.id,
            text=one.text,
            logit=finite(one.logit),
            probability=finite(one.probability),
            forbidden=one.forbidden,
        )
        for one in top
    ]


def predictions_answer(predictions: Sequence[Prediction]) -> list[schemas.Prediction]:
    """Write what would stand at each masked position as it goes over the wire."""
    return [schemas.Prediction(position=one.position, top=candidates_answer(one.top)) for one in predictions]


def generated_answer(generated: Generated) -> schemas.GeneratedToken:
    """Write a token that was chosen as it goes over the wire."""
    return schemas.GeneratedToken(
        position=generated.position,
        token=token_answer(generated.token),
        probability=finite(generated.choice.probability),
        sampled_probability=finite(generated.choice.sampled_probability),
    )


def activations_answer(activations: Sequence[Activation]) -> list[schemas.Activation]:
    """Write what can be read of a run as it goes over the wire."""
    return [
        schemas.Activation(
            name=one.name,
            shape=list(one.shape),
            dtype=one.dtype,
            axes=list(one.axes),
            role=one.role,
            derived=one.derived,
        )
        for one in activations
    ]


def run_answer(run: RunDescription) -> schemas.RunAnswer:
    """Write a run as it goes over the wire; has a few hundred activations, so not for the event loop."""
    return schemas.RunAnswer(
        id=run.id,
        model=run.model,
        state=run.state,
        reason=run.reason,
        prompt_length=run.prompt_length,
        capacity=run.capacity,
        source=[token_answer(token) for token in run.source],
        tokens=[token_answer(token) for token in run.tokens],
        token_types=list(run.token_types),
        generated=[generated_answer(one) for one in run.generated],
        top=candidates_answer(run.top),
        predictions=predictions_answer(run.predictions),
        interventions=[schemas.InterventionAnswer(**vars(one)) for one in run.interventions],
        activations=activations_answer(run.activations),
        beam_score=finite(run.beam_score) if run.beam_score is not None else None,
        first_non_finite=run.first_non_finite,
        bytes=run.bytes,
    )


def lens_answer(lens: LensOffer) -> schemas.LensInfo:
    """Write a lens as it goes over the wire."""
    return schemas.LensInfo(
        name=lens.name,
        title=lens.title,
        group=lens.group,
        applies=lens.reason is None,
        reason=lens.reason,
        reading=lens.reading,
        misreadings=list(lens.misreadings),
        parameters=[
            schemas.LensParameter(**{**vars(parameter), "choices": list(parameter.choices)})
            for parameter in lens.parameters
        ],
    )
