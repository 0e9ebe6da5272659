"""The page of how good forecasts have been, its figures, and the note to admins."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tests.webapp.factories import launched, person
from webapp.accounts.models import User
from webapp.forecasts import figures
from webapp.forecasts.accuracy import accuracy, by_worker_and_estimator, newest, pairs
from webapp.forecasts.drift import drifts
from webapp.forecasts.models import Prediction
from webapp.runs.models import Run

pytestmark = pytest.mark.django_db


def compared(
    owner: User,
    times: list[tuple[float, float]],
    memory: list[tuple[int, int]] | None = None,
    worker: str = "cpu@host",
) -> list[Prediction]:
    """Finished runs of as many configurations: (predicted, measured) seconds and bytes. The
    intervals reach from half to twice what is predicted."""
    memory = memory or [(1000, 1000)] * len(times)
    experiment = launched(
        owner, estimators=[{"kind": "unrolled"}], seeds=[0],
        sweep={"inner.steps": list(range(10, 10 + len(times)))},
    )  # fmt: skip
    now = timezone.now()
    rows = [
        Prediction(
            run=run,
            configuration=run.configuration,
            inner_task="quadratic",
            estimator=run.estimator,
            worker=worker,
            device="cpu",
            code_version="test",
            how="traced",
            peak_bytes=bytes_[0],
            rated_seconds=seconds[0],
            seconds=seconds[0],
            seconds_low=seconds[0] / 2,
            seconds_high=2 * seconds[0],
            predicted_at=now,
            measured_peak_bytes=bytes_[1],
            measured_seconds=seconds[1],
            measured_at=now + timedelta(seconds=run.number),
        )
        for run, seconds, bytes_ in zip(
            experiment.runs.order_by("number"), times, memory, strict=True
        )
    ]
    return Prediction.objects.bulk_create(rows)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_shares_and_medians_are_those_of_the_runs() -> None:
    compared(
        person("ada"),
        times=[(1.0, 1.0), (1.0, 1.4), (1.0, 1.8), (1.0, 3.0)],
        memory=[(1000, 1000), (1050, 1000), (1200, 1000), (800, 1000)],
    )
    found = accuracy(newest())
    assert found.runs == 4
    assert (found.memory_within, found.time_within, found.intervals_held) == (0.5, 0.5, 0.75)
    assert found.time_ratio == pytest.approx(1.6)
    assert found.memory_ratio == pytest.approx((1000 / 1050 + 1.0) / 2)
    [group] = by_worker_and_estimator(newest())
    assert (group.worker, group.estimator, group.accuracy) == ("cpu@host", "unrolled", found)


def test_what_was_not_measured_is_in_no_figure() -> None:
    rows = compared(person("ada"), times=[(1.0, 1.0), (1.0, 2.0)])
    Prediction.objects.filter(pk=rows[0].pk).update(measured_peak_bytes=None)
    Prediction.objects.filter(pk=rows[1].pk).update(measured_at=None, measured_seconds=None)
    assert pairs(newest(), "memory") == []
    assert [pair.measured for pair in pairs(newest(), "time")] == [1.0]
    found = accuracy(newest())
    assert (found.runs, found.memory_within, found.time_within) == (1, None, 1.0)


@given(ratios=st.lists(st.floats(0.001, 1000.0), min_size=1, max_size=30))
@pytest.mark.parametrize("quantity", ["memory", "time"])
def test_every_run_is_in_one_bar_and_on_the_axes(quantity: str, ratios: list[float]) -> None:
    runs = [
        Prediction(
            run=Run(pk=index + 1, label=f"run {index}"),
            estimator="unrolled",
            seconds=1000.0,
            seconds_low=900.0,
            seconds_high=1100.0,
            measured_seconds=1000.0 * ratio,
            peak_bytes=10_000,
            measured_peak_bytes=round(10_000 * ratio),
        )
        for index, ratio in enumerate(ratios)
    ]
    found = pairs(runs, quantity)
    [bars] = figures.errors(found, quantity)["plotly"]["data"]
    assert sum(bars["y"]) == len(found) == len(ratios)
    drawn = figures.scatter(found, quantity)
    points = drawn["plotly"]["data"][-1]
    low, high = (10.0**end for end in drawn["plotly"]["layout"]["xaxis"]["range"])
    assert all(low < value < high for value in (*points["x"], *points["y"]))


def test_the_figures_link_to_the_runs() -> None:
    ada = person("ada")
    rows = compared(ada, times=[(1.0, 1.1), (2.0, 2.0)])
    drawn = signed_in(ada).get("/forecasts/charts").json()
    assert set(drawn) == {
        f"{q}-{kind}" for q in ("memory", "time") for kind in ("scatter", "errors")
    }
    points = drawn["time-scatter"]["plotly"]["data"][-1]
    assert {data[0] for data in points["customdata"]} == {f"/runs/{row.run_id}/" for row in rows}
    assert "2 of them within a factor of 1.5" in drawn["time-scatter"]["text_summary"]


def test_the_page_says_how_good_they_were(django_assert_num_queries) -> None:
    ada = person("ada")
    rows = compared(ada, times=[(1.0, 1.1)] * 20)
    client = signed_in(ada)
    # Session and user, then the newest runs and the machines.
    with django_assert_num_queries(4):
        page = client.get("/forecasts/").content.decode()
    assert f"/runs/{rows[-1].run_id}" in page
    assert "100.0 %" in page


def test_without_a_finished_run_it_says_so() -> None:
    client = signed_in(person("ada"))
    assert "Nothing to compare yet" in client.get("/forecasts/").content.decode()
    assert client.get("/forecasts/charts").json() == {}


def test_strangers_see_neither() -> None:
    for address in ("/forecasts/", "/forecasts/charts"):
        assert Client().get(address).status_code == 302


def test_one_miss_in_ten_is_no_drift_and_most_of_them_are() -> None:
    ada = person("ada")
    compared(ada, times=[(1.0, 1.0)] * 18 + [(1.0, 5.0)] * 2)
    assert drifts() == []
    compared(ada, times=[(1.0, 1.0)] * 13 + [(1.0, 5.0)] * 7, worker="slow@host")
    [found] = drifts()
    assert (found.worker, found.quantity, found.missed, found.of) == ("slow@host", "time", 7, 20)
    assert "7 of the last 20 configurations on slow@host" in found.sentence


def test_memory_drifts_by_a_tenth_and_64_megabytes() -> None:
    ada = person("ada")
    little = [(10_000_000, 20_000_000)] * 10
    compared(ada, times=[(1.0, 1.0)] * 10, memory=little)
    assert drifts() == []
    much = [(100_000_000, 200_000_000)] * 10
    compared(ada, times=[(1.0, 1.0)] * 10, memory=much, worker="other@host")
    assert [(found.worker, found.quantity) for found in drifts()] == [("other@host", "memory")]


def test_a_configuration_counts_once_and_the_newest_ones_count() -> None:
    rows = compared(person("ada"), times=[(1.0, 5.0)] * 10 + [(1.0, 1.0)] * 20)
    assert drifts() == [], "the ten that missed are older than the twenty that did not"
    same = rows[-1].configuration
    Prediction.objects.filter(measured_seconds=5.0).update(
        configuration=same, measured_at=timezone.now() + timedelta(hours=1)
    )
    assert drifts() == []


def test_admins_are_told_of_it_on_both_pages() -> None:
    ada, root = person("ada"), person("root", role=User.Role.ADMIN)
    compared(ada, times=[(1.0, 5.0)] * 10)
    for address in ("/forecasts/", "/queue/"):
        assert "Forecasts drift." in signed_in(root).get(address).content.decode()
        assert "Forecasts drift." not in signed_in(ada).get(address).content.decode()
    assert 'href="/forecasts/"' in signed_in(ada).get("/queue/").content.decode()
