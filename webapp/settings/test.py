"""The settings of the tests; tests/conftest.py starts the services and exports their addresses."""

from webapp.settings import base, environment
from webapp.settings.base import *  # noqa: F403

DEBUG = False
SECRET_KEY = "a key that only signs what tests make"  # noqa: S105
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]

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
# argon2 is slow by design; the accounts tests name it where it matters.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *base.PASSWORD_HASHERS]
# A test that wants limits switches them on.
RATE_LIMITS = False
# A test that wants errors kept says where.
LOGGING = {**base.LOGGING, "root": {**base.LOGGING["root"], "handlers": ["console"]}}
