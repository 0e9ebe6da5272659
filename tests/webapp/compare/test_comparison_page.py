"""What the address of a comparison says: baseline, cost, trade-offs, runs to add or take away."""

import csv
import io
import json
import math

import pytest
from django.test import Client

from tests.webapp.factories import ids_of, launched, measured, person, signed_in
from webapp.accounts.models import User
from webapp.experiments.models import Experiment


@pytest.fixture
def ada(db) -> User:
    return person("ada")


@pytest.fixture
def client(ada: User) -> Client:
    return signed_in(ada)


SWEEP = {
    "estimators": [{"kind": "unrolled"}, {"kind": "truncated", "window": 2}],
    "sweep": {"inner.steps": [10, 20], "estimators.1.window": [2, 5]},
    "seeds": [0, 1, 2],
}


@pytest.fixture
def swept(ada: User) -> Experiment:
    """Two horizons × (unrolled, two windows) × three seeds, with figures that grow as they do."""
    made = launched(ada, **SWEEP)
    for run in made.runs.order_by("number"):
        horizon = run.spec["inner"]["steps"]
        window = run.spec["estimators"][0].get("window", horizon)
        noise = 0.01 * math.sin(run.pk)
        measured(
            run,
            [
                {
                    "meta_loss": 1 / window + noise - step / 100,
                    "seconds": horizon * (step + 1) / 10,
                    "bias_relative": 1 - window / horizon,
                    "variance_relative": 0.0,
                    "peak_bytes": 1e6 * window,
                }
                for step in range(4)
            ],
        )
    return made


def asked(client: Client, path: str, made: Experiment, **more: object):
    return client.get(path, {"runs": ",".join(map(str, ids_of(made))), **more})


def test_a_pinned_baseline_gives_changes_and_tests(client: Client, swept: Experiment) -> None:
    first = ids_of(swept)[0]
    html = asked(client, "/compare", swept, baseline=first).content.decode()
    assert html.count(">Baseline</a>") == 1
    assert "Holm" in html
    assert html.count('class="change" data-direction="worse"') > 0
    assert "Pin a row" in asked(client, "/compare", swept).content.decode()
    fragment = asked(client, "/compare/summary", swept, baseline=first, comparing="")
    assert "tests-table" in fragment.content.decode()
    assert "tests-table" not in asked(client, "/compare/summary", swept).content.decode()


def test_at_equal_cost_the_table_counts_what_was_reached(client: Client, swept: Experiment) -> None:
    page = asked(client, "/compare", swept, cost="seconds", at=4.0)
    assert "Counted: at most 4 s." in page.content.decode()
    figures = asked(client, "/figures/", swept, cost="seconds", at=4.0).json()["figures"]
    loss = next(figure for figure in figures if figure["metric"] == "meta_loss")
    assert "at most 4 s" in loss["note"]
    lengths = {len(t["x"]) for t in loss["plotly"]["data"] if t["meta"]["part"] == "line"}
    assert lengths == {2, 4}, "20 inner steps a step cost twice as much as 10"
    file = asked(client, "/exports/figure.csv", swept, metric="meta_loss", cost="seconds", at=4.0)
    assert len(file.content.decode().splitlines()) == 2 + 3 * 4 + 3 * 2


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"cost": "money"}, "cost: 'money' is not possible; allowed: seconds, inner_steps,"),
        ({"cost": "seconds"}, "at: '' is not possible; allowed: a positive number."),
        ({"cost": "seconds", "at": "-1"}, "at: '-1' is not possible"),
        ({"cost": "seconds", "at": "nan"}, "at: 'nan' is not possible"),
        ({"baseline": "x"}, "baseline: 'x' is not possible; allowed: a run's number."),
        ({"baseline": "99999"}, "baseline: '99999' is not possible; allowed: the number of a run"),
        ({"across": "beauty"}, "across: 'beauty' is not possible; allowed: meta_loss,"),
        ({"of.inner.steps": "x"}, "of.inner.steps: 'x' is not possible"),
    ],
)
def test_what_is_not_possible_is_refused_with_a_sentence(
    client: Client, swept: Experiment, more: dict, sentence: str
) -> None:
    for path in ("/compare/summary", "/compare/charts", "/compare/chart.csv"):
        answer = asked(client, path, swept, chart="pareto", **more)
        assert answer.status_code == 400
        said = answer.json()["detail"] if path.endswith("charts") else answer.content.decode()
        assert sentence in said
    assert asked(client, "/compare", swept, **more).status_code == 400


def charts_of(client: Client, made: Experiment, **more: object) -> dict[str, dict]:
    found = asked(client, "/compare/charts", made, **more).json()["charts"]
    return {chart["name"]: chart for chart in found}


def test_the_charts_are_those_that_the_runs_have(client: Client, swept: Experiment) -> None:
    found = charts_of(client, swept)
    assert list(found) == [
        "pareto", "response:inner.steps", "response:estimators.0.window", "bias-variance",
        "parallel",
    ]  # fmt: skip
    horizon = found["response:inner.steps"]
    assert horizon["title"] == "Peak memory against inner.steps"
    assert "unrolled: 10 MB ± 0 B at 10, 20 MB ± 0 B at 20" in horizon["text_summary"]
    window = found["response:estimators.0.window"]
    assert window["title"] == "Bias / oracle norm against estimator.window"
    assert len(window["legend"]) == 4, "a line a horizon, and unrolled has no window"
    changed = charts_of(client, swept, **{"of.inner.steps": "meta_loss"})
    assert changed["response:inner.steps"]["title"] == "Meta-loss against inner.steps"
    for chart in found.values():
        assert chart["text_summary"]
        assert len(chart["table"]["rows"]) >= 6


def test_the_front_of_bias_and_memory_has_each_trade(client: Client, swept: Experiment) -> None:
    rows = charts_of(client, swept)["pareto"]["table"]["rows"]
    on = {(row[1], row[2].split(" ")[0]) for row in rows if row[3] == "yes"}
    assert ("2 MB ± 0 B (N = 3)", "0.800") in on
    assert ("10 MB ± 0 B (N = 3)", "0") in on
    assert ("20 MB ± 0 B (N = 3)", "0") not in on


def test_one_configuration_has_no_sweep_to_draw(client: Client, ada: User) -> None:
    made = launched(ada, estimators=[{"kind": "unrolled"}], seeds=[0, 1])
    assert list(charts_of(client, made)) == ["pareto"]


@pytest.mark.parametrize("name", ["pareto", "bias-variance", "response:inner.steps", "parallel"])
def test_every_chart_is_a_file_with_its_origin(
    client: Client, swept: Experiment, name: str
) -> None:
    for extension, start in (("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")):
        answer = asked(client, f"/compare/chart.{extension}", swept, chart=name)
        assert answer.status_code == 200
        assert answer.content.startswith(start)
        if extension == "svg":
            assert b"inner_task" in answer.content
    text = asked(client, "/compare/chart.csv", swept, chart=name).content.decode()
    rows = list(csv.DictReader(io.StringIO(text.split("\r\n", 1)[1])))
    assert len(rows) == 6
    drawn = json.loads(asked(client, "/compare/chart.json", swept, chart=name).content)
    assert len(drawn["chart"]["points"]) == 6
    assert drawn["provenance"]["seeds"] == [0, 1, 2]
    assert r"\toprule" in asked(client, "/compare/chart.tex", swept, chart=name).content.decode()


def test_the_numbers_of_a_chart_are_exact(client: Client, swept: Experiment) -> None:
    text = asked(client, "/compare/chart.csv", swept, chart="pareto").content.decode()
    rows = list(csv.DictReader(io.StringIO(text.split("\r\n", 1)[1])))
    found = sorted(float(row["bias_relative"]) for row in rows)
    assert found == pytest.approx([0.0, 0.0, 0.5, 0.75, 0.8, 0.9], rel=1e-15)


def test_an_unknown_chart_is_refused(client: Client, swept: Experiment) -> None:
    answer = asked(client, "/compare/chart.svg", swept, chart="pie")
    assert answer.status_code == 400
    assert "chart: 'pie' is not possible; allowed: pareto," in answer.content.decode()


def test_configurations_are_taken_away_and_added(
    client: Client, ada: User, swept: Experiment
) -> None:
    other = launched(ada, name="another bowl", estimators=[{"kind": "evolution"}], seeds=[0])
    ids = ids_of(swept)
    page = asked(client, "/compare", swept, cost="seconds", at=4.0, baseline=ids[0])
    html = page.content.decode()
    assert html.count("Take away from the comparison") == 6
    offered = asked(client, "/compare/to-add", swept, q="another", cost="seconds", at=4.0)
    text = offered.content.decode()
    assert text.count("<a ") == 1
    assert f"{','.join(map(str, [*ids, *ids_of(other)]))}&amp;cost=seconds&amp;at=4.0" in text
    assert "No other run fits" in asked(client, "/compare/to-add", swept, q="zzz").content.decode()
    two = launched(ada, estimators=[{"kind": "unrolled"}], seeds=[0, 1])
    assert "Take away" not in asked(client, "/compare", two).content.decode()


def test_strangers_see_none_of_it(db) -> None:
    for path in ("summary", "charts", "to-add", "chart.csv"):
        assert Client().get(f"/compare/{path}?runs=1,2").headers["Location"].startswith("/sign-in/")
