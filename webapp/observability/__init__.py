"""What an admin needs to see of a lab at work: logs with ids, metrics, recent errors."""
