"""HTTP to Django, websockets to the live consumers, for signed-in people of our own pages only."""

import os
import warnings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings.development")
# Web processes answer many requests at once, so they share a pool of connections; a worker's
# process needs one connection, and a pool would not survive its fork.
os.environ.setdefault("DATABASE_POOL", "1")

# Checkpoints are small enough to be read whole.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous")

from django.core.asgi import get_asgi_application  # noqa: E402

django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from webapp.body_limit import limit_bodies  # noqa: E402
from webapp.live.routing import websocket_urlpatterns  # noqa: E402
from webapp.static_files import StaticFiles  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": StaticFiles(limit_bodies(django_application)),
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
        ),
    }
)
