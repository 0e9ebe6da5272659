"""What all settings share. Everything that differs between machines comes from the environment."""

from datetime import timedelta
from pathlib import Path

import dj_database_url

from webapp.settings import environment
from webapp.settings.single_sign_on import single_sign_on

PROJECT_ROOT = Path(__file__).resolve().parent.parent.parent

# The lab's private folder: embedded services, logs and checkpoints live below it.
LAB_HOME = Path(environment.optional("LAB_HOME", str(PROJECT_ROOT / ".lab"))).resolve()
# A folder that all workers see, or s3://bucket/prefix.
CHECKPOINT_ROOT = environment.optional("CHECKPOINT_ROOT", str(LAB_HOME / "checkpoints"))

# At most this much of a run is computed again after a worker is lost.
CHECKPOINT_SECONDS = environment.number("CHECKPOINT_SECONDS", 5)

# How long a cancelled or failed run keeps what it could be resumed from.
CHECKPOINT_RETENTION_DAYS = environment.number("CHECKPOINT_RETENTION_DAYS", 7)

# Bytes of a CPU worker's memory that its runs may have together; 0 means most of its machine's.
RUN_MEMORY_BYTES = environment.number("RUN_MEMORY_BYTES", 0)

# Where people reach the lab; printed links begin with it.
LAB_URL = environment.optional("LAB_URL", "http://localhost:8000")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "channels",
    "django_htmx",
    "ninja",
    "webapp",
    "webapp.accounts",
    "webapp.single_sign_on",
    "webapp.experiments",
    "webapp.runs",
    "webapp.live",
    "webapp.compare",
    "webapp.exports",
    "webapp.sharing",
    "webapp.transfer",
    "webapp.backups",
    "webapp.workers",
    "webapp.scheduling",
    "webapp.forecasts",
    "webapp.graph_size",
    "webapp.gallery",
    "webapp.help",
    "webapp.search",
    "webapp.observability",
    "webapp.audit",
    "webapp.api",
]

MIDDLEWARE = [
    "webapp.observability.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "webapp.security.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "webapp.rate_limits.RateLimitMiddleware",
    "webapp.security.SignInRequiredMiddleware",
    "webapp.security.ViewersLookMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "webapp.urls"
ASGI_APPLICATION = "webapp.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PROJECT_ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "webapp.single_sign_on.context.single_sign_on",
            ],
        },
    }
]

# -- people --
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "accounts:sign-in"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
# Ten wrong passwords for one name from one address close the door to that pair for five minutes;
# the same name from elsewhere stays open, so that nobody can lock a member out.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=5)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "webapp.accounts.views.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
# The server in front (uvicorn) has put the visitor's own address there.
AXES_CLIENT_IP_CALLABLE = "webapp.rate_limits.address"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# None, or the provider at which people may sign in as well.
SINGLE_SIGN_ON = single_sign_on()

# A measurement of the lab's speed asks oftener than people do.
RATE_LIMITS = environment.flag("RATE_LIMITS", default=True)

# Whether the gallery can be read without an account; launching from it stays with members.
GALLERY_OPEN = environment.flag("GALLERY_OPEN")

# -- language and time: one clock for database, workers and pages --
LANGUAGE_CODE = "en"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

# -- static files: see webapp/static_files.py --
STATIC_URL = "/static/"
STATICFILES_DIRS = [PROJECT_ROOT / "static"]
# No other site has a use for them.
WHITENOISE_ALLOW_ALL_ORIGINS = False
STATIC_ROOT = Path(environment.optional("STATIC_ROOT", str(PROJECT_ROOT / "staticfiles")))

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- what a request may bring: a long form has some 300 fields, a spec 64,000 characters --
MOST_BODY_BYTES = 4 * 2**20
DATA_UPLOAD_MAX_MEMORY_SIZE = 2**21
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
# No page takes a file.
DATA_UPLOAD_MAX_NUMBER_FILES = 0

# -- headers --
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# Pages say the token to their scripts; nobody reads it from the cookie.
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"

# -- tasks: the broker only wakes workers, Postgres is the queue's truth --
CELERY_TASK_DEFAULT_QUEUE = "cpu"
CELERY_TASK_QUEUES = {
    name: {"exchange": name, "routing_key": name} for name in ("cpu", "gpu", "forecast")
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Besides the queues, each worker has one of its own: only it knows that a run fits it alone.
CELERY_WORKER_DIRECT = True
# A process of the pool imports torch before it reports that it is up.
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 60.0
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_ENABLE_UTC = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE = {
    "clear what is expired": {"task": "accounts.clear_expired", "schedule": 3600.0},
    "clear links that ended": {"task": "sharing.clear_ended", "schedule": 3600.0},
    "clear old errors": {"task": "observability.clear_old_errors", "schedule": 3600.0},
    "clear old checkpoints": {"task": "runs.clear_checkpoints", "schedule": 3600.0},
}

# -- logs: every line says its request or run; LOG_FORMAT=json writes an object a line --
LOG_FORMAT = environment.one_of("LOG_FORMAT", ("plain", "json"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"belonging": {"()": "webapp.observability.context.Belonging"}},
    "formatters": {
        "plain": {"format": "{asctime} {levelname} {name}: {belonging}{message}", "style": "{"},
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "{asctime}{levelname}{name}{message}{request_id}{run_id}",
            "style": "{",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["belonging"],
        },
        "recent errors": {
            "class": "webapp.observability.error_handler.RecentErrorHandler",
            "filters": ["belonging"],
        },
    },
    # Of each sign-in it would say four lines.
    "loggers": {"axes": {"level": "WARNING"}},
    "root": {
        "handlers": ["console", "recent errors"],
        "level": environment.optional("LOG_LEVEL", "INFO"),
    },
}


def databases(url: str) -> dict[str, dict]:
    """Django's DATABASES for one Postgres; the web pools its connections (see webapp/asgi.py)."""
    database = dj_database_url.parse(url, conn_health_checks=True)
    database["OPTIONS"] = {**database.get("OPTIONS", {}), "connect_timeout": 5}
    if environment.flag("DATABASE_POOL"):
        database["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 20, "timeout": 5}
    return {"default": database}


def channel_layers(redis_url: str) -> dict[str, dict]:
    """The layer carries hints only; what it loses is read again from Postgres."""
    return {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [redis_url], "prefix": "lab:layer"},
        }
    }


def caches(redis_url: str) -> dict[str, dict]:
    return {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": redis_url,
            "KEY_PREFIX": "lab:cache",
        }
    }


def storages(static_backend: str) -> dict[str, dict]:
    return {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": static_backend},
    }
