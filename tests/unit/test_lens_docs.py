"""The page about lenses says what the lenses say of themselves."""

from tools.lens_docs import PAGE, page_text


def test_the_page_is_what_the_lenses_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_text(), "run `python -m tools.lens_docs`"
