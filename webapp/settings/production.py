"""The settings of a lab's server, behind a proxy that ends TLS. See docker/env.example."""

from webapp.settings import base, environment
from webapp.settings.base import *  # noqa: F403

DEBUG = False
SECRET_KEY = environment.required("SECRET_KEY")
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = environment.words(
    "CSRF_TRUSTED_ORIGINS",
    environment.optional(
        "CSRF_TRUSTED_ORIGINS", ",".join(f"https://{host}" for host in ALLOWED_HOSTS)
    ),
)

DATABASE_URL = environment.required("DATABASE_URL")
REDIS_URL = environment.required("REDIS_URL")
DATABASES = base.databases(DATABASE_URL)
CHANNEL_LAYERS = base.channel_layers(REDIS_URL)
CACHES = base.caches(REDIS_URL)
CELERY_BROKER_URL = REDIS_URL

STORAGES = base.storages("webapp.static_storage.StaticStorage")

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
# The container's own health check asks over plain HTTP from inside.
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = environment.number("HSTS_SECONDS", 31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
# The prefix has browsers refuse such a cookie from a neighbouring host, or over plain HTTP.
SESSION_COOKIE_NAME = "__Host-sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken"
