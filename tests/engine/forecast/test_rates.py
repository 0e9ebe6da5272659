"""How fast this machine is, measured on it."""

import json
import subprocess
import sys

import torch

from engine.forecast.rates import measured_rates
from engine.forecast.records import Rates


def test_the_rates_are_those_of_a_machine_and_the_threads_stay_as_they_were() -> None:
    threads = torch.get_num_threads()
    rates = measured_rates(torch.device("cpu"), threads=1)
    assert torch.get_num_threads() == threads
    assert 1e-7 < rates.operation_seconds < 1e-2
    assert 1e7 < rates.double_flops_per_second < rates.flops_per_second < 1e14
    assert 1e7 < rates.bytes_per_second < 1e13


def test_a_process_of_its_own_says_them_as_json() -> None:
    command = [sys.executable, "-m", "engine.forecast.rates", "cpu", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert Rates(**json.loads(done.stdout)).operation_seconds > 0
