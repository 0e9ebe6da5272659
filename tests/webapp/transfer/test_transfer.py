"""A lab leaves as a folder and comes back from it, on a server that has nothing, or something."""

from __future__ import annotations

import io
import json
import math
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from engine.events import Note, Pictured, Point
from engine.pictures import Curves, Line, Picture
from tests.webapp.factories import claimed, launched, person
from webapp.accounts.models import User
from webapp.experiments.models import Experiment
from webapp.forecasts.models import LaunchForecast, Prediction
from webapp.runs import services
from webapp.runs.models import Run, RunEvent, RunPicture, SeriesChunk
from webapp.runs.selectors import series
from webapp.runs.table_models import KnownConfiguration, Tag
from webapp.transfer import documents, exporting, files
from webapp.transfer import series as transferred
from webapp.transfer.series import Piece

# The export is one snapshot of its own transaction.
pytestmark = pytest.mark.django_db(transaction=True)

AWKWARD = [1 / 3, math.nan, math.inf, -math.inf, -0.0, 5e-324]


def lab() -> None:
    """Two people, three experiments: ended with everything, a child of it, and one that runs."""
    ada, eve = person("ada"), person("eve-β")
    first = launched(ada, name="a “bowl”, =1+1")
    for run in first.runs.order_by("number"):
        claimed(run)
        points = [
            Point(run=0, step=i, values={"meta_loss": run.number + i / 7, "bias": AWKWARD[i % 6]})
            for i in range(20)
        ]
        pictured = [Pictured(run=0, step=3, picture=picture())]
        notes = [Note(run=0, step=2, level="warning", message="läuft =schief")]
        services.record_points(
            run_id=run.pk, attempt=1, points=points, notes=notes, pictured=pictured
        )
        services.finish(run_id=run.pk, attempt=1, status="finished")
    noted = first.runs.get(number=1)
    Run.objects.filter(pk=noted.pk).update(notes="*good*\n", notes_version=2, name="mine")
    for name in ("keep", "für alle"):
        Tag.objects.create(name=name).runs.add(noted)
    LaunchForecast.objects.create(experiment=first, answer={"peak": [1, 2.5]}, insisted=True)
    Prediction.objects.update_or_create(
        run=noted,
        defaults={"seconds": 0.1, "peak_bytes": 3, "predicted_at": timezone.now()},
    )
    Experiment.objects.filter(pk=launched(eve, name="child").pk).update(parent=first)
    going = launched(eve, name="runs still", estimators=[{"kind": "unrolled"}], seeds=[7])
    run = claimed(going.runs.get())
    services.record_points(
        run_id=run.pk, attempt=1, points=[Point(run=0, step=0, values={"meta_loss": 1.0})]
    )


def picture() -> Picture:
    line = Line(label="η", x=[0.0, 1.0], y=[0.1, 0.2])
    return Picture(
        name="schedule",
        title="Schedule",
        drawing=Curves(x_title="step", y_title="η", lines=[line]),
    )


def empty() -> None:
    Experiment.objects.all().delete()
    User.objects.all().delete()
    Tag.objects.all().delete()


def exported(folder: Path) -> Path:
    call_command("export", str(folder), stdout=io.StringIO())
    return folder


def imported(folder: Path) -> str:
    said = io.StringIO()
    call_command("import", str(folder), stdout=said)
    return said.getvalue()


def content() -> dict:
    """Everything of the lab that an export is to bring back, by names instead of keys."""
    found = {"people": list(documents.people())}
    for experiment in Experiment.objects.select_related("owner", "parent__owner"):
        points = series(experiment.runs.values_list("pk", flat=True))
        numbers = dict(experiment.runs.values_list("pk", "number"))
        found[experiment.name] = {
            "experiment": without(documents.experiment_document(experiment), "id"),
            "runs": [without(row, "id") for row in documents.run_documents(experiment)],
            "events": list(documents.event_documents(experiment)),
            "pictures": list(documents.picture_documents(experiment)),
            "points": {
                (numbers[pk], name): (steps.tolist(), [value.hex() for value in values.tolist()])
                for pk, own in points.items()
                for name, (steps, values) in own.items()
            },
        }
    return found


def without(row: dict, name: str) -> dict:
    return {key: value for key, value in row.items() if key != name}


def test_what_is_imported_into_an_empty_lab_is_what_was_exported(tmp_path: Path) -> None:
    lab()
    before = content()
    folder = exported(tmp_path / "export")
    taken_at = json.loads((folder / "manifest.json").read_text())["taken_at"]
    empty()
    assert "Added 3 experiments with 9 runs and 161 points" in imported(folder)
    for each in before.values():
        if "runs" in each:
            each["runs"] = [documents.settled(row, taken_at) for row in each["runs"]]
    assert content() == before
    # What had not ended has: its worker is elsewhere.
    stopped = Run.objects.get(experiment__name="runs still")
    assert (stopped.status, stopped.error) == ("cancelled", documents.NOT_ENDED)
    # And once more through the same door: the folders are alike, but for keys and moments.
    again = exported(tmp_path / "again")
    first, second = (
        [path.relative_to(each) for path in sorted(each.rglob("*.parquet"))]
        for each in (folder, again)
    )
    assert len(first) == len(second) == 3


def test_the_series_are_read_as_the_documentation_says(tmp_path: Path) -> None:
    lab()
    folder = exported(tmp_path / "export")
    text = (Path(__file__).resolve().parents[3] / "docs/export.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[1]
    path = min(folder.rglob("series.parquet"))
    found: dict = {}
    exec(code.replace("lab-2026-11-30/experiments/000012/series.parquet", str(path)), found)  # noqa: S102
    assert found["loss"][3].tolist() == [3 + step / 7 for step in range(20)]


def test_nobody_comes_with_rights_or_a_password(tmp_path: Path) -> None:
    lab()
    User.objects.filter(username="ada").update(role="admin", is_superuser=True, email="a@b.example")
    folder = exported(tmp_path / "export")
    text = (folder / "people.jsonl").read_text()
    assert "password" not in text
    assert "a@b.example" not in text
    empty()
    imported(folder)
    ada = User.objects.get(username="ada")
    assert not ada.is_lab_admin
    assert not ada.is_superuser
    assert not ada.has_usable_password()


def test_a_second_import_adds_nothing(tmp_path: Path) -> None:
    lab()
    folder = exported(tmp_path / "export")
    empty()
    imported(folder)
    before = content(), counts()
    said = imported(folder)
    assert "Added 0 experiments with 0 runs and 0 points; 3 were here already." in said
    assert (content(), counts()) == before


def counts() -> list[int]:
    return [
        model.objects.count()
        for model in (User, Experiment, Run, RunEvent, RunPicture, SeriesChunk, Tag)
    ]


def test_what_differs_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    lab()
    folder = exported(tmp_path / "export")
    empty()
    imported(folder)
    changed = Experiment.objects.get(name="a “bowl”, =1+1")
    Experiment.objects.filter(pk=changed.pk).update(name="renamed")
    Run.objects.filter(experiment=changed, number=2).update(notes="others")
    changed.runs.get(number=0).delete()
    before = counts()
    said = imported(folder)
    assert "2 were here already" in said
    assert f"Experiment {changed.pk}, “renamed” of ada, is here and differs (name, " in said
    assert "notes of run 2" in said
    assert "run 0 is not here" in said
    assert "run 3" not in said
    assert counts() == before
    assert Experiment.objects.get(pk=changed.pk).name == "renamed"


def test_owners_are_found_by_their_username_and_colours_stay(tmp_path: Path) -> None:
    lab()
    folder = exported(tmp_path / "export")
    empty()
    here = person("ada", role=User.Role.ADMIN)
    mine = launched(here, name="mine")
    colours = dict(mine.runs.values_list("configuration", "colour"))
    Run.objects.update(colour=999)
    said = imported(folder)
    assert "Added 1 people" in said
    ada = User.objects.get(username="ada")
    assert ada.pk == here.pk
    assert ada.is_lab_admin, "who is here keeps their role"
    bowl = Experiment.objects.get(name="a “bowl”, =1+1")
    assert bowl.owner == ada
    assert {run.colour for run in bowl.runs.filter(configuration__in=colours)} == {999}


def test_a_run_that_was_imported_is_found_and_drawn(tmp_path: Path, client) -> None:
    lab()
    folder = exported(tmp_path / "export")
    empty()
    imported(folder)
    LaunchForecast.objects.all().delete()  # made up here; a page shows a real one
    client.force_login(User.objects.get(username="ada"))
    run = Run.objects.get(experiment__name="a “bowl”, =1+1", number=0)
    assert client.get(f"/runs/{run.pk}/").status_code == 200
    figures = client.get("/figures/", {"runs": str(run.pk)}).json()["figures"]
    loss = next(figure for figure in figures if figure["metric"] == "meta_loss")
    assert len(loss["plotly"]["data"][0]["x"]) == 20
    assert f"/runs/{run.pk}/" in client.get("/runs/").content.decode()
    assert KnownConfiguration.objects.filter(digest=run.configuration).exists()


def test_an_export_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch) -> None:
    lab()

    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(exporting.files, "write_manifest", full)
    with pytest.raises(OSError, match="No space"):
        call_command("export", str(tmp_path / "export"))
    assert list(tmp_path.iterdir()) == []


def test_an_export_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(CommandError, match="is there already"):
        call_command("export", str(tmp_path / "there"))
    with pytest.raises(CommandError, match="is no folder"):
        call_command("export", str(tmp_path / "nowhere" / "export"))


def test_a_damaged_export_adds_nothing(tmp_path: Path) -> None:
    lab()
    folder = exported(tmp_path / "export")
    empty()
    path = next(folder.rglob("series.parquet"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    with pytest.raises(CommandError, match=r"series\.parquet is damaged"):
        imported(folder)
    path.unlink()
    with pytest.raises(CommandError, match=r"series\.parquet is missing"):
        imported(folder)
    assert counts() == [0] * 7
    with pytest.raises(CommandError, match="is no export of a lab"):
        imported(tmp_path)


def rewritten(folder: Path, name: str, change) -> None:
    """Change the rows of a file, and write the manifest that belongs to it."""
    path = min(folder.rglob(name))
    rows = [change(row) for row in files.read_rows(path)]
    files.write_rows(path, rows)
    told = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").unlink()
    more = {key: value for key, value in told.items() if key not in ("kind", "version", "files")}
    files.write_manifest(folder, **more)


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("runs.jsonl", {"mood": 3}, "run: 'mood' is not known here"),
        ("runs.jsonl", {"created_at": "noon"}, "run: created_at cannot be 'noon'."),
        ("runs.jsonl", {"status": "dancing", "finished_at": None}, "experiments/"),
        ("events.jsonl", {"run": 99}, "99 is missing"),
        ("people.jsonl", {"username": "no/slash allowed?"}, "no/slash"),
    ],
)
def test_what_the_lab_cannot_keep_is_refused_with_a_sentence(
    tmp_path: Path, name: str, change: dict, sentence: str
) -> None:
    lab()
    folder = exported(tmp_path / "export")
    empty()
    rewritten(folder, name, lambda row: row | change)
    with pytest.raises(CommandError, match=sentence):
        imported(folder)
    assert not Experiment.objects.filter(name="a “bowl”, =1+1").exists()


def test_another_version_is_refused(tmp_path: Path) -> None:
    folder = exported(tmp_path / "export")
    told = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(told | {"version": 2}))
    with pytest.raises(CommandError, match="version 2; this lab reads"):
        imported(folder)


def test_a_file_outside_of_the_folder_is_not_read(tmp_path: Path) -> None:
    folder = exported(tmp_path / "export")
    (tmp_path / "secret").write_text("x")
    told = json.loads((folder / "manifest.json").read_text())
    told["files"]["../secret"] = {"bytes": 1, "sha256": ""}
    (folder / "manifest.json").write_text(json.dumps(told))
    with pytest.raises(CommandError, match="lies outside"):
        imported(folder)


def test_series_are_told_alike_however_they_are_cut(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    steps, values = np.arange(45_000), random.normal(size=45_000)
    whole = [Piece(0, "a", 1, steps, values), Piece(0, "b", 1, steps[:3], values[:3])]
    cut = [
        Piece(0, "a", 1, part, own)
        for part, own in zip(np.array_split(steps, 7), np.array_split(values, 7), strict=True)
    ] + whole[1:]
    assert transferred.write(tmp_path / "whole", whole) == 45_003
    assert transferred.write(tmp_path / "cut", cut) == 45_003
    sums = {
        transferred.digest(each)
        for each in (
            whole,
            cut,
            transferred.read(tmp_path / "whole"),
            transferred.read(tmp_path / "cut"),
        )
    }
    assert len(sums) == 1
    shutil.copy(tmp_path / "whole", tmp_path / "again")
    chunks = list(transferred.as_chunks(transferred.read(tmp_path / "again"), {0: 5}))
    assert [(chunk.name, chunk.first_sequence, chunk.last_sequence) for chunk in chunks] == [
        ("a", 1, 10_000),
        ("a", 10_001, 20_000),
        ("a", 20_001, 30_000),
        ("a", 30_001, 40_000),
        ("a", 40_001, 45_000),
        ("b", 1, 3),
    ]
