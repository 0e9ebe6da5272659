"""An export becomes part of this lab: what is new is added, what is here stays as it is.

An experiment is known by its owner's username and the microsecond of its launch, a run by its
number within it. An experiment comes whole, in one transaction, or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby, islice, zip_longest
from operator import itemgetter
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import Error, transaction
from django.utils.dateparse import parse_datetime

from webapp.accounts.models import User
from webapp.experiments.models import Experiment
from webapp.forecasts.models import LaunchForecast, Prediction
from webapp.runs import spec_values
from webapp.runs.models import Run, RunEvent, RunPicture, SeriesChunk
from webapp.runs.table_models import Tag
from webapp.transfer import documents, files, series
from webapp.transfer.rows import Row, TransferError, instance_of, keep

Tell = Callable[[int, int], None]
CHUNKS_AT_ONCE = 50
MOST_DIFFERENCES = 5
HERE_ALONE = ("id", "colour")
"""What an experiment and its runs may have otherwise on another server."""


@dataclass
class Outcome:
    """What an import did."""

    people: int = 0
    """Added, without a password and as members."""
    experiments: int = 0
    """Added."""
    runs: int = 0
    points: int = 0
    known: int = 0
    """Experiments that were here, equal to those of the export."""
    conflicts: list[str] = field(default_factory=list)
    """Sentences on those that are here and differ: they stay as they are here."""


def import_lab(source: Path, tell: Tell = lambda done, of: None) -> Outcome:
    """Add what the export `source` has and this lab has not.

    Importing the same again adds nothing. Raises `TransferError` where the export is damaged, or
    says what this lab cannot keep; experiments before it stay.
    """
    manifest = files.read_manifest(source)
    folders = sorted({Path(name).parent for name in manifest["files"] if "/" in name})
    files.verify(source, manifest["files"])
    outcome = Outcome()
    people = _people(source / files.PEOPLE, outcome)
    for done, folder in enumerate(folders, start=1):
        try:
            _experiment(source / folder, people, manifest["taken_at"], outcome)
        except (TransferError, KeyError, TypeError, ValueError, Error) as problem:
            raise TransferError(f"{folder}: {_words(problem)}") from problem
        tell(done, len(folders))
    return outcome


def _words(problem: Exception) -> str:
    """The first line of what a person is told; a database adds the whole row in further ones."""
    if isinstance(problem, KeyError):
        return f"{problem.args[0]!r} is missing."
    return str(problem).partition("\n")[0]


def _people(path: Path, outcome: Outcome) -> dict[str, User]:
    """Everybody whom the export names, by username: who is here, and who is made."""
    people = {}
    for row in files.read_rows(path):
        name = row["username"]
        person = User.objects.filter(username=name).first()
        if person is None:
            person = instance_of(User, row)
            person.set_unusable_password()
            try:
                person.full_clean(exclude=["password"])
            except ValidationError as problem:
                raise TransferError(f"{name!r:.80}: {' '.join(problem.messages)}") from None
            keep(person)
            outcome.people += 1
        people[name] = person
    return people


def _experiment(folder: Path, people: dict[str, User], taken_at: str, outcome: Outcome) -> None:
    document = json.loads((folder / files.EXPERIMENT).read_text(encoding="utf-8"))
    owner = people[document["owner"]]
    here = _found(owner, document["created_at"])
    if here is not None:
        differences = list(_differences(here, folder, document, taken_at))
        if differences:
            outcome.conflicts.append(_sentence(here, differences))
        else:
            outcome.known += 1
        return
    with transaction.atomic():
        experiment = _insert_experiment(document, owner)
        runs = _insert_runs(folder, experiment, taken_at)
        _insert_rows(folder / files.EVENTS, RunEvent, runs)
        _insert_rows(folder / files.PICTURES, RunPicture, runs)
        points = _insert_series(folder / files.SERIES, runs)
    outcome.experiments += 1
    outcome.runs += len(runs)
    outcome.points += points


def _found(owner: User | None, created_at: str) -> Experiment | None:
    moment = parse_datetime(created_at)
    if owner is None or moment is None:
        return None
    known = Experiment.objects.select_related("owner", "parent__owner")
    return known.filter(owner=owner, created_at=moment).first()


def _insert_experiment(document: Row, owner: User) -> Experiment:
    left_out = ("id", "owner", "parent", "forecast")
    row = {name: value for name, value in document.items() if name not in left_out}
    parent = None
    if document["parent"]:
        name, launched = document["parent"]
        parent = _found(User.objects.filter(username=name).first(), launched)
    experiment = instance_of(Experiment, row, owner=owner, parent=parent)
    keep(experiment)
    if document["forecast"]:
        keep(instance_of(LaunchForecast, document["forecast"], experiment=experiment))
    return experiment


def _insert_runs(folder: Path, experiment: Experiment, taken_at: str) -> dict[int, int]:
    """The keys of the runs by their numbers."""
    keys, specs = {}, {}
    for document in files.read_rows(folder / files.RUNS):
        row = documents.settled(documents.run_model_fields(document), taken_at)
        run = instance_of(
            Run, row, documents.OF_THE_SERVER, experiment=experiment, owner=experiment.owner
        )
        # A configuration has one colour in a lab, and the one that it has here already stays.
        known = Run.objects.filter(configuration=run.configuration).values_list("colour", flat=True)
        run.colour = next(iter(known[:1]), run.colour)
        keep(run)
        keys[run.number], specs[run.configuration] = run.pk, run.spec
        if document["prediction"]:
            keep(instance_of(Prediction, document["prediction"], run=run))
        for name in document["tags"]:
            _tag(name).runs.add(run)
    spec_values.remember(specs)
    return keys


def _tag(name: str) -> Tag:
    return Tag.objects.filter(name__iexact=name).first() or Tag.objects.create(name=name)


def _insert_rows(path: Path, model: type, runs: dict[int, int]) -> None:
    for row in files.read_rows(path):
        keep(instance_of(model, _without(row, "run"), run_id=runs[row["run"]]))


def _insert_series(path: Path, runs: dict[int, int]) -> int:
    points = 0
    waiting = series.as_chunks(series.read(path), runs)
    while chunks := list(islice(waiting, CHUNKS_AT_ONCE)):
        SeriesChunk.objects.bulk_create(chunks)
        points += sum(len(chunk.steps) // 8 for chunk in chunks)
    return points


def _differences(here: Experiment, folder: Path, there: Row, taken_at: str) -> Iterator[str]:
    """Where an experiment of this lab and of the export differ, in words."""
    yield from _fields_apart(documents.experiment_document(here), there)
    runs_there = files.read_rows(folder / files.RUNS)
    for run, ours, theirs in _side_by_side(documents.run_documents(here), runs_there):
        if ours is None or theirs is None:
            yield f"run {run} is {'only here' if theirs is None else 'not here'}"
            continue
        one, other = (documents.settled(each, taken_at) for each in (ours, theirs))
        yield from (f"{name} of run {run}" for name in _fields_apart(one, other))
    for name, of_the_lab in (
        (files.EVENTS, documents.event_documents(here)),
        (files.PICTURES, documents.picture_documents(here)),
    ):
        pairs = zip_longest(of_the_lab, files.read_rows(folder / name))
        if any(ours is None or theirs is None or ours != theirs for ours, theirs in pairs):
            yield name.partition(".")[0]
    ours, theirs = (
        series.digest(pieces)
        for pieces in (series.stored_pieces(here.pk), series.read(folder / files.SERIES))
    )
    if ours != theirs:
        yield "points"


def _side_by_side(
    ours: Iterable[Row], theirs: Iterable[Row]
) -> Iterator[tuple[int, Row | None, Row | None]]:
    """Runs of both sides by their number; both come in its order."""
    together = merge(
        ((row["number"], 0, row) for row in ours),
        ((row["number"], 1, row) for row in theirs),
        key=itemgetter(0),
    )
    for number, group in groupby(together, key=itemgetter(0)):
        rows = {side: row for _, side, row in group}
        yield number, rows.get(0), rows.get(1)


def _fields_apart(ours: Row, theirs: Row) -> list[str]:
    ours, theirs = _without(ours, *HERE_ALONE), _without(theirs, *HERE_ALONE)
    return [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]


def _without(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def _sentence(here: Experiment, differences: list[Any]) -> str:
    said = ", ".join(differences[:MOST_DIFFERENCES])
    more = len(differences) - MOST_DIFFERENCES
    return (
        f"Experiment {here.pk}, “{here.name}” of {here.owner.username}, is here and differs "
        f"({said}{f' and {more} more' if more > 0 else ''}); it stays as it is."
    )
