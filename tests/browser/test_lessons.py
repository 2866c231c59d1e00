"""Lessons in the page: every step of every lesson is reached, its numbers are the run's, and what it asks works."""

import json
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.atlas import PATIENCE, open_atlas, rest, wait_until
from tests.browser.conftest import Server, Watch

pytestmark = pytest.mark.browser
# The default of five seconds is short for a list that is asked for anew on a busy machine.
expect.set_options(timeout=PATIENCE)


def api(server: Server, path: str) -> Any:
    with urllib.request.urlopen(f"{server.url}/api/v1{path}", timeout=30) as answer:
        return json.load(answer)


def lessons(server: Server) -> Any:
    return api(server, "/lessons")["lessons"]


def step_shown(page: Page, lesson: str, step: str) -> Locator:
    """Wait until a step's words are there, and return them."""
    wait_until(
        page,
        """([lesson, step]) => {
            const at = new URLSearchParams(location.search);
            const there = document.querySelector(".lesson-step p");
            return at.get("lesson") === lesson && at.get("step") === step && there !== null
                && !document.querySelector(".lesson-step")?.textContent.includes("Reading…");
        }""",
        [lesson, step],
    )
    return page.locator(".lesson-step")


def numbers_of(found: Any) -> list[tuple[float, str]]:
    """List the live numbers of a step's body, as the API gives them."""
    spans = [span for paragraph in found["body"] for span in paragraph["spans"]]
    return [
        (span["number"], span["format"]) for span in spans if span["kind"] == "number" and span["number"] is not None
    ]


def written(number: float, form: str) -> str | None:
    """Write a number as its format says; None where the page chooses."""
    if form.startswith("%"):
        return f"{number * 100:.{form[1:] or 0}f} %"
    return f"{number:.{form}f}".replace("-", "−") if form.isdigit() else None


def test_every_step_of_every_lesson_is_reached(page: Page, server: Server, watch: Watch) -> None:
    # Words and cameras are looked at here, not pixels: a small map is drawn in a fraction of the time.
    page.set_viewport_size({"width": 900, "height": 240})
    for lesson in lessons(server):
        open_atlas(page, server.url, f"/?lesson={lesson['id']}")
        for at, step in enumerate(lesson["steps"]):
            words = step_shown(page, lesson["id"], step["id"])
            expect(words.locator("h2")).to_have_text(step["title"])
            text = words.inner_text()
            run = page.evaluate("window.__atlas.state().run")
            found = api(server, f"/lessons/{lesson['id']}/steps/{step['id']}?run={run}")
            assert found["applies"], found["reason"]
            for number, form in numbers_of(found):
                shown = written(number, form)
                assert shown is None or shown in text, (lesson["id"], step["id"], shown)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), step["id"]
            last = at == len(lesson["steps"]) - 1
            page.get_by_role("button", name="Finish" if last else "Next", exact=True).click()
        expect(page.get_by_role("dialog", name="Lessons")).to_be_visible()


def test_a_lesson_is_done_and_answered(page: Page, server: Server, watch: Watch) -> None:
    open_atlas(page, server.url, "/")
    page.get_by_role("button", name="Lessons").click()
    page.get_by_label("First steps").get_by_role("button", name="Begin").click()
    words = step_shown(page, "first-steps", "hello")
    expect(words).to_contain_text("Not done yet")
    page.locator(".chips button").last.click()
    expect(words).to_contain_text("Done.")
    page.get_by_role("button", name="A hint").click()
    page.get_by_role("button", name="Another hint").click()
    expect(words.locator(".lesson-hint")).to_have_count(2)
    page.get_by_role("button", name="Next", exact=True).click()
    words = step_shown(page, "first-steps", "colours")
    run = page.evaluate("window.__atlas.state().run")
    key = api(server, f"/lessons/first-steps/steps/colours?run={run}")["check"]["key"]
    right, wrong = ("Yes", "No") if key else ("No", "Yes")
    words.get_by_role("button", name=wrong, exact=True).click()
    expect(words.get_by_role("status")).to_contain_text("Not quite.")
    words.get_by_role("button", name=right, exact=True).click()
    expect(words.get_by_role("status")).to_contain_text("Yes.")
    page.get_by_role("button", name="Next", exact=True).click()
    words = step_shown(page, "first-steps", "tokens")
    words.get_by_label("Your answer, a number").fill("3")
    words.get_by_role("button", name="Check").click()
    expect(words.get_by_role("status")).to_contain_text("Not quite.")
    words.get_by_label("Your answer, a number").fill(str(len(page.evaluate("window.__atlas.state().tokens"))))
    words.get_by_role("button", name="Check").click()
    expect(words.get_by_role("status")).to_contain_text("Yes.")
    rest(page)
    # What has been done is kept, and the lesson goes on where it was left.
    page.get_by_role("button", name="Leave the lesson").click()
    expect(page.locator(".lesson")).to_have_count(0)
    wait_until(page, "() => !location.search.includes('lesson=')")
    page.reload()
    page.get_by_role("button", name="Lessons").click()
    entry = page.get_by_label("First steps")
    expect(entry).to_contain_text("3 done")
    entry.get_by_role("button", name="Go on").click()
    step_shown(page, "first-steps", "table")


def test_a_guess_is_scored_and_numbers_follow_the_readers_text(page: Page, server: Server, watch: Watch) -> None:
    open_atlas(page, server.url, "/?lesson=first-steps&step=next")
    words = step_shown(page, "first-steps", "next")
    run = page.evaluate("window.__atlas.state().run")
    guess = api(server, f"/lessons/first-steps/steps/next?run={run}")["predict"]
    words.locator(".lesson-choices button").nth(1).click()
    expect(words.get_by_role("status")).to_contain_text("Not quite.")
    words.locator(".lesson-choices button").first.click()
    expect(words.get_by_role("status")).to_contain_text("Yes.")
    assert guess["truth"] == [guess["offered"][0]]
    before = words.locator(".lesson-choices").inner_text()
    page.get_by_label("Text", exact=True).fill("The little girl")
    page.get_by_role("button", name="Step", exact=True).click()
    wait_until(page, "() => window.__atlas.state().texts.join('').includes('little girl')")
    expect(words.locator(".lesson-choices")).not_to_have_text(before)


def test_a_lesson_that_is_not_there_is_said(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?lesson=none&step=x")
    page.get_by_role("button", name="Lessons").click()
    expect(page.get_by_role("dialog", name="Lessons")).to_contain_text("There is no lesson “none” here.")
