"""Random tokens and what is stored of them."""

import hashlib
import hmac
import secrets

_SESSION_CSRF = b"crm-csrf-v1"


def new_token() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is stored of a token; SHA-256 suffices for 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_token(session_token: str) -> str:
    """The session's synchroniser token: derived, so it needs no storage and dies with the session."""
    return hmac.new(session_token.encode(), _SESSION_CSRF, hashlib.sha256).hexdigest()


def same(left: str, right: str) -> bool:
    """Constant-time comparison."""
    return hmac.compare_digest(left.encode(), right.encode())
