"""The pages of a run and of its experiment: what they tell."""

import json
import re
from datetime import timedelta

import pytest
from django.utils import timezone

import engine.spec
from engine.events import Note
from engine.presets import PRESETS
from engine.spec import validate
from tests.webapp.factories import (
    QUADRATIC,
    claimed,
    first_run,
    launched,
    person,
    points,
    signed_in,
)
from webapp.accounts.models import User
from webapp.experiments import detail_views
from webapp.experiments.services import create_experiment
from webapp.runs import pausing, services
from webapp.runs.models import Run, Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return person("ada")


def page_of(user: User, run: Run) -> str:
    answer = signed_in(user).get(f"/runs/{run.pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def followed(html: str) -> list[dict]:
    found = re.search(r'id="followed-runs" type="application/json">(.*?)</script>', html)
    assert found is not None
    return json.loads(found.group(1))


def in_status(owner: User, status: Status) -> Run:
    """A run with seven points (none while it waits) that came to `status` as runs do."""
    run = first_run(owner)
    if status == Status.QUEUED:
        return run
    if status == Status.PAUSED:
        return pausing.request_pause(user=owner, run=run)
    claimed(run)
    services.record_points(run_id=run.pk, attempt=1, points=points(1, 7))
    if status != Status.RUNNING:
        error = "" if status in (Status.FINISHED, Status.CANCELLED) else f"Why it is {status}."
        services.finish(run_id=run.pk, attempt=1, status=status, error=error)
    run.refresh_from_db()
    return run


@pytest.mark.parametrize("status", list(Status))
def test_the_page_of_a_run_tells_where_it_stands(ada: User, status: Status) -> None:
    run = in_status(ada, status)
    html = page_of(ada, run)
    assert f'data-status="{status}"' in html
    step = 0 if status in (Status.QUEUED, Status.PAUSED) else 7
    assert f"<dd data-step>{step} / 20</dd>" in html
    assert f'<progress data-bar max="20" value="{step}"' in html
    attempt = max(run.attempt, 1)
    state = {"id": run.pk, "sequence": step, "attempt": attempt, "status": str(status)}
    assert followed(html) == [state]
    assert ("data-problem=" in html) == bool(run.error)
    if run.error:
        assert f"<p>Why it is {status}.</p>" in html
    assert ('data-open-dialog="cancel-dialog"' in html) == (not run.has_ended)
    assert (f'action="/runs/{run.pk}/pause/"' in html) == (status in ("queued", "running"))
    assert ("Goes on from the start" in html) == (status == Status.PAUSED)
    assert f'action="/runs/{run.pk}/delete/"' in html


def test_time_that_went_by_and_that_remains(ada: User) -> None:
    run = in_status(ada, Status.RUNNING)
    begun = timezone.now() - timedelta(seconds=70)
    Run.objects.filter(pk=run.pk).update(started_at=begun)
    html = page_of(ada, run)
    elapsed = re.search(r"data-elapsed>([\d.]+) s<", html)
    remaining = re.findall(r"data-remaining>about (\d) min<", html)
    assert elapsed is not None
    # Seven of twenty steps took 70 s, so thirteen more take 130 s; it is said once.
    assert float(elapsed.group(1)) == pytest.approx(70, abs=3)
    assert remaining == ["2"]
    assert "data-remaining" not in page_of(ada, in_status(ada, Status.FINISHED))


def test_the_log_is_told_in_order_on_the_page_and_alone(ada: User) -> None:
    run = claimed(first_run(ada))
    notes = [
        Note(run=0, step=3, level="warning", message="<first>"),
        Note(run=0, step=5, level="info", message="second"),
    ]
    services.record_points(run_id=run.pk, attempt=1, points=points(1, 6), notes=notes)
    for html in (
        page_of(ada, run),
        signed_in(ada).get(f"/runs/{run.pk}/events/").content.decode(),
    ):
        assert html.index("&lt;first&gt;") < html.index(">second<")
        assert 'data-level="warning"' in html
    assert 'id="event-count" class="count">2<' in page_of(ada, run)
    nothing = signed_in(ada).get(f"/runs/{first_run(ada).pk}/events/").content.decode()
    assert "Nothing to tell yet" in nothing


def test_the_spec_of_a_run_is_read_back_as_it_is(ada: User) -> None:
    run = launched(ada).runs.get(number=3)
    html = page_of(ada, run)
    text = re.search(r'<pre tabindex="0"><code>(.*?)</code>', html, re.DOTALL)
    assert text is not None
    read = engine.spec.read_text(text.group(1).replace("&#x27;", "'").replace("&quot;", '"'))
    assert read.model_dump(mode="json") == run.spec
    assert (read.seeds, read.estimators[0].kind) == ([1], "truncated")


def test_the_difference_from_where_it_came_from(ada: User) -> None:
    origin = launched(ada)
    changed = validate({**QUADRATIC, "name": "other", "inner": {"steps": 11}})
    child = create_experiment(owner=ada, experiment=changed, parent=origin)
    html = page_of(ada, child.runs.first())
    assert f"Difference from experiment {origin.pk}" in html
    changes = html[html.index('id="changes-title"') : html.index('id="spec-title"')]
    assert re.findall(r"<code>([^<]+)</code>", changes) == ["inner.steps"]
    assert re.findall(r'<td class="number">([^<]+)</td>', changes) == ["10", "11"]
    assert "written from scratch" in page_of(ada, origin.runs.first())


def test_a_preset_is_where_it_came_from(ada: User) -> None:
    preset = PRESETS[0]
    made = create_experiment(
        owner=ada, experiment=engine.spec.read_text(preset.text), preset=preset.slug
    )
    html = page_of(ada, made.runs.first())
    assert f"Difference from the preset “{preset.title}”" in html.replace("&#x27;", "'")
    assert "None but the estimator and the seed" in html
    experiment = signed_in(ada).get(f"/experiments/{made.pk}/").content.decode()
    assert preset.question in experiment.replace("&#x27;", "'")


def test_siblings_are_offered_for_comparison(ada: User) -> None:
    made = launched(ada, estimators=[{"kind": "unrolled"}], seeds=list(range(14)))
    runs = list(made.runs.order_by("number"))
    ids = [run.pk for run in runs]
    first = re.search(r'href="/compare\?runs=([\d,]+)"', page_of(ada, runs[0]))
    last = re.search(r'href="/compare\?runs=([\d,]+)"', page_of(ada, runs[13]))
    assert first is not None
    assert last is not None
    assert first.group(1) == ",".join(map(str, ids[:12]))
    assert last.group(1) == ",".join(map(str, [*ids[:11], ids[13]]))
    alone = launched(ada, estimators=[{"kind": "unrolled"}], seeds=[0]).runs.get()
    assert "/compare?runs=" not in page_of(ada, alone)


def test_the_page_of_an_experiment_has_all_of_its_runs(ada: User) -> None:
    made = launched(ada)
    one, two, *_ = made.runs.order_by("number")
    claimed(one)
    services.record_points(run_id=one.pk, attempt=1, points=points(1, 20))
    services.finish(run_id=one.pk, attempt=1, status=Status.FINISHED)
    services.request_cancel(user=ada, run=two)
    html = signed_in(ada).get(f"/experiments/{made.pk}/").content.decode()
    assert len(followed(html)) == 4
    assert [item["status"] for item in followed(html)][:2] == ["finished", "cancelled"]
    assert "2 configurations" in html
    assert "2 / 4 runs done" in html
    assert '<progress data-overall-bar max="80" value="20"' in html
    assert made.code_version in html
    assert "Cancel all" in html


def test_the_page_of_an_experiment_says_what_it_leaves_out(ada: User, monkeypatch) -> None:
    monkeypatch.setattr(detail_views, "MOST_RUNS", 10)
    made = launched(ada, seeds=list(range(6)))
    html = signed_in(ada).get(f"/experiments/{made.pk}/").content.decode()
    assert len(followed(html)) == 10
    assert "The first 10 runs are drawn; 2 more are in the" in html


def test_the_spec_of_an_experiment_is_a_file_that_the_engine_reads(ada: User) -> None:
    made = launched(ada, name="Bowl & cup")
    answer = signed_in(ada).get(f"/experiments/{made.pk}/spec.yaml")
    assert 'filename="bowl-cup.yaml"' in answer.headers["Content-Disposition"]
    read = engine.spec.read_text(answer.content.decode())
    assert read.model_dump(mode="json") == made.spec


def test_a_bigger_experiment_needs_no_more_queries(
    ada: User, django_assert_max_num_queries
) -> None:
    client = signed_in(ada)
    for seeds in ([0], list(range(20))):
        made = launched(ada, seeds=seeds)
        for run in made.runs.all():
            claimed(run)
            services.record_points(run_id=run.pk, attempt=1, points=points(1, 6))
        with django_assert_max_num_queries(9):
            client.get(f"/experiments/{made.pk}/")
        with django_assert_max_num_queries(9):
            client.get(f"/runs/{made.runs.first().pk}/")


def test_pages_outlive_the_package_of_their_inner_task(ada: User) -> None:
    run = in_status(ada, Status.FINISHED)
    removed = {"kind": "removed_task", "width": 0.25}
    Run.objects.filter(pk=run.pk).update(spec={**run.spec, "inner_task": removed})
    experiment = run.experiment
    experiment.spec = {**experiment.spec, "inner_task": removed}
    experiment.save()
    for path in (f"/runs/{run.pk}/", f"/experiments/{experiment.pk}/", "/runs/", "/"):
        answer = signed_in(ada).get(path)
        assert answer.status_code == 200, path
    run.refresh_from_db()
    assert "kind: removed_task\n  width: 0.25" in page_of(ada, run)
