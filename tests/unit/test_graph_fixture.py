"""The graph that the front end's tests lay out is the one that the server would send."""

from tools.graph_fixtures import FIXTURE, fixture_text


def test_the_fixture_is_the_graph_as_it_is_now() -> None:
    assert FIXTURE.read_text() == fixture_text(), "run `python -m tools.graph_fixtures`"
