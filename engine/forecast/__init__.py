"""What a spec will need before it runs: memory, time, and whether it fits.

Importing this package imports no torch; `engine.forecast.forecasting` does.
"""

from engine.forecast.records import Calibration, EstimatorForecast, Machine, Rates, Work

__all__ = ["Calibration", "EstimatorForecast", "Machine", "Rates", "Work"]
