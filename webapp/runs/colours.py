"""One colour per configuration, allocated once, kept for ever."""

from __future__ import annotations

from django.db import connection
from django.db.models import Max

from webapp.exports.palette import COLOURS
from webapp.runs.models import Run

HUES = len(COLOURS)
"""Hues of the palette: colour n is hue n mod `HUES`."""

_LOCK = 4_202_608_127
"""Number of the advisory lock: any fixed one that nothing else in this database uses."""


def allocate(configurations: list[str]) -> dict[str, int]:
    """A colour for each configuration: the one it has already, or one that no other has.

    Must run inside the transaction that creates the runs. Within the list, hues repeat only when
    there are more configurations than hues.
    """
    wanted = list(dict.fromkeys(configurations))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    colours = dict(
        Run.objects.filter(configuration__in=wanted)
        .order_by("configuration")
        .values_list("configuration", "colour")
        .distinct()
    )
    newest = Run.objects.aggregate(newest=Max("colour"))["newest"]
    candidate = 0 if newest is None else newest + 1
    hues = {colour % HUES for colour in colours.values()}
    for configuration in wanted:
        if configuration in colours:
            continue
        if len(hues) == HUES:
            hues.clear()
        while candidate % HUES in hues:
            candidate += 1
        colours[configuration] = candidate
        hues.add(candidate % HUES)
        candidate += 1
    return colours
