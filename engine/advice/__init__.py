"""Which estimator to take for a problem and a budget, and why not another. Free of torch."""
