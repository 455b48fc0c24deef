"""Make the secrets and a certificate for trying, once: what is there already stays. Runs before everything else."""

import base64
import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

FOLDER = Path("/run/crm-secrets")
READER = 10001
DATA = tuple(
    map(Path, ("/var/lib/crm", "/var/lib/airflow", "/var/lib/crm-asterisk", "/etc/crm-asterisk", "/run/crm-metrics"))
)
NAMES = ("postgresql_password", "manager_secret", "airflow_jwt", "grafana_password")


def put(name: str, content: str | bytes) -> None:
    """Write a secret for the service's user, unless it is there."""
    path = FOLDER / name
    if path.exists():
        return
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(0o440)
    os.chown(path, READER, READER)


def certificate(host: str) -> tuple[bytes, bytes]:
    """A self-signed certificate and its key, for trying; put your own tls.crt and tls.key in its place."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM), private


def main() -> None:
    """Fill the folder and hand the data folders to the service's user."""
    FOLDER.chmod(0o755)
    for name in NAMES:
        put(name, secrets.token_urlsafe(32))
    put("airflow_fernet", base64.urlsafe_b64encode(secrets.token_bytes(32)))
    password = (FOLDER / "postgresql_password").read_text(encoding="utf-8")
    put("database_url", f"postgresql://crm:{password}@postgresql/crm")
    put("airflow_database_url", f"postgresql+psycopg://crm:{password}@postgresql/airflow")
    if not (FOLDER / "tls.crt").exists():
        public, private = certificate(os.environ.get("CRM_HOST", "localhost"))
        put("tls.crt", public)
        put("tls.key", private)
    for folder in DATA:
        if folder.exists():
            os.chown(folder, READER, READER)


if __name__ == "__main__":
    main()
