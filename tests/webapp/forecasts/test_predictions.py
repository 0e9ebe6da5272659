"""What runs were said to take beside what they took, and what is learned from it."""

import math

import numpy as np
import pytest
from django.utils import timezone

from engine.events import Point
from engine.forecast import Calibration, EstimatorForecast, Machine, Rates, Work
from engine.forecast.corrections import group_of
from engine.forecast.records import COUNTING, Group
from engine.forecast.seconds import with_time
from engine.spec import validate
from tests.webapp.factories import claimed, first_run, launched, person
from webapp.forecasts import calibrations, predictions
from webapp.forecasts.calibrating import calibrate
from webapp.forecasts.calibrations import calibration_of, keep_rates
from webapp.forecasts.models import MachineRates, Prediction
from webapp.runs import services
from webapp.runs.execution import execute
from webapp.runs.models import Run, Status
from webapp.workers import pulse

pytestmark = pytest.mark.django_db

RATES = Rates(
    operation_seconds=1e-5,
    flops_per_second=1e11,
    double_flops_per_second=5e10,
    bytes_per_second=1e10,
)
CPU = pulse.Machine(device="2 CPU cores, x86_64", has_gpu=False, memory_bytes=8 * 2**30)
MACHINE = Machine(name="worker@test", device="cpu", memory_bytes=4 * 2**30)


def taken(run: Run, worker: str = MACHINE.name) -> Run:
    """`run`, taken by a worker that lives."""
    pulse.report(name=worker, queues=["cpu"], slots=2, machine=CPU)
    run = claimed(run, worker=worker)
    predictions.ask(run)
    return run


def group_in(run: Run) -> Group:
    """As a forecast of the same spec has it."""
    return group_of(validate(run.spec).inner_task.model_dump(mode="json"), run.estimator)


def said_of(run: Run, *, operations: float = 1e5, peak_bytes: int = 1000) -> Prediction:
    """The prediction of a run whose work is `operations` calls: a second for 1e5 of them."""
    calibration = calibration_of(MACHINE)
    experiment = validate(run.spec)
    counted = EstimatorForecast(
        spec=run.spec["estimators"][0],
        label=run.label,
        peak_bytes=peak_bytes,
        parts={"graph": peak_bytes},
        resident_bytes=0,
        probe_bytes=0,
        run_bytes=peak_bytes,
        estimate=Work(operations=operations / experiment.outer.steps),
        run=Work(operations=operations),
        probes=Work(),
    )
    [found] = with_time([counted], experiment, calibration)
    predictions.keep(run.pk, experiment, calibration, found)
    return Prediction.objects.get(run=run)


def went(run: Run, *, seconds: float, capture, status: str = Status.FINISHED) -> None:
    """Finish `run` after one point; half of its time went into a probe."""
    values = {
        "meta_loss": 1.0,
        "seconds": seconds / 2,
        "probe_seconds": seconds / 2,
        "peak_bytes": 1234.0,
    }
    with capture(execute=True):
        point = Point(run=0, step=0, values=values)
        services.record_points(run_id=run.pk, attempt=run.attempt, points=[point])
        services.finish(run_id=run.pk, attempt=run.attempt, status=status)


@pytest.fixture
def _rates() -> None:
    keep_rates(worker=MACHINE.name, device="cpu", description="a CPU", rates=RATES)


@pytest.mark.usefixtures("_rates")
@pytest.mark.parametrize("said_first", [True, False])
def test_a_finished_run_stands_beside_its_prediction(
    said_first: bool, django_capture_on_commit_callbacks
) -> None:
    run = taken(first_run(person("ada")))
    if said_first:
        said_of(run)
    went(run, seconds=3.0, capture=django_capture_on_commit_callbacks)
    if not said_first:
        said_of(run)
    row = Prediction.objects.get(run=run)
    assert (row.inner_task, row.estimator, row.worker) == ("quadratic", "unrolled", "worker@test")
    assert row.seconds == row.rated_seconds == pytest.approx(1.0)
    assert row.seconds_low < 1.0 < row.seconds_high
    assert row.measured_seconds == pytest.approx(3.0)
    assert (row.peak_bytes, row.measured_peak_bytes) == (1000, 1234)
    assert row.measured_at is not None


@pytest.mark.usefixtures("_rates")
@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED, Status.OUT_OF_BUDGET])
def test_a_run_that_stopped_early_teaches_nothing(
    status: str, django_capture_on_commit_callbacks
) -> None:
    run = taken(first_run(person("ada")))
    said_of(run)
    went(run, seconds=3.0, status=status, capture=django_capture_on_commit_callbacks)
    assert Prediction.objects.get(run=run).measured_at is None
    assert calibration_of(MACHINE).corrections == []


@pytest.mark.usefixtures("_rates")
def test_a_run_that_moved_to_another_machine_teaches_nothing(
    django_capture_on_commit_callbacks,
) -> None:
    run = taken(first_run(person("ada")))
    said_of(run)
    services.release(run_id=run.pk, attempt=run.attempt)
    again = taken(run, worker="other@test")
    went(again, seconds=3.0, capture=django_capture_on_commit_callbacks)
    assert Prediction.objects.get(run=run).measured_at is None


@pytest.mark.usefixtures("_rates")
def test_finished_runs_correct_the_next_prediction(django_capture_on_commit_callbacks) -> None:
    ada = person("ada")
    before = None
    for steps in (20, 21, 22, 23):
        run = taken(first_run(ada, outer={"steps": steps}))
        row = said_of(run)
        assert row.rated_seconds == pytest.approx(1.0)
        assert before is None or before < row.seconds < 3.0
        before = row.seconds
        went(run, seconds=3.0, capture=django_capture_on_commit_callbacks)
    [correction] = calibration_of(MACHINE).corrections
    assert (correction.group, correction.runs) == (group_in(run), 4)
    assert correction.log_ratio == pytest.approx(math.log(3.0))


@pytest.mark.usefixtures("_rates")
def test_runs_whose_work_was_counted_otherwise_teach_nothing(
    django_capture_on_commit_callbacks,
) -> None:
    run = taken(first_run(person("ada")))
    said_of(run)
    went(run, seconds=3.0, capture=django_capture_on_commit_callbacks)
    assert calibration_of(MACHINE).corrections
    Prediction.objects.update(counting=COUNTING - 1)
    assert calibration_of(MACHINE).corrections == []


@pytest.mark.usefixtures("_rates")
def test_seeds_of_a_configuration_count_as_one_run(django_capture_on_commit_callbacks) -> None:
    for run in launched(person("ada"), seeds=[0, 1, 2]).runs.filter(estimator="unrolled"):
        held = taken(run)
        said_of(held)
        went(held, seconds=2.0, capture=django_capture_on_commit_callbacks)
    assert Prediction.objects.count() == 3
    [correction] = calibration_of(MACHINE).corrections
    assert correction.runs == 1


@pytest.mark.usefixtures("_rates")
def test_a_new_machine_begins_with_what_others_learned(django_capture_on_commit_callbacks) -> None:
    run = taken(first_run(person("ada")))
    said_of(run)
    went(run, seconds=2.0, capture=django_capture_on_commit_callbacks)
    new = MACHINE.model_copy(update={"name": "new@test"})
    gpu = new.model_copy(update={"device": "cuda"})
    assert calibration_of(new).corrections == calibration_of(MACHINE).corrections
    assert calibration_of(gpu) == Calibration(machine=gpu)


def test_without_rates_memory_alone_is_predicted(django_capture_on_commit_callbacks) -> None:
    run = taken(first_run(person("ada")))
    row = said_of(run)
    assert (row.seconds, row.rated_seconds, row.peak_bytes) == (None, None, 1000)
    went(run, seconds=3.0, capture=django_capture_on_commit_callbacks)
    assert Prediction.objects.get(run=run).measured_seconds == pytest.approx(3.0)
    assert calibration_of(MACHINE).corrections == []


@pytest.mark.usefixtures("_rates")
def test_a_worker_measures_its_machine_where_what_is_known_is_old() -> None:
    MachineRates.objects.update(measured_at=timezone.now() - 2 * calibrations.FRESH)
    calibrate(worker=MACHINE.name, machine=CPU)
    row = MachineRates.objects.get()
    assert (row.device, row.description) == ("cpu", CPU.device)
    assert np.isfinite(list(row.rates.model_dump().values())).all()
    assert row.rates != RATES
    calibrate(worker=MACHINE.name, machine=CPU)
    assert MachineRates.objects.get().measured_at == row.measured_at


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_rates")
def test_a_run_is_forecast_by_the_engine_and_executed() -> None:
    run = first_run(person("ada"), outer={"steps": 4})
    pulse.report(name=MACHINE.name, queues=["cpu"], slots=2, machine=CPU)
    assert execute(run.pk, MACHINE.name)
    predictions.predict(run.pk)
    row = Prediction.objects.get(run=run)
    assert Run.objects.get(pk=run.pk).status == Status.FINISHED
    assert 0.9 < row.peak_bytes / row.measured_peak_bytes < 1.1
    assert row.seconds_low < row.seconds < row.seconds_high
    assert row.measured_seconds > 0
    [correction] = calibration_of(MACHINE).corrections
    assert (correction.group, correction.runs) == (group_in(run), 1)
    assert correction.log_ratio == pytest.approx(math.log(row.measured_seconds / row.rated_seconds))


def test_of_a_compiled_run_the_time_is_compared_but_nothing_is_learned() -> None:
    keep_rates(worker=MACHINE.name, device="cpu", description="a CPU", rates=RATES)
    run = taken(first_run(person("ada"), inner={"steps": 10, "program": "compiled"}))
    predictions.predict(run.pk)
    row = Prediction.objects.get(run=run)
    assert row.seconds_low < row.seconds < row.seconds_high
    assert row.rated_seconds is None, "what corrections are learned from"
