"""This machine: what a run may take of its memory, and how fast it computes.

The rates take a second to measure and are kept beside the data sets, for this machine's name,
device, number of threads and version of torch.
"""

from __future__ import annotations

import platform
from pathlib import Path

import torch
from pydantic import ValidationError

from engine.building import device_of
from engine.data import data_folder
from engine.forecast.rates import measured_rates
from engine.forecast.records import Calibration, Machine, Rates
from engine.machine_memory import machine_memory
from engine.spec import Experiment


def calibration_here(experiment: Experiment) -> Calibration:
    """Of the device that `experiment` runs on here.

    Raises `RuntimeError` where it names one that is not there.
    """
    device = device_of(experiment)
    machine = Machine(
        name=_name(device),
        device=device.type,
        memory_bytes=_memory_bytes(device),
        rates=_rates(device, experiment.threads),
    )
    return Calibration(machine=machine)


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else platform.node()


def _memory_bytes(device: torch.device) -> float:
    if device.type == "cuda":
        return float(torch.cuda.get_device_properties(device).total_memory)
    return float(machine_memory())


def _rates(device: torch.device, threads: int) -> Rates:
    """Measured once, and read from then on."""
    path = _path(device, threads)
    try:
        return Rates.model_validate_json(path.read_text())
    except (OSError, ValidationError):
        rates = measured_rates(device, threads)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rates.model_dump_json())
        return rates


def _path(device: torch.device, threads: int) -> Path:
    of = f"{platform.node()}-{device.type}-{threads}-torch-{torch.__version__}"
    return data_folder() / "rates" / f"{of}.json"
