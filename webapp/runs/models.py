"""Runs, their series, pictures and log. Status changes happen in `webapp.runs.services` alone."""

import json
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from engine.pictures import Picture
from webapp.runs import table_models  # noqa: F401 (its models belong to this app)


class Status(models.TextChoices):
    """What a run is doing.

    A run moves queued → running → an end, or back to queued where its worker is lost. Pausing takes
    a queued or running run to paused; resuming takes it, or an end with a checkpoint, to queued.
    The database refuses every other change (migration `0007_status_moves`).
    """

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    FINISHED = "finished", "Finished"
    CANCELLED = "cancelled", "Cancelled"
    FAILED = "failed", "Failed"
    OUT_OF_BUDGET = "out_of_budget", "Out of budget"


class Priority(models.IntegerChoices):
    """Where a waiting run stands before all else; an admin's hand puts it first or last."""

    LAST = 0, "Last"
    LOW = 1, "Low"
    NORMAL = 2, "Normal"
    HIGH = 3, "High"
    FIRST = 4, "First"


ENDS = (Status.FINISHED, Status.CANCELLED, Status.FAILED, Status.OUT_OF_BUDGET)


class Run(models.Model):
    """One estimator, one seed, one point of the sweep."""

    experiment = models.ForeignKey(
        "experiments.Experiment", on_delete=models.CASCADE, related_name="runs"
    )
    number = models.PositiveIntegerField(help_text="Index within the experiment, from 0.")
    label = models.CharField(max_length=400)
    name = models.CharField(
        max_length=200, blank=True, default="", help_text="What people call it; else its label."
    )
    configuration = models.CharField(
        max_length=64, help_text="Digest of the spec without seed and name."
    )
    estimator = models.CharField(max_length=40)
    seed = models.PositiveIntegerField()
    sweep = models.JSONField(default=dict, blank=True)
    spec = models.JSONField()
    colour = models.PositiveIntegerField(help_text="One per configuration, kept for ever.")
    queue = models.CharField(max_length=10, default="cpu")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The experiment's, here for the index of the line; null only before 0.6.",
    )
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.NORMAL)
    stands_at = models.DateTimeField(
        default=timezone.now, help_text="Its place among its owner's runs of the same priority."
    )
    needs_bytes = models.BigIntegerField(
        null=True, blank=True, help_text="Peak memory by the forecast; null where none is known."
    )
    forecast_given_up = models.BooleanField(
        default=False, help_text="Whether nobody can say what it needs: it waits for no forecast."
    )
    expected_seconds = models.FloatField(
        null=True, blank=True, help_text="By the forecast at the launch; null where unknown."
    )
    claimed_at = models.DateTimeField(
        null=True, blank=True, help_text="When its newest attempt began."
    )
    spread = models.BooleanField(
        default=True, help_text="Whether idle workers may evaluate parts of its populations."
    )

    status = models.CharField(max_length=20, choices=Status.choices, default=Status.QUEUED)
    attempt = models.PositiveIntegerField(default=0)
    times_lost = models.PositiveIntegerField(
        default=0, help_text="How often a worker vanished while it held this run."
    )
    worker = models.CharField(max_length=200, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    cancel_requested = models.BooleanField(default=False)
    pause_requested = models.BooleanField(default=False)
    checkpoint_step = models.PositiveIntegerField(
        null=True, blank=True, help_text="Outer steps of the newest checkpoint; none if null."
    )
    resumes = models.JSONField(
        default=list,
        blank=True,
        help_text="Where attempts went on: [attempt, outer step] each, in order.",
    )

    step = models.PositiveIntegerField(default=0, help_text="Outer steps finished.")
    total_steps = models.PositiveIntegerField()
    sequence = models.PositiveIntegerField(default=0, help_text="Points committed.")
    picture_changes = models.PositiveIntegerField(
        default=0, help_text="Rises whenever the run's pictures are others than before."
    )
    archived_at = models.DateTimeField(
        null=True, blank=True, help_text="When somebody put it away: the table leaves it out."
    )
    error = models.TextField(blank=True, default="")
    summary = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    idle_since = models.DateTimeField(
        null=True, blank=True, help_text="When the last attempt ended, whatever ended it."
    )
    idle_time = models.DurationField(
        default=timedelta, help_text="Between the attempts so far: no worker had it."
    )

    notes = models.TextField(blank=True, default="", help_text="What people write of it, Markdown.")
    notes_version = models.PositiveIntegerField(
        default=0, help_text="How often the notes were written: who edits an older one is told."
    )

    class Meta:
        ordering = ("-created_at", "-pk")
        constraints = (
            models.UniqueConstraint(fields=["experiment", "number"], name="run_number_once"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="run_status_known"),
            models.CheckConstraint(
                condition=Q(status__in=ENDS, finished_at__isnull=False)
                | (~Q(status__in=ENDS) & Q(finished_at__isnull=True)),
                name="run_finished_at_iff_ended",
            ),
            models.CheckConstraint(
                condition=Q(status=Status.RUNNING, lease_until__isnull=False, attempt__gte=1)
                | (~Q(status=Status.RUNNING) & Q(lease_until__isnull=True)),
                name="run_lease_iff_running",
            ),
            models.CheckConstraint(
                condition=Q(step__lte=F("total_steps")), name="run_step_within_total"
            ),
            models.CheckConstraint(
                condition=Q(sequence__lte=F("total_steps")), name="run_sequence_within_total"
            ),
            models.CheckConstraint(
                condition=Q(pause_requested=False) | Q(status=Status.RUNNING),
                name="run_pause_asked_only_of_running",
            ),
            models.CheckConstraint(
                condition=Q(checkpoint_step__isnull=True) | Q(checkpoint_step__lte=F("step")),
                name="run_checkpoint_within_step",
            ),
        )
        indexes = (
            models.Index(fields=["-created_at", "-id"], name="run_newest"),
            models.Index(
                fields=["-created_at", "-id"],
                name="run_newest_at_hand",
                condition=Q(archived_at=None),
            ),
            models.Index(fields=["status", "-created_at"], name="run_by_status"),
            models.Index(fields=["estimator", "-created_at"], name="run_by_estimator"),
            models.Index(
                fields=["configuration", "id"], include=["archived_at"], name="run_configuration"
            ),
            models.Index(
                fields=["lease_until"], name="run_leases", condition=Q(status=Status.RUNNING)
            ),
            models.Index(
                fields=["queue", "owner", "-priority", "stands_at", "id"],
                include=["needs_bytes", "forecast_given_up", "expected_seconds", "sequence"],
                name="run_in_line",
                condition=Q(status=Status.QUEUED),
            ),
        )

    def __str__(self) -> str:
        return f"Run {self.pk}: {self.label}"

    @property
    def title(self) -> str:
        return self.name or self.label

    @property
    def last_step(self) -> int:
        """The outer step of the last point; −1 where there is none."""
        return self.sequence - 1

    @property
    def status_words(self) -> str:
        """What it is doing, and what it will do after its outer step because somebody asked."""
        if self.status == Status.RUNNING and self.cancel_requested:
            return "cancelling"
        return "pausing" if self.pause_requested else self.get_status_display().lower()

    @property
    def has_ended(self) -> bool:
        return self.status in ENDS

    def seconds_worked(self, now: datetime) -> float | None:
        """Seconds in which a worker had the run, until `now` at most; None before it began."""
        if self.started_at is None:
            return None
        until = self.idle_since or self.finished_at or now
        return max(0.0, (until - self.started_at - self.idle_time).total_seconds())

    @property
    def figures(self) -> dict[str, float | None]:
        """The summary as numbers: JSON keeps non-finite ones as "nan", "inf" and "-inf"."""
        return {
            name: None if value is None else float(value) for name, value in self.summary.items()
        }


class SeriesChunk(models.Model):
    """Points `first_sequence` to `last_sequence` of one series, as one flush committed them.

    A series that was not measured at every outer step has fewer entries than the range has points.
    The point with sequence n is that of outer step n − 1.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="chunks")
    attempt = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    first_sequence = models.PositiveIntegerField()
    last_sequence = models.PositiveIntegerField()
    steps = models.BinaryField(help_text="Little-endian int64, one outer step an entry.")
    values = models.BinaryField(help_text="Little-endian float64, one value an entry.")
    rollup = models.BinaryField(
        null=True, help_text="Cells of `webapp.runs.rollups`; none where they would save little."
    )

    class Meta:
        ordering = ("run_id", "name", "first_sequence")
        constraints = (
            models.UniqueConstraint(
                fields=["run", "name", "first_sequence"], name="chunk_start_once"
            ),
            models.CheckConstraint(
                condition=Q(first_sequence__gte=1) & Q(last_sequence__gte=F("first_sequence")),
                name="chunk_range_ordered",
            ),
        )
        indexes = (models.Index(fields=["run", "last_sequence"], name="chunk_after"),)

    def __str__(self) -> str:
        return f"{self.name} of run {self.run_id}, {self.first_sequence}–{self.last_sequence}"


class RunPicture(models.Model):
    """What a run showed of itself after `step` outer steps. A row is never changed into another
    picture: one that replaces it has a key of its own, so that a key may be cached for ever."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="pictures")
    attempt = models.PositiveIntegerField()
    step = models.PositiveIntegerField()
    name = models.CharField(max_length=100)
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=20)
    drawing = models.TextField(help_text="JSON of the drawing, as the command line writes it.")
    size = models.PositiveIntegerField(help_text="Bytes of the drawing.")
    left_out = models.PositiveIntegerField(
        default=0, help_text="Pictures of this name thinned out between this one and the last."
    )

    class Meta:
        ordering = ("run_id", "name", "step")
        constraints = (
            models.UniqueConstraint(fields=["run", "name", "step"], name="picture_once_a_step"),
        )

    def __str__(self) -> str:
        return f"{self.name} of run {self.run_id} at step {self.step}"

    @property
    def picture(self) -> Picture:
        return Picture.model_validate(
            {"name": self.name, "title": self.title, "drawing": json.loads(self.drawing)}
        )


class RunEvent(models.Model):
    """A sentence of a run's log, or what happened to the run."""

    class Kind(models.TextChoices):
        LOG = "log", "Log"
        STATE = "state", "Event"

    class Level(models.TextChoices):
        INFO = "info", "Info"
        WARNING = "warning", "Warning"
        ERROR = "error", "Error"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="events")
    attempt = models.PositiveIntegerField()
    step = models.PositiveIntegerField()
    kind = models.CharField(
        max_length=10,
        choices=Kind.choices,
        default=Kind.LOG,
        help_text="What the run said itself, or what the lab did with it.",
    )
    level = models.CharField(max_length=10, choices=Level.choices, default=Level.INFO)
    message = models.TextField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("at", "pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(level__in=["info", "warning", "error"]), name="event_level_known"
            ),
            models.CheckConstraint(condition=Q(kind__in=["log", "state"]), name="event_kind_known"),
        )
        indexes = (models.Index(fields=["run", "at"], name="event_of_run"),)

    def __str__(self) -> str:
        return f"Run {self.run_id}, step {self.step}: {self.message}"
