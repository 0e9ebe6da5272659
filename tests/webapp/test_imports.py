"""Web processes never import torch: they start fast and stay small."""

import os
import subprocess
import sys

BLOCK_TORCH = """
import sys
sys.modules["torch"] = None
import webapp.asgi, webapp.urls, webapp.celery
from django.urls import get_resolver
get_resolver().url_patterns
webapp.celery.app.loader.import_default_modules()
assert "runs.execute" in webapp.celery.app.tasks
"""


def test_the_web_starts_where_torch_cannot_be_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLOCK_TORCH], capture_output=True, text=True, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
