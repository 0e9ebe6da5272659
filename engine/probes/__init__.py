"""What is measured beside the estimates: bias, variance, memory. Never counted as their cost."""
