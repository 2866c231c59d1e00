"""A server that goes away in mid-stream: the page says so, comes back, and goes on as if nothing had happened."""

import pytest
from playwright.sync_api import Page, expect

from .atlas import ask, open_atlas, rest, state, wait_for_tokens, wait_until
from .conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.small_window]

# Writes, and takes the server away as soon as there are so many tokens: from outside it would be too late.
_STOP_AT = """count => new Promise(done => {
    [...document.querySelectorAll("button")].find(button => button.textContent === "Write").click();
    const timer = setInterval(() => {
        if (window.__atlas.state().tokens.length < count) return;
        clearInterval(timer);
        window.stopServer().then(done);
    }, 2);
})"""


@pytest.mark.own_page
def test_writing_goes_on_after_the_server_was_away(page: Page, own_server: Server) -> None:
    # At a speed that leaves time to take the server away: a text of 64 tokens is written in a second.
    open_atlas(page, own_server.url, "/?model=stories&temperature=0.9&top_k=50&top_p=1&seed=5&speed=20#text=One+day")
    # A server that says nothing more is noticed, and found again, with nothing lost.
    own_server.freeze(True)
    silence = page.get_by_text("The server does not answer")
    expect(silence).to_be_visible(timeout=15_000)
    own_server.freeze(False)
    expect(silence).to_have_count(0, timeout=15_000)
    start = len(state(page)["tokens"])
    page.expose_function("stopServer", own_server.stop)
    page.evaluate(_STOP_AT, start + 4)
    expect(page.get_by_role("alert")).to_contain_text("The server has gone away")
    kept = len(state(page)["tokens"])
    assert kept < start + 64, "the server was stopped too late to test anything"
    own_server.start()
    wait_for_tokens(page, kept + 3)
    page.get_by_role("button", name="Stop", exact=True).click()
    wait_until(page, "() => window.__atlas.state().phase === 'done'")
    rest(page)
    expect(page.get_by_role("alert")).to_have_count(0)
    tokens = state(page)["tokens"]
    answer = ask(
        own_server.url,
        "/runs",
        {
            "model": "stories",
            "text": "One day",
            "max_new_tokens": len(tokens) - start,
            "sampling": {"temperature": 0.9, "top_k": 50, "top_p": 1, "seed": 5},
        },
    )
    assert tokens == [token["id"] for token in answer["tokens"]]
