"""A thin client of the lab's HTTP API: one file to copy beside a notebook, which needs httpx alone.

    lab = Lab("https://lab.example.org", token)
    launched = lab.launch({"inner": {"steps": 40}, "meta_parameters": [{"kind": "learning_rate"}]})
    lab.wait(launched["id"])
    rows = lab.rows(launched["id"])

Answers are the JSON of the API as dicts; `docs/api.md` describes them. What the lab refuses raises
`LabError`, whose text names the field, what was given and what is allowed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from typing import Any

import httpx

ENDS = frozenset({"finished", "cancelled", "failed", "out_of_budget"})
Spec = dict[str, Any] | str
"""A spec as a dict, or as text in YAML."""


class LabError(Exception):
    """What the lab refused: its sentence, the `status`, and the refused fields in `errors`."""

    def __init__(self, answer: httpx.Response) -> None:
        known = answer.headers.get("content-type", "").startswith("application/problem+json")
        body = answer.json() if known else {}
        self.status = answer.status_code
        self.errors: list[dict[str, str]] = body.get("errors", [])
        lines = [f"{e['path']}: {e['message']} (given: {e['given']})" for e in self.errors]
        sentence = body.get("detail") or answer.reason_phrase
        super().__init__("\n".join(lines) or f"{self.status}: {sentence}")


class Lab:
    """The lab at `url`, for the person whose `token` it is. Use it from one thread."""

    def __init__(self, url: str, token: str, *, timeout: float = 60.0) -> None:
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout,
        )

    def me(self) -> dict[str, Any]:
        """Whose token this is, and what it allows."""
        return self._ask("GET", "/me")

    # -- experiments --
    def launch(self, spec: Spec, *, preset: str = "", insist: bool = False) -> dict[str, Any]:
        """Launch `spec`; the experiment, with its id and its runs."""
        return self._ask("POST", "/experiments", spec, preset=preset, insist=insist)

    def validate(self, spec: Spec) -> dict[str, Any]:
        """`spec` with every default written out, and how many runs it makes."""
        return self._ask("POST", "/experiments/validate", spec)

    def forecast(self, spec: Spec, *, seconds: float = 10.0) -> dict[str, Any]:
        """What `spec` will need; waits up to `seconds` for the answer."""
        return self._ask("POST", "/forecast", spec, seconds=seconds)

    def experiment(self, experiment_id: int) -> dict[str, Any]:
        return self._ask("GET", f"/experiments/{experiment_id}")

    def experiments(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """All experiments, newest first."""
        return self._walk("/experiments", "experiments", filters)

    def wait(
        self,
        experiment_id: int,
        *,
        every: float = 1.0,
        at_most: float = float("inf"),
        told: Callable[[dict[str, Any]], None] = lambda experiment: None,
    ) -> dict[str, Any]:
        """The experiment once all of its runs have ended; `TimeoutError` after `at_most` seconds.

        `told` is called with the experiment each time that it is looked at.
        """
        ends = time.monotonic() + at_most
        while True:
            experiment = self.experiment(experiment_id)
            told(experiment)
            if all(run["status"] in ENDS for run in experiment["runs"]):
                return experiment
            if time.monotonic() > ends:
                raise TimeoutError(f"experiment {experiment_id} still runs after {at_most:g} s")
            time.sleep(every)

    # -- runs --
    def runs(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """All runs that match, newest first: `runs(status="finished", owner="ada")`."""
        return self._walk("/runs", "runs", filters)

    def run(self, run_id: int) -> dict[str, Any]:
        return self._ask("GET", f"/runs/{run_id}")

    def cancel(self, run_id: int) -> dict[str, Any]:
        return self._ask("POST", f"/runs/{run_id}/cancel")

    def pause(self, run_id: int) -> dict[str, Any]:
        return self._ask("POST", f"/runs/{run_id}/pause")

    def resume(self, run_id: int, budget: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._ask("POST", f"/runs/{run_id}/resume", budget)

    def events(self, run_id: int, **filters: Any) -> Iterator[dict[str, Any]]:
        """The log of a run and what happened to it, oldest first."""
        return self._walk(f"/runs/{run_id}/events", "events", filters)

    # -- what was measured --
    def series(self, run_id: int) -> dict[str, tuple[list[int], list[float]]]:
        """Every point: series name to outer steps and values, as they were measured."""
        found: dict[str, tuple[list[int], list[float]]] = {}
        last, sequence, attempt = 0, 1, 1
        while last < sequence:
            part = self._ask("GET", f"/runs/{run_id}/series", after=last, attempt=attempt)
            for steps, values in found.values():
                # A run that was resumed meanwhile has written its tail anew.
                while steps and steps[-1] >= part["first"] - 1:
                    steps.pop(), values.pop()
            for name, (steps, values) in part["series"].items():
                own = found.setdefault(name, ([], []))
                own[0].extend(steps)
                own[1].extend(map(float, values))
            last, sequence, attempt = part["last"], part["sequence"], part["attempt"]
        return found

    def reduced(
        self, run_id: int, *metrics: str, buckets: int = 800, start: int = 0, end: int | None = None
    ) -> dict[str, Any]:
        """Long curves, of the outer steps from `start` up to before `end`, in few buckets that
        keep their extremes."""
        query = {"metric": metrics, "buckets": buckets, "from": start, "to": end}
        return self._ask("GET", f"/runs/{run_id}/series/reduced", **query)

    def rows(self, experiment_id: int, *metrics: str) -> list[dict[str, Any]]:
        """One row for each outer step of each run, for `pandas.DataFrame`.

        It has the run, its label, estimator and seed, what the sweep varies (by the last part of
        its path, where that is enough), the step, and each of `metrics` (all, if none) that was
        measured at that step.
        """
        rows = []
        for run in self.experiment(experiment_id)["runs"]:
            head = {"run": run["id"], **{k: run[k] for k in ("label", "estimator", "seed")}}
            head |= _short(run["sweep"], taken=head)
            by_step: dict[int, dict[str, Any]] = {}
            for name, (steps, values) in self.series(run["id"]).items():
                if metrics and name not in metrics:
                    continue
                for step, value in zip(steps, values, strict=True):
                    by_step.setdefault(step, {**head, "step": step})[name] = value
            rows += [by_step[step] for step in sorted(by_step)]
        return rows

    def compare(self, *run_ids: int) -> dict[str, Any]:
        """The summary table of these runs, what differs between them, and what it says."""
        return self._ask("GET", "/compare", runs=",".join(map(str, run_ids)))

    def figure(self, metric: str, *run_ids: int, kind: str = "pdf", **options: Any) -> bytes:
        """A chart as a file (`kind`: png, svg, pdf or csv), as the page draws it."""
        options |= {"metric": metric, "runs": ",".join(map(str, run_ids))}
        return self._send("GET", f"/export/figure.{kind}", None, options).content

    # -- how it is asked --
    def _ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        return self._send(method, path, body, query).json()

    def _send(self, method: str, path: str, body: Any, query: dict[str, Any]) -> httpx.Response:
        if isinstance(body, str):
            given: dict[str, Any] = {
                "content": body.encode(),
                "headers": {"Content-Type": "application/yaml"},
            }
        else:
            given = {"json": body} if body is not None else {}
        query = {name: value for name, value in query.items() if value is not None}
        answer = self._http.request(method, path, params=query, **given)
        if answer.status_code >= 400:
            raise LabError(answer)
        return answer

    def _walk(self, path: str, items: str, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
        cursor: dict[str, int] = {}
        while True:
            page = self._ask("GET", path, **query, **cursor)
            yield from page[items]
            if page["next"] is None:
                return
            cursor = {"cursor": page["next"]}


def _short(sweep: dict[str, Any], taken: Collection[str]) -> dict[str, Any]:
    """`sweep` by the last parts of its paths; by the whole path where that could be another's."""
    ends = [path.rpartition(".")[2] for path in sweep]
    return {
        end if ends.count(end) == 1 and end not in taken else path: value
        for (path, value), end in zip(sweep.items(), ends, strict=True)
    }
