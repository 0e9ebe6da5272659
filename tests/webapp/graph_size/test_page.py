"""The page of computation graphs: what it says is what was counted, and adds up."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from engine.spec import validate
from tests.webapp.factories import person
from webapp.graph_size.figures import LONGEST, memory_against_horizon
from webapp.graph_size.sizes import Example, examples, in_words


@pytest.mark.django_db
def test_the_page_shows_every_example(client: Client) -> None:
    client.force_login(person("ada"))
    page = client.get("/graph-size/").content.decode()
    for example in examples():
        assert example.title in page
        assert in_words(example.floats) in page
        assert example.code_version in page


@pytest.mark.django_db
def test_its_figure_has_a_line_for_each_with_its_own_horizon(client: Client) -> None:
    client.force_login(person("ada"))
    figure = json.loads(client.get("/graph-size/chart").content)["graph-size"]
    assert [item["label"] for item in figure["legend"]] == [e.title for e in examples()]
    lines = [trace for trace in figure["plotly"]["data"] if "markers" in trace["mode"]]
    for line, example in zip(lines, examples(), strict=True):
        points = dict(zip(line["x"], line["y"], strict=True))
        assert points[example.horizon] == example.bytes
        assert points[LONGEST] == LONGEST * points[1]
    assert len(figure["table"]["rows"]) == len(lines)


@pytest.mark.parametrize("slug", [example.slug for example in examples()])
def test_counts_add_up(slug) -> None:
    [example] = [example for example in examples() if example.slug == slug]
    experiment = validate(example.spec)
    assert example.horizon == experiment.inner.steps
    assert example.meta_parameters == experiment.meta_parameter_count()
    assert example.floats == example.floats_per_step * example.horizon
    assert example.bytes == pytest.approx(4 * example.floats, rel=1e-5)
    assert example.parameters <= example.state_floats < example.floats_per_step


def test_the_lectures_network_is_as_was_measured() -> None:
    """benchmarks/README.md: 4.4 MB a step with SGD, 17.7 MB with Adam and a rate for each."""
    sizes = {example.slug: example.bytes_per_step for example in examples()}
    assert sizes["mlp-sgd"] == pytest.approx(4.4e6, rel=0.02)
    assert sizes["mlp-adam"] == pytest.approx(17.7e6, rel=0.02)


@pytest.mark.parametrize(
    ("count", "text"),
    [(26_122, "26,122"), (1_087_498, "1.09 million"), (4_349_992_000, "4.35 billion"),
     (999_600, "1.00 million"), (17_600_000, "17.6 million"), (2 * 10**12, "2.00 trillion")],
)  # fmt: skip
def test_counts_in_words(count, text) -> None:
    assert in_words(count) == text


def test_a_figure_of_one_example() -> None:
    figure = memory_against_horizon([examples()[0]])
    assert "1 inner loop" in figure["text_summary"]
    assert isinstance(examples()[0], Example)
