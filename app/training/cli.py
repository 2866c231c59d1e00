"""`transformer-atlas train …`: trains the bundled models, measures them, and writes them where they are served from."""

import json
from pathlib import Path
from typing import Annotated

import torch
import typer

from ..checkpoints.catalog import Catalog
from ..paths import MODELS
from ..transformer.decoding import Sampling, choose
from . import fill, sort, stories, translate
from .corpus import read_corpus
from .export import export_model
from .pairs import held_out_pairs
from .trainer import TrainingError

train_app = typer.Typer(help="Train the bundled models.", no_args_is_help=True)

Seed = Annotated[int, typer.Option(help="Decides the weights' start and the order of the data.")]
Out = Annotated[Path, typer.Option(help="Where checkpoints and the log go.")]
Models = Annotated[Path, typer.Option(help="The folder of models to write into.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")]
Stories = Annotated[Path, typer.Option(help="Stories in one file, separated by <|endoftext|>.")]


@train_app.command("sort")
def train_sort(
    steps: int = 600,
    seed: Seed = 0,
    out: Out = Path("checkpoints/sort"),
    models: Models = MODELS,
    resume: Resume = False,
) -> None:
    """Train `sort`, which puts six letters in order (about half a minute)."""
    with _plain_errors():
        model = sort.train_sort(out, steps, seed, resume)
    inputs = sort.all_inputs()
    typer.echo(f"sorted {round(sort.exact_share(model, inputs) * len(inputs))} of {len(inputs)} inputs")
    about = {
        "title": "Sort",
        "description": "Puts six letters A, B, C in order.",
        "default_text": "CBABBC",
        "default_new_tokens": sort.LENGTH,
    }
    export_model(out, models / "sort", sort.SPEC, about)


@train_app.command("stories")
def train_stories(
    story_file: Annotated[Path, typer.Option("--stories", help="Stories, separated by <|endoftext|>.")],
    tales: Annotated[Path, typer.Option(help="A folder of fairy tales, one .txt a book.")],
    tokens: Annotated[int, typer.Option(help="Tokens to read in training.")] = 9_000_000,
    seed: Seed = 0,
    out: Out = Path("checkpoints/stories"),
    models: Models = MODELS,
    resume: Resume = False,
) -> None:
    """Train `stories`, a small GPT-2 (about an hour on two cores)."""
    with _plain_errors():
        stories.train_stories(story_file, tales, out, tokens, seed, resume)
    export_stories(out, models)


@train_app.command("export-stories")
def export_stories(out: Out = Path("checkpoints/stories"), models: Models = MODELS) -> None:
    """Write the last checkpoint of `stories` as a bundled model."""
    about = {
        "title": "Stories",
        "description": "A small GPT-2 that writes children's stories.",
        "prefix_ids": [stories.END_OF_TEXT_ID],
        "end_of_text_id": stories.END_OF_TEXT_ID,
        "default_text": "Once upon a time, there was a little girl named Lily. She",
        "default_new_tokens": 64,
    }
    export_model(out, models / "stories", stories.SPEC, about, torch.float16)


@train_app.command("fill")
def train_fill(
    story_file: Stories,
    tokens: Annotated[int, typer.Option(help="Tokens to read in training.")] = 8_000_000,
    seed: Seed = 0,
    out: Out = Path("checkpoints/fill"),
    models: Models = MODELS,
    resume: Resume = False,
) -> None:
    """Train `fill`, a small BERT (about twenty minutes of one core)."""
    with _plain_errors():
        fill.train_fill(story_file, out, tokens, seed, resume)
    export_fill(out, models)


@train_app.command("export-fill")
def export_fill(out: Out = Path("checkpoints/fill"), models: Models = MODELS) -> None:
    """Write the last checkpoint of `fill` as a bundled model."""
    about = {
        "title": "Fill",
        "description": "A small BERT that knows what a missing word may have been.",
        "prefix_ids": [fill.CLS],
        "suffix_ids": [fill.SEP],
        "mask_id": fill.MASK,
        "default_text": "Lily was very [MASK] because she lost her toy.",
    }
    export_model(out, models / "fill", fill.SPEC, about, torch.float16, pad_token_id=fill.PAD)


@train_app.command("translate")
def train_translate(
    steps: int = 3000,
    seed: Seed = 0,
    out: Out = Path("checkpoints/translate"),
    models: Models = MODELS,
    resume: Resume = False,
) -> None:
    """Train `translate`, English to French (about five minutes)."""
    with _plain_errors():
        translate.train_translate(out, steps, seed, resume)
    export_translate(out, models)


@train_app.command("export-translate")
def export_translate(out: Out = Path("checkpoints/translate"), models: Models = MODELS) -> None:
    """Write the last checkpoint of `translate` as a bundled model."""
    about = {
        "title": "Translate",
        "description": "An encoder and a decoder that put English sentences into French.",
        "suffix_ids": [translate.END],
        "start_ids": [translate.PAD],
        "end_of_text_id": translate.END,
        "default_text": "The animal didn't cross the street because it was too tired.",
        "default_new_tokens": 24,
    }
    spec = translate.make_spec(translate.make_tokenizer().get_vocab_size())
    ids = {"pad_token_id": translate.PAD, "decoder_start_token_id": translate.PAD}
    export_model(out, models / "translate", spec, about, torch.float16, **ids)


@train_app.command("evaluate")
def evaluate(
    model: Annotated[str, typer.Argument(help="stories, fill or translate")] = "stories",
    story_file: Annotated[Path | None, typer.Option("--stories")] = None,
    models: Models = MODELS,
) -> None:
    """Measure a bundled model in float32 on what training never saw."""
    import tokenizers

    if model not in ("stories", "fill", "translate") or (model != "translate" and story_file is None):
        raise typer.BadParameter("give stories or fill with --stories FILE, or translate")
    loaded = Catalog(models).load(model).model
    tokenizer = tokenizers.Tokenizer.from_file(str(models / model / "tokenizer.json"))
    if story_file is None or model == "translate":
        _echo(translate.measure(loaded, tokenizer, held_out_pairs(1_000))[0])
        return
    held_out = read_corpus(story_file, None).held_out
    if model == "stories":
        _echo(stories.measure(loaded, tokenizer, held_out))
        return
    for share in (0.15, 0.3):
        _echo(fill.measure(loaded, fill.held_out_texts(held_out, tokenizer), share))


def _echo(quality: object) -> None:
    typer.echo(json.dumps(vars(quality)))


@train_app.command("samples")
def samples(
    prompt: str = "Once upon a time",
    count: int = 5,
    new_tokens: int = 100,
    temperature: float = 0.7,
    top_p: float = 0.95,
    models: Models = MODELS,
) -> None:
    """Print what `stories` writes after a prompt for seeds 0, 1, 2, …: nothing is picked."""
    loaded = Catalog(models).load("stories")
    for seed in range(count):
        ids = [token.id for token in loaded.tokenizer.encode(prompt)]
        for _ in range(new_tokens):
            logits = loaded.model(torch.tensor([ids]))[0, -1]
            ids.append(choose(logits, Sampling(temperature, top_p=top_p, seed=seed), len(ids) - 1).token)
            if ids[-1] == loaded.tokenizer.end_of_text_id:
                break
        typer.echo(f"seed {seed}: " + "".join(loaded.tokenizer.text_of(token) for token in ids[1:]) + "\n")


class _plain_errors:
    """Turns an expected error into one line and exit code 1."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, TrainingError | FileNotFoundError):
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from error
