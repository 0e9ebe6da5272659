"""`python -m engine run`: an experiment into a folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from engine import checkpoints
from engine.events import Checkpoint, Event, Finished, Note, Pictured, Point, Started
from engine.plain import plain, to_json
from engine.preflight import refuse_what_cannot_run
from engine.runner import run
from engine.spec import FieldError, SpecError, expand, read_file, read_text, to_yaml


def run_to_folder(spec_path: Path, folder: Path, *, resume: bool) -> int:
    """Write spec.yaml, events.jsonl, summary.json, pictures/ and checkpoints/ into `folder`.

    Returns 1 if a run failed, else 0. Raises `SpecError` for a bad spec, for one with an estimator
    that preflight refuses, or where `resume` finds another experiment's results in `folder`.
    """
    experiment = read_file(spec_path)
    refuse_what_cannot_run(experiment)
    folder.mkdir(parents=True, exist_ok=True)
    kept_spec, events_path = folder / "spec.yaml", folder / "events.jsonl"
    start = None
    finished: list[dict] = []
    if resume and kept_spec.exists():
        if read_text(kept_spec.read_text(encoding="utf-8")) != experiment:
            message = f"{folder} holds the results of another spec; choose another --out"
            raise SpecError([FieldError("", str(spec_path), message)])
        start = _newest_checkpoint(folder)
        finished = _rewind(events_path, start)
    else:
        events_path.unlink(missing_ok=True)
        for old in (folder / "checkpoints").glob("run-*.pt"):
            old.unlink()
    kept_spec.write_text(to_yaml(experiment), encoding="utf-8")

    runs = expand(experiment)
    total = sum(planned.spec.outer.steps for planned in runs)
    with (
        events_path.open("a", encoding="utf-8") as log,
        tqdm(total=total, unit="step", disable=None, dynamic_ncols=True) as bar,
    ):
        bar.update(sum(item["step"] for item in finished))
        for event in run(experiment, start):
            if isinstance(event, Finished):
                finished.append(plain(event))
            _keep(event, folder, log)
            _show(event, bar, len(runs))
    labels = {planned.index: planned for planned in runs}
    summary = [
        {"label": labels[item["run"]].label, "seed": labels[item["run"]].seed, **item}
        for item in finished
    ]
    text = to_json({"name": experiment.name, "runs": summary}, indent=2)
    (folder / "summary.json").write_text(text + "\n", encoding="utf-8")
    failed = [item for item in summary if item["status"] == "failed"]
    for item in failed:
        print(f"{item['label']}, seed {item['seed']}: {item['reason']}", file=sys.stderr)
    return 1 if failed else 0


def _keep(event: Event, folder: Path, log: TextIO) -> None:
    if isinstance(event, Checkpoint):
        checkpoints.save(folder / "checkpoints" / f"run-{event.run}.pt", event)
        return
    if isinstance(event, Pictured):
        path = folder / "pictures" / f"run-{event.run}-{event.picture.name}-{event.step}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(event.picture.model_dump_json(), encoding="utf-8")
        return
    log.write(to_json({"type": type(event).__name__.lower(), **plain(event)}) + "\n")
    log.flush()


def _show(event: Event, bar: tqdm, runs: int) -> None:
    match event:
        case Started():
            bar.set_description(f"run {event.run + 1} of {runs}: {event.label}, seed {event.seed}")
            bar.update(event.resumed_from)
        case Point():
            bar.set_postfix_str(f"meta-loss {event.values['meta_loss']:.4g}", refresh=False)
            bar.update()
        case Note():
            bar.write(f"{event.level}: {event.message}", file=sys.stderr)


def _newest_checkpoint(folder: Path) -> Checkpoint | None:
    found = [checkpoints.load(path) for path in (folder / "checkpoints").glob("run-*.pt")]
    return max(found, key=lambda checkpoint: checkpoint.run, default=None)


def _rewind(events_path: Path, start: Checkpoint | None) -> list[dict]:
    """Drop what `start` will say again; returns the `Finished` events of the runs before it."""
    kept, finished = [], []
    for line in events_path.read_text(encoding="utf-8").splitlines() if start else []:
        event = json.loads(line)
        is_later = event["run"] > start.run or (
            event["run"] == start.run
            and (event["type"] == "finished" or event.get("step", 0) >= start.step)
        )
        if not is_later:
            kept.append(line)
            if event["type"] == "finished":
                finished.append({name: item for name, item in event.items() if name != "type"})
    events_path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
    return finished
