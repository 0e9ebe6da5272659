"""What the table of runs keeps beside the runs: tags, saved views, columns, and the values of specs
and summaries that it sorts and searches by."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower

TAG_PATTERN = r"[\w.+#/-]+(?: [\w.+#/-]+)*"
LONGEST_TAG = 40


class Tag(models.Model):
    """A word that the lab's people put on runs; the whole lab shares it."""

    name = models.CharField(
        max_length=LONGEST_TAG, validators=[RegexValidator(rf"^{TAG_PATTERN}\Z")]
    )
    runs = models.ManyToManyField("runs.Run", related_name="tags")

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(Lower("name"), name="tag_name_once"),)

    def __str__(self) -> str:
        return self.name


class SavedView(models.Model):
    """An address of the table of runs under a name: its filters, columns, order and grouping."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views"
    )
    name = models.CharField(max_length=60)
    address = models.CharField(max_length=2000, help_text="The query of the address, without “?”.")
    shared = models.BooleanField(default=False, help_text="Whether the whole lab sees it.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name", "pk")
        constraints = (
            models.UniqueConstraint("owner", Lower("name"), name="saved_view_name_once"),
        )

    def __str__(self) -> str:
        return self.name


class TableColumns(models.Model):
    """The columns that a person last chose for the table of runs."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="table_columns"
    )
    names = models.JSONField(help_text="Names of columns, in their order.")

    def __str__(self) -> str:
        return f"columns of {self.user}"


class SpecValue(models.Model):
    """A value that some run's spec has had in a field: there are few, so they are quickly searched.

    `text` is how a query writes it; numbers have `number` too.
    """

    path = models.CharField(max_length=200)
    text = models.CharField(max_length=200)
    number = models.FloatField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["path", "text"], name="spec_value_once"),)
        indexes = (models.Index(fields=["path", "number"], name="spec_value_number"),)

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


class KnownConfiguration(models.Model):
    """The values of the spec that the runs with one `Run.configuration` share."""

    digest = models.CharField(max_length=64, unique=True)
    values = ArrayField(models.BigIntegerField(), help_text="Ids of its `SpecValue`s.")

    class Meta:
        indexes = (GinIndex(fields=["values"], name="configuration_values"),)

    def __str__(self) -> str:
        return self.digest


class SummaryName(models.Model):
    """A name that some run's summary has. Its number is a place in `SummaryValues.values`."""

    name = models.TextField(unique=True)

    def __str__(self) -> str:
        return self.name


class SummaryValues(models.Model):
    """The numbers of a run's summary. To sort 100,000 runs Postgres reads these narrow rows instead
    of the runs' own; its trigger `keep_summary_values` writes them whenever a summary changes."""

    run = models.OneToOneField(
        "runs.Run", on_delete=models.CASCADE, primary_key=True, related_name="summary_values"
    )
    values = ArrayField(
        models.FloatField(null=True), help_text="Each at the place of its `SummaryName`, from 1."
    )

    def __str__(self) -> str:
        return f"summary of run {self.run_id}"
