"""Signing in at an OpenID Connect provider, where the server's keeper names one."""
