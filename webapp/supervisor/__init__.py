"""Runs the whole lab on one machine: Postgres, Valkey, the web, a worker and the beat."""
