# Caddy as an ordinary user, who owns the certificates that it keeps.
FROM caddy:2.10-alpine
RUN adduser -D -H -u 10002 proxy && chown -R proxy:proxy /data /config
COPY docker/Caddyfile /etc/caddy/Caddyfile
USER proxy
