"""What a reader is told in words: which words a model reads as others, and what holds where an answer has not begun."""

import pytest
from playwright.sync_api import Page, expect

from .atlas import open_atlas, rest, walk
from .conftest import Server, Watch

pytestmark = pytest.mark.browser


def test_words_read_as_others_and_an_answer_not_begun_are_told(page: Page, server: Server, watch: Watch) -> None:
    open_atlas(page, server.url, "/?model=translate")
    expect(page.get_by_text("“didn't” is read as “did not”.")).to_be_visible()
    # A pair chosen in the encoder's text is none of the decoder's, which has one token yet.
    walk(page, "/?model=translate&panel=attention&attention=encoder_1_2_hook_pattern_pair-11.7")
    expect(page.get_by_label("key", exact=True)).to_have_value("7")
    page.get_by_label("attention", exact=True).select_option("decoder")
    expect(page.get_by_label("key", exact=True)).to_have_value("0")
    rest(page)
    # Nothing has been foretold yet: that is no refusal.
    walk(page, "/?model=translate&panel=lenses#lenses=surprisal")
    expect(page.locator("[data-lens=surprisal] .caption")).to_contain_text("read or write more")
    assert watch.errors == []
