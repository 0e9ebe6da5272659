"""An experiment as the lab keeps it: the validated spec, who launched it, and what it came from."""

import json
from typing import Any

from django.conf import settings
from django.db import models

from webapp.questions import Question


class Experiment(models.Model):
    """A comparison that somebody launched. Its runs are `experiment.runs`."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="experiments"
    )
    name = models.CharField(max_length=200)
    spec = models.JSONField(help_text="The whole spec with every default written out.")
    preset = models.CharField(
        max_length=100, blank=True, default="", help_text="Slug of the preset it started from."
    )
    parent = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="children"
    )
    code_version = models.CharField(max_length=100, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at", "-pk")
        indexes = (
            models.Index(fields=["-created_at", "-id"], name="experiment_newest"),
            models.Index(fields=["owner", "-created_at"], name="experiment_of_owner"),
        )

    def __str__(self) -> str:
        return self.name


class Preflight(Question):
    """What a worker said of one estimator of a draft: whether it can run, and if not, the cure.

    Asked for by the builder, answered once, shared by every draft that agrees in what matters.
    """

    spec = models.JSONField(help_text="A spec with one estimator and one seed.")
    obstacles = models.JSONField(default=list, help_text="As `engine.obstacle.Obstacle` says it.")


class SavedDraft(models.Model):
    """What a form of the builder held when it was last touched, right or wrong."""

    key = models.CharField(max_length=16, primary_key=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts"
    )
    content = models.TextField(
        help_text="JSON in ASCII: Postgres' own takes no U+0000, and a form may hold anything."
    )
    source = models.CharField(max_length=20, blank=True, default="")
    source_key = models.CharField(max_length=100, blank=True, default="")
    writer = models.CharField(max_length=16, help_text="The open form that wrote it last.")
    edit = models.PositiveBigIntegerField(help_text="Which of the writer's changes it holds.")
    saved_at = models.DateTimeField()
    discarded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-saved_at",)
        indexes = (models.Index(fields=["owner", "-saved_at"], name="draft_newest"),)

    def __str__(self) -> str:
        return self.key

    @property
    def stamp(self) -> str:
        """Names this very state: a form that has seen it may overwrite it."""
        return f"{self.writer}.{self.edit}"

    @property
    def document(self) -> Any:
        """What the form held: plain values, not always an experiment."""
        return json.loads(self.content)["document"]

    @property
    def yaml(self) -> str:
        """Text of the YAML tab that the form had not taken up."""
        return json.loads(self.content)["yaml"]

    @property
    def commented(self) -> str:
        """The text of the YAML tab, where there are comments in it."""
        return json.loads(self.content).get("commented", "")

    @property
    def name(self) -> str:
        name = self.document.get("name") if isinstance(self.document, dict) else None
        return name if isinstance(name, str) and name.strip() else "without a name"
