"""Server time of the table of runs and of the search, with many runs in Postgres.

    python -m benchmarks.web_runs [--runs 100000] [--rounds 7]

Starts a Postgres and a broker of its own in a temporary folder, makes the runs (as those of the
presets and their sweeps, five seeds each) and asks for pages as a browser does, without a network.
Prints, of the rounds after a first one, the seconds on a CPU of this process and of Postgres'
together, which other work on the machine does not change, and the median of the seconds that the
clock had; with the number of queries.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from tests.lab_process import remove_home
from webapp.supervisor.embedded import EmbeddedServices
from webapp.supervisor.home import Home

SEEDS = 5
A_LAUNCH = 50
MADE = 10_000
"""Runs that are made one by one; the others are copies of them by Postgres, with other figures."""
PEOPLE = ("ada", "bob", "cleo", "dan", "eve")
PAGES = {
    "the first page": "",
    "three fields": "q=estimator:truncated AND bias_relative<0.1 AND horizon>=100",
    "three fields, rare": "q=owner:ada AND test_accuracy>0.95 AND window:20",
    "three fields of the spec": "q=inner.optimizer.kind:sgd AND horizon>=200 AND outer.steps<40",
    "any of it or not": "q=(task:image_mlp OR learns:learning_rate) AND NOT meta_loss>1",
    "a word": "q=truncated",
    "a rare word": "q=zebra",
    "a tag": "q=tag:paper",
    "sorted by a metric": "sort=-cosine",
    "sorted by the best of a metric": "sort=cosine&of=best",
    "sorted by a field of the spec": "columns=run,inner.steps&sort=inner.steps",
    "page 400": "page=400",
    "grouped by configuration": "group=configuration",
    "grouped, filtered and sorted": "group=configuration&q=estimator:truncated&sort=meta_loss",
}
SEARCHES = {
    "search: a frequent word": "truncated",
    "search: begun": "tr",
    "search: a rare word": "zebra",
    "search: two words": "truncated 137",
    "search: of a run and of none": "truncated zebra",
    "search: a number": "73211",
    "search: a person": "ada experiment",
}
"""What is typed into the field of every page, whose list htmx asks for."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.web_runs")
    parser.add_argument("--runs", type=int, default=100_000, help="runs in the lab (100000)")
    parser.add_argument("--rounds", type=int, default=7, help="times that a page is asked for (7)")
    parser.add_argument("--keep", type=Path, help="a folder to keep the lab in, or one kept before")
    options = parser.parse_args()
    home = Home(options.keep or Path(tempfile.mkdtemp(prefix="lab-bench-")))
    home.prepare()
    services = EmbeddedServices(home)
    try:
        os.environ.update(services.start())
        os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings.test"
        prepare(options.runs)
        for name, query in PAGES.items():
            print(f"{name:32}", measured(f"/runs/?{query}", options.rounds), flush=True)
        for name, words in SEARCHES.items():
            found = measured(f"/search?q={words}", options.rounds, headers={"HX-Request": "true"})
            print(f"{name:32}", found, flush=True)
    finally:
        services.stop()
        if not options.keep:
            remove_home(home)


def prepare(count: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    from webapp.accounts.models import User
    from webapp.runs.models import Run

    if Run.objects.exists():
        return
    people = [User.objects.create_user(username=name) for name in PEOPLE]
    started = time.perf_counter()
    make(people, min(count, MADE))
    with connection.cursor() as cursor:
        for number in range(1, count // MADE):
            copy(cursor, number)
        cursor.execute("VACUUM ANALYZE")
    print(f"{count:,} runs in {time.perf_counter() - started:.0f} s")


def make(people: list[Any], count: int) -> None:
    """`count` finished runs; a few still wait, a few are archived, a few have a tag."""
    from django.utils import timezone

    from webapp.experiments.models import Experiment
    from webapp.runs import spec_values
    from webapp.runs.models import Run
    from webapp.runs.table_models import Tag

    draw = random.Random(7)  # noqa: S311 (drawn for a benchmark)
    now = timezone.now()
    specs = sweep(draw)
    tag = Tag.objects.create(name="paper")
    for start in range(0, count, A_LAUNCH):
        size = min(A_LAUNCH, count - start)
        kept = Experiment.objects.create(
            owner=draw.choice(people), name=f"experiment {start // A_LAUNCH}", spec={}
        )
        rows = []
        for number in range(size):
            if number % SEEDS == 0:
                spec = next(specs)
                digest = hashlib.sha256(json.dumps(spec).encode()).hexdigest()
            estimator = spec["estimators"][0]
            ended = draw.random() < 0.999
            rows.append(
                Run(
                    experiment=kept,
                    number=number,
                    label=f"{estimator['kind'].title()}, window = {estimator.get('window')}",
                    configuration=digest,
                    estimator=estimator["kind"],
                    seed=number % SEEDS,
                    spec=spec | {"seeds": [number % SEEDS]},
                    colour=number,
                    status="finished" if ended else "queued",
                    finished_at=now if ended else None,
                    total_steps=40,
                    step=40,
                    sequence=40,
                    summary=figures(draw),
                    archived_at=now if draw.random() < 0.02 else None,
                )
            )
        Run.objects.bulk_create(rows)
        spec_values.remember({row.configuration: row.spec for row in rows})
        if start % 2000 == 0:
            tag.runs.add(*rows[:5])


def copy(cursor: Any, number: int) -> None:
    """The first `MADE` runs once more, in experiments and configurations of their own."""
    from webapp.experiments.models import Experiment
    from webapp.runs.models import Run

    by = MADE // A_LAUNCH * number
    digest = f"md5(configuration || {number})"
    drawn = "".join(f", '{name}', random()" for name in ("bias_relative", "test_accuracy"))
    drawn += (
        ", 'meta_loss', exp(4 * random() - 2), 'cosine', 2 * random() - 1, 'best_cosine', random()"
    )
    changed = {
        "experiment_id": f"experiment_id + {by}",
        "configuration": digest,
        "summary": f"summary || jsonb_build_object({drawn[2:]})",
        "created_at": f"created_at - interval '{number} days'",
    }
    columns = [f.column for f in Experiment._meta.concrete_fields if f.column != "id"]
    first = f"FROM experiments_experiment WHERE id <= {MADE // A_LAUNCH} ORDER BY id"
    cursor.execute(
        f"INSERT INTO experiments_experiment ({', '.join(columns)}) "
        f"SELECT {', '.join(columns)} {first}"
    )
    columns = [f.column for f in Run._meta.concrete_fields if f.column != "id"]
    cursor.execute(
        f"INSERT INTO runs_run ({', '.join(columns)}) "  # noqa: S608
        f"SELECT {', '.join(changed.get(column, column) for column in columns)} "
        f"FROM runs_run WHERE id <= {MADE} ORDER BY id"
    )
    cursor.execute(
        "INSERT INTO runs_knownconfiguration (digest, values) "  # noqa: S608
        f"SELECT DISTINCT {digest}, values FROM runs_knownconfiguration "
        f"JOIN runs_run ON configuration = digest WHERE runs_run.id <= {MADE}"
    )


def sweep(draw: random.Random) -> Iterator[dict[str, Any]]:
    """Specs of the presets, each with a horizon, a window and a learning rate of its own."""
    from engine.presets import PRESETS
    from engine.spec import expand, read_text

    planned = [run.spec for preset in PRESETS for run in expand(read_text(preset.text))[:4]]
    documents = [spec.model_dump(mode="json") for spec in planned]
    while True:
        spec = json.loads(json.dumps(draw.choice(documents)))
        spec["inner"]["steps"] = draw.choice([10, 25, 40, 100, 200, 400, 1000])
        spec["outer"]["optimizer"]["learning_rate"] = draw.choice([0.001, 0.01, 0.02, 0.1])
        if "window" in spec["estimators"][0]:
            spec["estimators"][0]["window"] = draw.choice([1, 5, 10, 20, 50])
        yield spec


def figures(draw: random.Random) -> dict[str, float | None]:
    from engine.summary import updated

    loss = math.exp(draw.gauss(0, 1))
    names = ("variance_relative", "step_seconds", "gradient_norm", "bias", "variance",
             "oracle_norm", "seconds", "probe_seconds", "theta.learning_rate", "inner_steps",
             "test_loss", "clipped", "bias_relative_low", "bias_relative_high")  # fmt: skip
    drawn = {
        "meta_loss": loss,
        "bias_relative": draw.random() ** 2,
        "cosine": 2 * draw.random() - 1,
        "peak_bytes": 1e6 * draw.random(),
        "test_accuracy": draw.random(),
        **{name: draw.random() for name in names},
    }
    return updated({}, drawn)


def measured(address: str, rounds: int, **more: Any) -> str:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from webapp.accounts.models import User

    client = Client()
    client.force_login(User.objects.get(username="ada"))
    connection.ensure_connection()
    postmaster = parent_of(connection.connection.info.backend_pid)
    seconds = []
    for number in range(rounds + 1):
        if number == 1:
            worked = cpu_seconds(postmaster)
        with CaptureQueriesContext(connection) as queries:
            started = time.perf_counter()
            answer = client.get(address, **more)
            seconds.append(time.perf_counter() - started)
        assert answer.status_code == 200, answer.content[:500]
    worked = (cpu_seconds(postmaster) - worked) / rounds
    clock = median(seconds[1:])
    times = f"{1000 * worked:5.0f} ms of CPU, {1000 * clock:5.0f} ms by the clock"
    return f"{times}; {len(queries)} queries"


def parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def cpu_seconds(postmaster: int) -> float:
    """What this process and Postgres have worked so far; Linux only."""
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        own = int(fields[11]) + int(fields[12])
        if int(folder.name) == postmaster:
            ticks += own + int(fields[13]) + int(fields[14])  # and of its children that ended
        elif int(fields[1]) == postmaster:
            ticks += own
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
