"""A small OpenID Connect provider, as a process: `python provider_process.py PORT`.

It lets anybody in who comes, as the person that was posted to `/next` with the claims of the next
identity token. `/next` also says what to do wrong: `sign_with` a key that it never publishes,
`algorithm`, `no_id_token`. The code flow itself is held strictly: client, redirect address, PKCE
and one use of a code.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from joserfc.jws import JWSRegistry

CLIENT_ID, CLIENT_SECRET = "lab", "a secret of the lab"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
NEVER_PUBLISHED = RSAKey.generate_key(2048, {"kid": "one"})
ANY_ALGORITHM = JWSRegistry(algorithms=["RS256", "HS256", "none"])


class Provider(BaseHTTPRequestHandler):
    following: dict[str, Any] = {}
    codes: dict[str, dict[str, str]] = {}

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/.well-known/openid-configuration":
            self.say(
                {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{self.issuer}/authorize",
                    "token_endpoint": f"{self.issuer}/token",
                    "jwks_uri": f"{self.issuer}/keys",
                    "response_types_supported": ["code"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["RS256"],
                }
            )
        elif address.path == "/keys":
            self.say({"keys": [KEY.as_dict(private=False)]})
        elif address.path == "/authorize":
            self.authorize({name: values[0] for name, values in parse_qs(address.query).items()})
        else:
            self.say({"error": "not_found"}, 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/next":
            Provider.following = json.loads(body)
            self.say({})
        elif self.path == "/token":
            self.token({name: values[0] for name, values in parse_qs(body).items()})

    def authorize(self, asked: dict[str, str]) -> None:
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        assert {"openid", "email"} <= set(asked["scope"].split())
        code = secrets.token_urlsafe()
        Provider.codes[code] = asked
        self.send_response(302)
        query = urlencode({"code": code, "state": asked["state"]})
        self.send_header("Location", f"{asked['redirect_uri']}?{query}")
        self.end_headers()

    def token(self, sent: dict[str, str]) -> None:
        asked = Provider.codes.pop(sent["code"], None)
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        proper = (
            asked is not None
            and asked["code_challenge"] == challenge
            and asked["redirect_uri"] == sent["redirect_uri"]
            and (
                self.headers.get("Authorization") == f"Basic {basic}"
                or sent.get("client_secret") == CLIENT_SECRET
            )
        )
        if not proper:
            self.say({"error": "invalid_grant"}, 400)
            return
        told = dict(Provider.following)
        key, algorithm = KEY, told.pop("algorithm", "RS256")
        if told.pop("sign_with", "") == "never published":
            key = NEVER_PUBLISHED
        if algorithm == "HS256":
            # The classic confusion: the published key taken as a shared secret.
            key = OctKey.import_key(KEY.as_pem(private=False))
        now = int(time.time())
        without = told.pop("no_id_token", False)
        claims = {
            "iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], **told,
        }  # fmt: skip
        header = {"alg": algorithm, "kid": "one"}
        claims = {name: value for name, value in claims.items() if value is not None}
        answer = {"access_token": "opaque", "token_type": "Bearer", "expires_in": 300}
        if not without:
            answer["id_token"] = jwt.encode(header, claims, key, registry=ANY_ALGORITHM)
        self.say(answer)

    def say(self, answer: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Provider).serve_forever()
