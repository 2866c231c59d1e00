"""The graphs that the front end's tests lay out are the ones that the server would send."""

from tools.graph_fixtures import FOLDER, fixture_texts


def test_the_fixtures_are_the_graphs_as_they_are_now() -> None:
    for file, text in fixture_texts().items():
        assert (FOLDER / file).read_text() == text, "run `python -m tools.graph_fixtures`"
