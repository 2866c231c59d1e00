"""A model without a tokenizer: token ids are read, from the address and from the prompt, and why is said."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from app.settings import Settings

from ..conftest import serving, write_model
from ..families import FAMILIES
from ..vocabularies import pair_pieces
from .atlas import ask, eventually, open_atlas, read, reload, rest, state, wait_for_tokens, wait_until
from .conftest import Watch

pytestmark = [pytest.mark.browser, pytest.mark.small_window]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("models")
    paths = [write_model(folder / name, FAMILIES[name]) for name in ("t5", "llama")]
    paths.append(write_model(folder / "body", FAMILIES["llama"].body()))
    paths.append(write_model(folder / "pairs", replace(FAMILIES["bert"], d_vocab=20, positions=16)))
    pair_pieces().save(str(paths[-1] / "tokenizer.json"))
    (paths[-1] / "atlas.json").write_text('{"mask_id": 0}')
    (paths[0] / "atlas.json").write_text('{"start_ids": [0]}')
    with serving(Settings(models=paths, default_model="llama")) as server:
        yield f"http://127.0.0.1:{server.port}"


def test_the_ids_of_an_address_are_the_source_of_an_encoder_decoder(page: Page, url: str, watch: Watch) -> None:
    open_atlas(page, url, "/?model=t5&temperature=0&top_k=0&top_p=1&seed=0#tokens=1_2_3_9_16_4")
    expect(page.get_by_label("Token ids")).to_have_value("1 2 3 9 16 4")
    begun = len(state(page)["tokens"])
    page.get_by_role("button", name="Step", exact=True).click()
    wait_for_tokens(page, begun + 1)
    rest(page)
    written = state(page)["tokens"]
    answer = ask(url, "/runs", {"model": "t5", "tokens": [1, 2, 3, 9, 16, 4], "max_new_tokens": 1})
    assert [token["id"] for token in answer["tokens"]] == written
    wait_until(page, "() => location.hash.includes('tokens=')")
    reload(page)
    assert state(page)["tokens"] == written
    expect(page.get_by_label("Token ids")).to_have_value("1 2 3 9 16 4")


def test_a_page_without_a_model_opens_the_one_that_the_server_names(page: Page, url: str, watch: Watch) -> None:
    open_atlas(page, url, "/")
    assert len(ask(url, "/models")["models"]) > 4
    assert state(page)["model"] == "llama"


def test_a_page_opens_on_ids_and_refuses_words_with_the_reason(page: Page, url: str, watch: Watch) -> None:
    open_atlas(page, url, "/?model=llama")
    assert state(page)["tokens"] == list(range(1, 9))
    expect(page.get_by_text("its folder has no tokenizer.json").first).to_be_visible()
    page.locator("#prompt").fill("hello you")
    page.locator("#prompt").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This model reads token ids: its folder has no tokenizer.json.")
    read(page, "3, 1 4")
    assert state(page)["tokens"] == [3, 1, 4]


def test_a_body_without_a_language_head_is_shown_and_says_that_it_names_no_tokens(
    page: Page, url: str, watch: Watch
) -> None:
    open_atlas(page, url, "/?model=body")
    expect(page.get_by_label("Next token")).to_contain_text("This model has no language head")
    expect(page.get_by_role("region", name="Writer", exact=True)).to_have_count(0)
    read(page, "3, 1 4")
    assert state(page)["tokens"] == [3, 1, 4]


def _hide_and_show_after_a_reload(page: Page) -> None:
    """Hide a word of the second text, open the address anew, and show the word again."""
    whole = state(page)["tokens"]
    word = page.get_by_role("group", name="Tokens").get_by_role("button").nth(4)
    word.click()
    wait_until(page, "() => window.__atlas.state().tokens[4] === 0")
    wait_until(page, "() => location.hash.includes('tokens=')")
    rest(page)
    reload(page)
    assert state(page)["tokens"][4] == 0
    word.click()
    eventually(page, lambda: state(page)["tokens"], whole)
    rest(page)


def test_two_texts_are_read_together_and_told_apart(page: Page, url: str, watch: Watch) -> None:
    open_atlas(page, url, "/?model=pairs#text=he+x")
    alone = state(page)
    page.get_by_role("button", name="Add a second text").click()
    second = page.get_by_label("Second text")
    expect(second).to_be_focused()
    expect(page.get_by_text("Not read yet")).to_have_count(0)
    second.fill("hethe")
    expect(page.get_by_text("Not read yet")).to_be_visible()
    second.press("Enter")
    wait_until(page, "before => ![before, null].includes(window.__atlas.state().run)", alone["run"])
    rest(page)
    run = ask(url, f"/runs/{state(page)['run']}")
    assert run["token_types"] == [0, 0, 0, 0, 1, 1, 1]
    assert [token["id"] for token in run["tokens"]] == state(page)["tokens"]
    # The cells that a token's kind is read from are those of its own row.
    for position, kind in ((2, 0), (5, 1)):
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("/")
        page.get_by_role("combobox", name="Tensor, section").fill(f"hook_token_type_embed[{position},0]")
        page.keyboard.press("Enter")
        rest(page)
        lit = [box for box in page.evaluate("window.__atlas.lit()") if box["tensor"] == "W_token_type"]
        assert [(box["start"][0], box["stop"][0]) for box in lit] == [(kind, kind + 1)]
    wait_until(page, "() => location.hash.includes('pair=hethe')")
    reload(page)
    expect(second).to_have_value("hethe")
    assert ask(url, f"/runs/{state(page)['run']}")["token_types"] == run["token_types"]
    _hide_and_show_after_a_reload(page)
    # A pair that is taken away keeps its kinds in the address.
    page.get_by_label("Compare with").select_option("text")
    page.get_by_label("Text to compare with").fill(state(page)["run"])
    page.get_by_role("button", name="Compare", exact=True).click()
    wait_until(page, "() => decodeURIComponent(location.hash).includes('!0_0_0_0_1_1_1')")
    page.locator(".difference-note").get_by_role("button", name="Off").click()
    # Taken away, the first is read alone.
    page.get_by_role("button", name="Take away").click()
    read(page, "he x")
    assert state(page)["tokens"] == alone["tokens"]
    wait_until(page, "() => !location.hash.includes('pair=')")
