"""How fast the workers' machines are, how predictions have stood to what runs then took, and what
was said of drafts and launches."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from engine.forecast import Rates
from webapp.questions import Question

UNDONE = timedelta(seconds=5)
"""A forecast that has not grown for so long was left undone for another one."""


class MachineRates(models.Model):
    """How fast the machine of one worker computes, as the worker measured it at its start."""

    worker = models.CharField(max_length=200, unique=True)
    device = models.CharField(max_length=10, help_text="cpu or cuda.")
    description = models.CharField(max_length=200, help_text="The device in words.")
    operation_seconds = models.FloatField()
    flops_per_second = models.FloatField()
    double_flops_per_second = models.FloatField()
    bytes_per_second = models.FloatField()
    measured_at = models.DateTimeField()

    class Meta:
        ordering = ("worker",)
        constraints = (
            models.CheckConstraint(
                condition=Q(device__in=["cpu", "cuda"]), name="machine_rates_device_known"
            ),
        )

    def __str__(self) -> str:
        return f"rates of {self.worker}"

    @property
    def rates(self) -> Rates:
        return Rates(**{name: getattr(self, name) for name in Rates.model_fields})

    @property
    def gigaflops(self) -> float:
        return self.flops_per_second / 1e9

    @property
    def double_gigaflops(self) -> float:
        return self.double_flops_per_second / 1e9

    @property
    def gigabytes(self) -> float:
        """A second."""
        return self.bytes_per_second / 1e9


class Prediction(models.Model):
    """What one run is said to take, asked when a worker takes it, and what it then took.

    The measured figures are absent until the run has finished, and stay so where it ended
    otherwise or was interrupted. Seconds are those of estimates and probes; bytes, the peak of one
    estimate.
    """

    run = models.OneToOneField("runs.Run", on_delete=models.CASCADE, related_name="prediction")
    configuration = models.CharField(max_length=64)
    inner_task = models.CharField(max_length=100)
    estimator = models.CharField(max_length=40)
    worker = models.CharField(max_length=200, help_text="Whose machine it is for.")
    device = models.CharField(max_length=10)
    code_version = models.CharField(max_length=100)

    how = models.CharField(max_length=10, blank=True, default="", help_text="traced or measured.")
    counting = models.PositiveSmallIntegerField(
        default=1,
        help_text="Which way of counting work it is of; only the present one is learned from.",
    )
    peak_bytes = models.BigIntegerField(null=True)
    rated_seconds = models.FloatField(null=True, help_text="By the machine's rates alone.")
    seconds = models.FloatField(null=True, help_text="Corrected by the runs before it.")
    seconds_low = models.FloatField(null=True)
    seconds_high = models.FloatField(null=True)
    predicted_at = models.DateTimeField(null=True)

    measured_peak_bytes = models.BigIntegerField(null=True, help_text="Where a probe measured it.")
    measured_seconds = models.FloatField(null=True)
    measured_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-measured_at", "-pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(measured_seconds=None) | Q(measured_at__isnull=False),
                name="prediction_measured_at_a_time",
            ),
        )
        indexes = (
            models.Index(
                fields=["-measured_at"],
                name="prediction_newest",
                condition=Q(measured_at__isnull=False),
            ),
            models.Index(
                fields=["worker", "-measured_at"],
                name="prediction_of_worker",
                condition=Q(measured_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"prediction of run {self.run_id}"


class Forecast(Question):
    """What the forecast worker said of a draft: memory, time, whether it fits, and what would."""

    believed = timedelta(minutes=1)
    """Then it is asked again, in milliseconds: corrections of time may have been learned since."""
    kept_fields = ("answer", "error", "complete")

    draft = models.CharField(
        max_length=32, blank=True, default="", help_text="The open form that asked last."
    )
    looked_at = models.DateTimeField(
        null=True, help_text="When that form last looked; nothing where no form asked."
    )
    answer = models.JSONField(null=True, help_text="As `webapp.forecasts.answers.Answer` says it.")
    complete = models.BooleanField(
        default=False, help_text="False while fixes and advice are still on their way."
    )
    error = models.TextField(blank=True, default="", help_text="Why there is no answer.")

    class Meta:
        indexes = (models.Index(fields=["draft", "asked_at"], name="forecast_of_draft"),)

    def must_be_asked_again(self, now: datetime) -> bool:
        """An answer of which the rest was left undone, too."""
        left = bool(self.answered_at) and not self.complete
        given_up = left and now - self.answered_at > UNDONE
        return given_up or super().must_be_asked_again(now)


class LaunchForecast(models.Model):
    """What had been said of an experiment when it was launched."""

    experiment = models.OneToOneField(
        "experiments.Experiment", on_delete=models.CASCADE, related_name="forecast"
    )
    answer = models.JSONField(help_text="As `webapp.forecasts.answers.Answer` says it.")
    insisted = models.BooleanField(
        default=False, help_text="Whether its owner launched what was said not to fit."
    )

    def __str__(self) -> str:
        return f"forecast of experiment {self.experiment_id}"
