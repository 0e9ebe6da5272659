"""The settings of `make run`: one machine, loopback only, plain HTTP.

The supervisor exports what is needed; another terminal (`manage.py sign_in_link`) finds the same
values in the lab's private folder.
"""

import os
from pathlib import Path

from webapp.settings import environment
from webapp.supervisor.home import Home

_project_root = Path(__file__).resolve().parent.parent.parent
_home = Home(Path(environment.optional("LAB_HOME", str(_project_root / ".lab"))))
for _name, _value in _home.environment().items():
    os.environ.setdefault(_name, _value)

from webapp.settings import base  # noqa: E402
from webapp.settings.base import *  # noqa: E402, F403

# Off unless asked for: a member of the lab should see a page, not a traceback.
DEBUG = environment.flag("DEBUG")
SECRET_KEY = environment.required("SECRET_KEY")
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

DATABASE_URL = environment.required("DATABASE_URL")
REDIS_URL = environment.required("REDIS_URL")
DATABASES = base.databases(DATABASE_URL)
CHANNEL_LAYERS = base.channel_layers(REDIS_URL)
CACHES = base.caches(REDIS_URL)
CELERY_BROKER_URL = REDIS_URL

STORAGES = base.storages("django.contrib.staticfiles.storage.StaticFilesStorage")
# Nothing is collected here: files are served from where they are written.
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True
# An edited style sheet or script shows after a reload.
WHITENOISE_AUTOREFRESH = True
