"""The graphs that the front end's tests lay out are the ones that the server would send, and so are the cells."""

from tools.cell_fixtures import FIXTURE, fixture_text
from tools.graph_fixtures import FOLDER, fixture_texts


def test_the_fixtures_are_the_graphs_as_they_are_now() -> None:
    for file, text in fixture_texts().items():
        assert (FOLDER / file).read_text() == text, "run `python -m tools.graph_fixtures`"


def test_the_golden_cells_are_what_the_server_says() -> None:
    assert FIXTURE.read_text() == fixture_text(), "run `python -m tools.cell_fixtures`"
