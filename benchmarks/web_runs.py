"""Server time of the table of runs, with many runs in Postgres.

    python -m benchmarks.web_runs [--runs 100000] [--rounds 7]

Starts a Postgres and a broker of its own in a temporary folder, makes the runs (as those of the
presets and their sweeps, five seeds each) and asks for pages as a browser does, without a network.
Prints the median and the slowest of the rounds after a first one, with the number of queries.
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
    "sorted by a field of the spec": "columns=run,inner.steps&sort=inner.steps",
    "page 400": "page=400",
    "grouped by configuration": "group=configuration",
    "grouped, filtered and sorted": "group=configuration&q=estimator:truncated&sort=meta_loss",
}


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
            print(f"{name:32}", measured(query, options.rounds), flush=True)
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
    make(people, count)
    with connection.cursor() as cursor:
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


def figures(draw: random.Random) -> dict[str, float]:
    loss = math.exp(draw.gauss(0, 1))
    names = ("variance_relative", "step_seconds", "gradient_norm", "bias", "variance",
             "oracle_norm", "seconds", "probe_seconds", "theta.learning_rate", "inner_steps",
             "test_loss", "clipped", "bias_relative_low", "bias_relative_high")  # fmt: skip
    return {
        "meta_loss": loss,
        "best_meta_loss": 0.9 * loss,
        "bias_relative": draw.random() ** 2,
        "cosine": 2 * draw.random() - 1,
        "peak_bytes": 1e6 * draw.random(),
        "test_accuracy": draw.random(),
        **{name: draw.random() for name in names},
    }


def measured(query: str, rounds: int) -> str:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from webapp.accounts.models import User

    client = Client()
    client.force_login(User.objects.get(username="ada"))
    seconds = []
    for _ in range(rounds + 1):
        with CaptureQueriesContext(connection) as queries:
            started = time.perf_counter()
            answer = client.get(f"/runs/?{query}")
            seconds.append(time.perf_counter() - started)
        assert answer.status_code == 200, answer.content[:500]
    slow = max(queries.captured_queries, key=lambda one: float(one["time"]))
    return (
        f"{1000 * median(seconds[1:]):6.0f} ms, at most {1000 * max(seconds[1:]):.0f} ms; "
        f"{len(queries)} queries, the slowest {1000 * float(slow['time']):.0f} ms"
    )


if __name__ == "__main__":
    main()
