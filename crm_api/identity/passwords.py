"""Passwords: argon2id digests, a policy without folklore, and generated ones."""

import secrets
from functools import lru_cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from crm_api.errors import InvalidError

MINIMUM_LENGTH = 12
MAXIMUM_LENGTH = 200
#: RFC 9106's second choice: 64 MiB, 3 passes.
HASHER = PasswordHasher()
# Each hash takes 64 MiB: a storm of sign-ins must not take the machine's memory.
_SLOTS = BoundedSemaphore(2)
_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def hash_password(password: str) -> str:
    """The argon2id digest of `password`, with its salt and parameters."""
    with _SLOTS:
        return HASHER.hash(password)


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return hash_password(secrets.token_urlsafe(32))


def verify_password(stored: str | None, password: str) -> bool:
    """Whether `password` is the one behind `stored`; as slow for a missing digest, so that names cannot be probed."""
    digest = stored or _nobodys_hash()
    with _SLOTS:
        try:
            matches = HASHER.verify(digest, password)
        except (VerificationError, InvalidHashError):
            return False
    return matches and stored is not None


def needs_rehash(stored: str) -> bool:
    """Whether the digest was made with older parameters than today's."""
    return HASHER.check_needs_rehash(stored)


def generate_password() -> str:
    """A random password of 20 characters (116 bits), without look-alikes, in groups of five."""
    letters = [secrets.choice(_ALPHABET) for _ in range(20)]
    return "-".join("".join(letters[start : start + 5]) for start in range(0, 20, 5))


def check_policy(password: str, *, username: str) -> None:
    """InvalidError unless the password is long, not made of few characters, and does not contain the username."""
    if len(password) < MINIMUM_LENGTH:
        raise InvalidError(f"The password has {len(password)} characters.", f"Take at least {MINIMUM_LENGTH}.")
    if len(password) > MAXIMUM_LENGTH:
        raise InvalidError(f"The password has {len(password)} characters.", f"Take at most {MAXIMUM_LENGTH}.")
    if len(set(password)) < 5:
        raise InvalidError("The password repeats very few characters.", "Use at least five different ones.")
    if username.lower() in password.lower():
        raise InvalidError("The password contains the user name.", "Choose one that does not.")
