"""Pictures of a run: kept with its points, fenced, taken back with them, bounded."""

from itertools import pairwise

import pytest
from django.conf import settings

import engine
from engine.events import Pictured
from engine.pictures import Curves, Line, Picture
from engine.spec import validate
from tests.webapp.factories import claimed, first_run, person, points
from webapp.runs import pictures, services
from webapp.runs.checkpoint_store import CheckpointStore
from webapp.runs.execution import execute
from webapp.runs.models import Run, RunPicture, Status
from webapp.runs.recorder import Recorder
from webapp.runs.services import LeaseLost

pytestmark = pytest.mark.django_db(transaction=True)

SEARCH = {
    "meta_parameters": [{"kind": "learning_rate", "initial": 0.1, "scale": "log"}],
    "estimators": [{"kind": "elites", "population": 6, "elites": 2, "sigma": 0.5}],
    "seeds": [0],
    "probes": {"every": 4},
}


@pytest.fixture
def ada():
    return person("ada")


@pytest.fixture
def run(ada) -> Run:
    return claimed(first_run(ada, outer={"steps": 1000}))


def pictured(step: int, name: str = "schedule", height: float = 0.0) -> Pictured:
    line = Line(label="learned", x=[0.0, 1.0], y=[height, float("nan")])
    drawing = Curves(x_title="step", y_title="rate", lines=[line])
    return Pictured(run=0, step=step, picture=Picture(name=name, title=name, drawing=drawing))


def steps_of(run: Run, name: str = "schedule") -> list[int]:
    return list(run.pictures.filter(name=name).values_list("step", flat=True))


def shown(run: Run) -> dict[tuple[str, int], Picture]:
    return {(row.name, row.step): row.picture for row in run.pictures.all()}


def recorded(run: Run, *items: Pictured) -> None:
    services.record_points(run_id=run.pk, attempt=run.attempt, points=[], pictured=items)


def test_the_web_has_the_pictures_of_the_command_line(ada) -> None:
    run = first_run(ada, **SEARCH)
    execute(run.pk, "worker@test")
    run.refresh_from_db()
    assert run.status == Status.FINISHED
    events = engine.run(validate(run.spec))
    expected = {(e.picture.name, e.step): e.picture for e in events if isinstance(e, Pictured)}
    assert shown(run) == expected
    assert steps_of(run, "particles") == [0, 4, 8, 12, 16, 19]
    assert run.picture_changes > 0


def test_a_run_that_goes_on_from_a_checkpoint_has_the_same_pictures(ada, monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "CHECKPOINT_SECONDS", 0)
    monkeypatch.setattr(settings, "CHECKPOINT_ROOT", tmp_path)
    whole, run = first_run(ada, **SEARCH), first_run(ada, **SEARCH)
    execute(whole.pk, "worker@test")
    store = CheckpointStore(run.pk)
    execute(run.pk, "worker@test", must_stop=lambda: 10 in store.steps())
    execute(run.pk, "worker@test")
    run.refresh_from_db()
    assert (run.status, run.attempt) == (Status.FINISHED, 2)
    assert shown(run) == shown(whole)


def test_pictures_are_committed_with_the_points_and_a_later_one_replaces(run: Run) -> None:
    with Recorder(run) as recording:
        for point in points(1, 3):
            recording.add_point(point)
        for item in (pictured(2), pictured(2, height=5.0), pictured(2, "cell")):
            recording.add_picture(item)
        recording.flush()
    first = run.pictures.get(name="schedule")
    assert first.picture.drawing.lines[0].y == [5.0, None]
    before = Run.objects.get(pk=run.pk).picture_changes
    recorded(run, pictured(2, height=7.0))
    again = run.pictures.get(name="schedule")
    assert again.pk != first.pk, "a key is never another picture's"
    assert again.picture.drawing.lines[0].y == [7.0, None]
    assert Run.objects.get(pk=run.pk).picture_changes == before + 1


def test_another_attempt_writes_nothing_and_a_rewind_takes_back(run: Run) -> None:
    services.record_points(run_id=run.pk, attempt=1, points=points(1, 10))
    recorded(run, pictured(0), pictured(4), pictured(5), pictured(9))
    services.release(run_id=run.pk, attempt=1)
    with pytest.raises(LeaseLost):
        recorded(run, pictured(9, height=1.0))
    again = claimed(run, resume_from=5)
    assert steps_of(run) == [0, 4]
    with pytest.raises(LeaseLost):
        recorded(run, pictured(5))
    recorded(again, pictured(5))
    assert steps_of(run) == [0, 4, 5]
    assert Run.objects.get(pk=run.pk).picture_changes == 3


def test_a_deleted_run_leaves_no_picture(ada, run: Run) -> None:
    recorded(run, pictured(0))
    services.delete(user=ada, run=run)
    assert not RunPicture.objects.exists()


def test_too_many_are_thinned_out_from_the_middle(run: Run) -> None:
    for step in range(150):
        recorded(run, pictured(step))
    steps = steps_of(run)
    assert len(steps) == pictures.MOST_OF_ONE_NAME
    assert (steps[0], steps[-1]) == (0, 149)
    gaps = [after - before for before, after in pairwise(steps)]
    assert max(gaps) <= 8, "no part of the run is left without a picture"
    left_out = sum(run.pictures.values_list("left_out", flat=True))
    assert left_out == 150 - pictures.MOST_OF_ONE_NAME


def test_bytes_and_names_are_bounded_and_the_log_says_so(run: Run, monkeypatch) -> None:
    size = len(pictured(0).picture.drawing.model_dump_json())
    monkeypatch.setattr(pictures, "MOST_BYTES", 5 * size)
    monkeypatch.setattr(pictures, "MOST_BYTES_OF_ONE", 2 * size)
    monkeypatch.setattr(pictures, "MOST_NAMES", 2)
    large = Line(label="x" * 3 * size, x=[0.0], y=[0.0])
    drawing = Curves(x_title="", y_title="", lines=[large])
    too_large = Picture(name="large", title="large", drawing=drawing)
    recorded(run, *(pictured(step) for step in range(6)), pictured(5, "cell"))
    recorded(run, Pictured(run=0, step=6, picture=too_large), pictured(6, "third"))
    recorded(run, pictured(7, "third"))
    assert sum(run.pictures.values_list("size", flat=True)) <= 5 * size
    assert {row.name for row in run.pictures.all()} == {"schedule", "cell"}
    assert (steps_of(run)[0], steps_of(run)[-1]) == (0, 5)
    told = list(run.events.filter(level="warning").values_list("message", flat=True))
    assert len(told) == 2
    assert "The picture large is not kept: it is of" in told[0]
    assert "The picture third is not kept: it is beyond the 2 pictures" in told[1]
