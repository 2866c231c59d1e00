"""Every sentence of the README that promises something is bound to what proves it; a new one has to be bound too."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_TRY, _API, _PAGE = "tests/browser/test_readme.py::", "tests/api/test_readme.py::", "tests/browser/"
_TORCH = "tests/unit/test_torch_index.py::"

# By its sentence, without marks of style: what proves it, each a function of a file.
PROVED: dict[str, tuple[str, ...]] = {
    "A server runs a transformer and publishes every number in it under a name.": (
        _API + "test_every_tensor_listed_is_one_more_call",
        _PAGE + "test_page.py::test_typed_sentence_is_drawn_with_the_numbers_of_the_api",
    ),
    "The browser draws those numbers as one map at true scale, one square per number, from the whole model down to a "
    "single cell.": (
        _PAGE + "test_digits.py::test_a_thousand_printed_numbers_are_those_of_hover_and_api",
        _PAGE + "test_hands.py::test_double_click_flies_to_the_plate_and_then_to_the_cell",
    ),
    "The model is live: the text is yours, the layers fill in while they are computed, and whatever you see is also "
    "one REST call.": (
        _PAGE + "test_page.py::test_typed_sentence_is_drawn_with_the_numbers_of_the_api",
        _PAGE + "test_explained_cells.py::test_what_is_copied_runs_and_gives_the_number",
    ),
    "Both need Python 3.11 or newer (with venv) and make, and nothing else.": (
        "tests/unit/test_readme.py::test_the_commands_and_versions_are_the_projects",
    ),
    "The first start installs the exact versions in constraints.txt into .venv; after that nothing is fetched from "
    "anywhere, unless you ask for a model to be pulled.": (
        "tests/api/test_pages.py::test_headers_allow_nothing_but_this_server",
        "tests/api/test_pulls.py::test_what_is_offered_and_what_is_not",
    ),
    "Type a sentence of your own and press Write: it is read, and a story grows out of it, a column of the map with "
    "every token.": (
        _PAGE + "test_promises.py::test_write_reads_what_is_typed_and_goes_on",
        _TRY + "test_a_story_grows_by_columns",
    ),
    "speed goes from one token a second to as fast as it goes.": (
        _PAGE + "test_promises.py::test_writing_can_be_watched_and_paused_by_hand",
    ),
    "Pause, step, change the temperature, write on; click a word to see what might have followed it.": (
        _PAGE + "test_promises.py::test_writing_can_be_watched_and_paused_by_hand",
        _PAGE + "test_promises.py::test_a_click_on_a_word_shows_what_may_follow_it",
        _TRY + "test_a_story_grows_by_columns",
    ),
    "Point at a cell.": (_TRY + "test_a_cell_leads_to_what_it_was_made_of",),
    "The cells it was made of light up, with the formula and its numbers.": (
        _TRY + "test_a_cell_leads_to_what_it_was_made_of",
    ),
    "Click it, press G to walk to the operand that matters most, A to see the arithmetic played; fly close enough and "
    "the number is printed in the cell.": (
        _TRY + "test_a_cell_leads_to_what_it_was_made_of",
        _PAGE + "test_promises.py::test_the_arithmetic_plays_to_its_end_and_the_page_answers",
    ),
    "Space plays the whole pass, operation by operation; / finds anything by name, L3H5 pattern too.": (
        _TRY + "test_the_pass_plays_and_a_head_is_found_by_name",
        _PAGE + "test_help.py::test_every_key_of_the_help_does_something_and_the_page_answers",
    ),
    "Choose the model translate and see an encoder and a decoder turn it into il; or fill, and click a word to hide it "
    "and read what the model would put there.": (_TRY + "test_it_becomes_il", _TRY + "test_a_hidden_word_is_guessed"),
    "answers, shortened at each …,": (_API + "test_the_call_answers_what_is_printed",),
    "and any of the 83 tensors listed under activations is one more call: "
    "/api/v1/runs/95b2da4e58b3/activations/blocks.0.attn.hook_pattern?index=0,-1,:.": (
        _API + "test_every_tensor_listed_is_one_more_call",
    ),
    "The server's own page /api has every call, with a command for each.": (
        "tests/api/test_pages.py::test_the_guide_has_every_call_and_its_commands_work",
    ),
    "reads Hugging Face folders (GPT-2, Llama, Mistral, Qwen, Gemma, Phi, GPT-NeoX, BERT, RoBERTa, DistilBERT, Marian, "
    "T5), GGUF files and nanoGPT checkpoints: docs/guide/models.md.": (
        "tests/parity/test_decoders.py::test_every_number_equals_the_references",
        "tests/parity/test_encoders.py::test_every_number_equals_the_references",
        "tests/parity/test_encoder_decoders.py::test_every_number_equals_the_references",
        "tests/parity/test_gpt2.py::test_every_number_equals_the_references",
        "tests/parity/test_gguf.py::test_every_number_equals_the_references",
        "tests/unit/test_formats.py::test_a_nanogpt_checkpoint_computes_what_nanogpt_does",
    ),
    "installs the package transformer_atlas and the command; Node, which builds the page, is fetched for the build "
    "alone.": ("tests/api/test_wheel.py::test_the_installed_command_serves_pages_and_models",),
    "make takes it by itself where nvidia-smi lists no GPU and that index can be reached; make run TORCH_INDEX= takes "
    "PyPI's.": (
        _TORCH + "test_the_small_build_without_a_gpu", _TORCH + "test_pypis_build_with_a_gpu",
        _TORCH + "test_pypis_build_where_the_index_is_missing",
    ),
    "The Docker image has the small one too.": (
        "tests/unit/test_readme.py::test_the_commands_and_versions_are_the_projects",
    ),
    "| disk, after make setup | 1.2 GB in .venv (torch 0.7, Node 0.2), 0.2 GB in frontend/node_modules, 11 MB of "
    "models |": (_API + "test_the_models_take_what_is_said",),
    "| memory of the server at rest | 290 MB |": (_API + "test_the_server_takes_the_memory_that_is_said",),
    "| after stories wrote 100 tokens | 330 MB |": (_API + "test_the_server_takes_the_memory_that_is_said",),
    "| a model of GPT-2 small's shape (124 million random numbers, a file of 498 MB), 64 tokens read | 920 MB |": (
        "bench/cost.py::rows",
    ),
    "| the same, 1,024 tokens read | 1.9 GB |": ("bench/cost.py::rows",),
    "A run keeps every number it computed, so memory grows with the text; runs are forgotten beyond 2 GB.": (
        "tests/api/test_runs.py::test_bytes_are_bounded_too", _API + "test_runs_are_forgotten_beyond_what_is_said",
    ),
    "Here model and text are yours, and every number answers.": (
        "tests/unit/test_explain_families.py::test_a_cell_of_every_tensor_of_every_family_is_explained",
    ),
    "Here a browser is enough; the names of tensors are its names, so that you can go on there.": (
        "tests/api/test_aliases.py::test_calls_know_every_name",
    ),
    "Interventions set, scale or add to cells, over REST.": (
        _PAGE + "test_promises.py::test_a_run_made_over_rest_is_opened_with_what_was_changed_in_it",
        _API + "test_interventions_set_scale_and_add",
    ),
    "Here are the model's own numbers, without autoencoders, and no text of yours leaves your machine.": (
        "tests/api/test_pages.py::test_headers_allow_nothing_but_this_server",
    ),
    "It keeps every number and computes on one thread; there are no accounts and no encryption.": (
        "tests/unit/test_store.py::test_jobs_take_turns_and_the_queue_has_an_end",
    ),
    "docs/guide/serving.md says who can reach it.": ("tests/unit/test_docs.py::test_every_link_leads_somewhere",),
    "docs/ lists what is written; make docs builds it as a site.": (
        "tests/unit/test_docs.py::test_every_page_is_reached_from_the_first",
        "tests/unit/test_docs.py::test_every_make_target_that_is_named_exists",
    ),
    "CONTRIBUTING.md says how to set up, test and add to it, CHANGELOG.md what changed, SECURITY.md how to report a "
    "weakness.": ("tests/unit/test_docs.py::test_every_link_leads_somewhere",),
}  # fmt: skip
# What is told of others, or was measured outside this project: nothing here could prove it.
TOLD = {
    "It is not on PyPI.",
    "For Linux PyPI's torch brings NVIDIA's libraries, GPU or not: 2.7 GB to download for torch 2.13.0, where "
    "PyTorch's own build for processors is 0.2 GB.",
    "pip install --extra-index-url https://download.pytorch.org/whl/cpu . takes the small one.",
    "| what | measured |",
    "Measured on 29 November 2026, with two cores, Python 3.11 and torch's small build.",
    "A guided tour.",
    "LLM Visualization, which gave this project its idea, tells step by step how one small fixed GPT computes.",
    "A library for experiments.",
    "TransformerLens gives researchers hooks and caches in Python.",
    "A catalogue of features.",
    "Neuronpedia hosts what sparse autoencoders found in large models.",
    "A service for strangers.",
    "The licence is Apache-2.0; NOTICE names what others made.",
}


def _sentences() -> list[str]:
    """Cut the README into sentences and rows of tables, without code blocks, headings, pictures and marks of style."""
    text = re.sub(r"^```.*?^```\n", "\n", (ROOT / "README.md").read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text))
    found = []
    for block in re.split(r"\n\s*\n|\n(?=\d+\. |\* |\| |\||#)", text):
        plain = re.sub(r"\s+", " ", re.sub(r"[*`]", "", re.sub(r"^\s*(\d+\.|\*) ", "", block))).strip()
        if not plain.startswith(("#", "|--", "|")):
            found += [one for one in re.split(r"(?<=[.?!]) (?!takes the small)", plain) if one]
        elif plain.startswith("| "):
            found.append(plain)
    return found


@cache
def _functions(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_sentence_is_bound_to_what_proves_it() -> None:
    said = set(_sentences())
    assert said - set(PROVED) - TOLD == set(), "a sentence of the README is proved nowhere, or was changed"
    assert (set(PROVED) | TOLD) - said == set(), "bound, and said no more"
    for sentence, proofs in PROVED.items():
        for proof in proofs:
            file, _, name = proof.partition("::")
            assert name in _functions(file), f"“{sentence}” is proved by {proof}, which is not there"


def test_the_commands_and_versions_are_the_projects() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (least,) = re.findall(r'requires-python = ">=([\d.]+)"', project)
    assert f"Python {least} or newer" in readme and f"Python {least} or newer" in makefile
    for command in re.findall(r"^make ([\w-]+)", readme, re.MULTILINE):
        assert re.search(rf"^{command}:", makefile, re.MULTILINE), command
    assert "whl/cpu" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    torch = re.findall(r"torch ([\d.]+\d)[,\s]", readme)
    assert set(torch) - {"0.7"} == set(re.findall(r'"torch==([\d.]+)"', project))
