"""A whole lab in one folder and back: the database as Postgres dumps it, and the checkpoints.

For another lab's use, or another version's, `webapp.transfer` writes JSON and Parquet instead.
"""
