"""`python -m engine advice`: which estimator to take here, and why not another."""

from __future__ import annotations

from pathlib import Path

from engine.advice.advice import Advice, advise
from engine.data import DataMissing
from engine.forecast import EstimatorForecast
from engine.forecast.forecasting import forecast
from engine.forecast.here import calibration_here
from engine.plain import to_json
from engine.spec import Experiment, read_file


def print_advice(spec_path: Path, *, as_json: bool) -> int:
    """Print the advice for this machine as text, or as one JSON document; always 0.

    Raises `SpecError` for a bad spec, and `engine.data.DataMissing` where the data set must be
    fetched first.
    """
    experiment = read_file(spec_path)
    calibration = calibration_here(experiment)

    def known(single: Experiment) -> EstimatorForecast | None:
        try:
            [found] = forecast(single, calibration)
        except DataMissing:
            raise
        except Exception:  # an estimator that cannot be forecast is judged by the other rules
            return None
        return found

    advice = advise(experiment, forecast=known, machine=calibration.machine)
    print(to_json(advice.model_dump(mode="json")) if as_json else _text(advice))
    return 0


def _text(advice: Advice) -> str:
    lines = [advice.summary, ""]
    width = max(len(verdict.label) for verdict in advice.verdicts)
    for verdict in advice.verdicts:
        asked = "*" if verdict.asked else " "
        lines.append(f"{verdict.rank:>3}{asked} {verdict.label:{width}}  {verdict.effect}")
        for reason in verdict.reasons:
            lines += [f"      {reason.sentence}", f"        ({reason.rule}; {reason.source})"]
        if not verdict.reasons and verdict.why_not:
            lines.append(f"      {verdict.why_not}")
    return "\n".join([*lines, "", "* named by the spec"])
