"""Tokens of identity providers: issued here for whoever a rehearsal's pipeline is, and read where a role is taken on.

The local cloud stands for every provider: it signs for each issuer with one key of its own, and trusts that key alone.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc.html; the tokens are JWTs (RFC 7519)
signed with RS256 (RFC 7518).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

LIFETIME: Final = timedelta(minutes=10)
_HEADER: Final = {"alg": "RS256", "typ": "JWT", "kid": "local-cloud"}
_KEY_BITS: Final = 2048


class InvalidToken(ValueError):
    """A text is no token of a provider, or no longer; `expired` tells the second."""

    def __init__(self, message: str, *, expired: bool = False) -> None:
        super().__init__(message)
        self.expired = expired


@dataclass(frozen=True)
class Claims:
    """What a token says: who issued it (a URL), for which audience, about whom, and all of it."""

    issuer: str
    audience: str
    subject: str
    everything: Mapping[str, Any]

    @property
    def provider(self) -> str:
        """The issuer as IAM names providers and condition keys: without a scheme."""
        return self.issuer.partition("://")[2]


class Issuer:
    """Signs tokens, and reads those that it has signed."""

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)

    def token(self, issuer: str, audience: str, subject: str, now: datetime, **claims: str) -> str:
        """Return a token that is good for ten minutes."""
        said = {
            **claims,
            "iss": issuer,
            "aud": audience,
            "sub": subject,
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
        }
        signed = f"{_encoded(json.dumps(_HEADER).encode())}.{_encoded(json.dumps(said).encode())}"
        return f"{signed}.{_encoded(self._key.sign(signed.encode(), padding.PKCS1v15(), SHA256()))}"

    def read(self, token: str, now: datetime) -> Claims:
        """Return what a token says. Raises InvalidToken."""
        try:
            signed, _, signature = token.rpartition(".")
            header, claims = (json.loads(_decoded(part)) for part in signed.split("."))
            self._key.public_key().verify(_decoded(signature), signed.encode(), padding.PKCS1v15(), SHA256())
            read = Claims(str(claims["iss"]), str(claims["aud"]), str(claims["sub"]), claims)
            ends = float(claims["exp"])
        except (ValueError, KeyError, TypeError, InvalidSignature) as problem:
            raise InvalidToken("Couldn't retrieve verification key from your identity provider") from problem
        if header.get("alg") != _HEADER["alg"]:
            raise InvalidToken(f"a token is signed with {_HEADER['alg']}, not {header.get('alg')!r}")
        if ends <= now.timestamp():
            raise InvalidToken("Token expired: current date/time must be before the expiration date/time", expired=True)
        return read


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
