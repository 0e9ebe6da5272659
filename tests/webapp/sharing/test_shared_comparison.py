"""Behind a link a comparison has all that its page has, and one of its charts can stand alone."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from engine.events import Pictured
from engine.pictures import Curves, Line, Picture
from tests.webapp.factories import claimed, ids_of, launched, measured, person, signed_in
from tests.webapp.sharing.link import link_to
from webapp.experiments.models import Experiment
from webapp.runs import services
from webapp.runs.models import Run
from webapp.sharing.models import ShareLink

pytestmark = pytest.mark.django_db


@pytest.fixture
def experiment() -> Experiment:
    """Two estimators with three seeds each; what is measured grows with the run's number."""
    made = launched(person("ada"), name="a shared bowl", seeds=[0, 1, 2])
    for run in made.runs.order_by("number"):
        measured(
            run,
            [
                {"meta_loss": run.number + step / 10, "bias_relative": 0.1 * run.number,
                 "peak_bytes": 1e6 + run.number, "seconds": float(step)}
                for step in range(4)
            ],
        )  # fmt: skip
    return made


@pytest.fixture
def ada(experiment: Experiment) -> Client:
    return signed_in(experiment.owner)


def test_a_stranger_sees_the_baseline_tests_and_trade_offs(
    ada: Client, experiment: Experiment
) -> None:
    first = ids_of(experiment)[0]
    path = link_to(
        ada, ids_of(experiment), view=f"baseline={first}&tested=peak_bytes&across=seconds"
    )
    stranger = Client()
    html = stranger.get(path, follow=True).content.decode()
    assert html.count(">Baseline</a>") == 1
    assert "tests-table" in html
    assert '<option value="peak_bytes" selected>' in html
    assert "What it shows" in html
    assert "data-comparison-charts" in html
    assert 'id="add-text"' not in html, "a stranger finds no other runs"
    part = stranger.get(f"{path}/summary", {"runs": "1", "baseline": first, "comparing": ""})
    assert "tests-table" in part.content.decode()
    told = stranger.get(f"{path}/charts").json()["charts"]
    assert told[0]["name"] == "pareto"
    assert told[0]["choices"][0]["value"] == "seconds", "as it was shared"
    file = stranger.get(f"{path}/chart.csv", {"chart": "pareto", "runs": "1"})
    assert "Unrolled" in file.content.decode()


def test_a_stranger_can_look_at_it_another_way(ada: Client, experiment: Experiment) -> None:
    first, *_, last = ids_of(experiment)
    path = link_to(ada, ids_of(experiment), view=f"baseline={first}")
    stranger = Client()
    asked = {"runs": "1", "of": "best", "cost": "seconds", "at": "1"}
    html = stranger.get(f"{path}/summary", asked).content.decode()
    assert "Counted: at most 1 s; the best of each run." in html
    assert "tests-table" not in html, "the baseline was unpinned"
    assert "tests-table" in stranger.get(f"{path}/summary", {"baseline": last}).content.decode()
    refused = stranger.get(f"{path}/summary", {"of": "worst"})
    assert refused.status_code == 400
    assert "of: 'worst' is not possible" in refused.content.decode()


def test_a_baseline_that_is_gone_is_none(ada: Client, experiment: Experiment) -> None:
    first = ids_of(experiment)[0]
    path = link_to(ada, ids_of(experiment), view=f"baseline={first}")
    Run.objects.filter(pk=first).delete()
    page = Client().get(path, follow=True)
    assert page.status_code == 200
    assert "Pin a row" in page.content.decode()


def test_one_chart_is_shared_alone_and_as_it_was(ada: Client, experiment: Experiment) -> None:
    path = link_to(ada, ids_of(experiment), metric="pareto", view="across=seconds&along=meta_loss")
    link = ShareLink.objects.get()
    assert (link.kind, link.chart) == ("figure", "pareto")
    assert link.title.startswith("Meta-loss against time: 6 runs")
    stranger = Client()
    assert "Meta-loss against time" in stranger.get(path, follow=True).content.decode()
    (chart,) = stranger.get(f"{path}/charts", {"across": "peak_bytes"}).json()["charts"]
    assert chart["title"] == "Meta-loss against time"
    assert chart["choices"] == []
    asked = {"chart": "bias-variance", "across": "peak_bytes"}
    file = json.loads(stranger.get(f"{path}/chart.json", asked).content)
    assert file["chart"]["name"] == "pareto"
    assert file["chart"]["x"].startswith("Time")
    for part in ("/figures", "/figure.csv?metric=meta_loss", "/summary", "/summary.csv"):
        assert stranger.get(path + part).status_code == 404, part


def test_a_chart_can_be_embedded(ada: Client, experiment: Experiment) -> None:
    path = link_to(ada, ids_of(experiment), metric="pareto")
    embedded = Client().get(path.replace("/s/", "/embed/"))
    assert embedded.status_code == 200
    assert "frame-ancestors *" in embedded.headers["Content-Security-Policy"]
    assert f'data-charts-url="{path}/charts"' in embedded.content.decode()


def test_what_is_no_chart_is_not_shared(ada: Client, experiment: Experiment) -> None:
    body = {"runs": str(ids_of(experiment)[0]), "days": "7", "metric": "response:outer.steps"}
    answer = ada.post("/share/", body)
    assert answer.status_code == 422
    said = answer.content.decode()
    assert "allowed: the name of a metric, or one of pareto" in said
    assert not ShareLink.objects.exists()


def test_which_metric_is_drawn_against_a_field_is_kept(ada: Client, experiment: Experiment) -> None:
    sweep = {"inner.steps": [10, 20]}
    swept = launched(experiment.owner, name="swept", sweep=sweep, seeds=[0])
    link_to(ada, ids_of(swept), view="of.inner.steps=meta_loss&of=best&of.x=&csrf=1")
    assert ShareLink.objects.get().view == {"of.inner.steps": "meta_loss", "of": "best"}
    body = {"runs": str(ids_of(swept)[0]), "days": "7", "view": "of.inner.steps=beauty"}
    assert "of.inner.steps" in ada.post("/share/", body).content.decode()


def test_pictures_stand_beside_each_other_and_only_those_of_its_runs(
    ada: Client, experiment: Experiment
) -> None:
    other = launched(experiment.owner, name="another").runs.order_by("number").first()
    claimed(other)
    line = Line(label="η", x=[0.0, 1.0], y=[0.1, 0.2])
    drawing = Curves(x_title="step", y_title="η", lines=[line])
    picture = Picture(name="schedule", title="Schedule", drawing=drawing)
    taken = [Pictured(run=0, step=3, picture=picture)]
    own = ids_of(experiment)[0]
    for pk in (own, other.pk):
        services.record_points(run_id=pk, attempt=1, points=[], pictured=taken)
    path = link_to(ada, ids_of(experiment))
    stranger = Client()
    (group,) = stranger.get(f"{path}/pictures-beside").json()["groups"]
    (tile,) = group["tiles"]
    assert (tile["run"], tile["href"]) == (own, "")
    assert stranger.get(tile["url"]).json()["title"] == "Schedule"
    elsewhere = tile["url"].replace(f"/{own}/", f"/{other.pk}/")
    assert stranger.get(elsewhere).status_code == 404
    assert stranger.get(f"{path}/pictures").status_code == 404
