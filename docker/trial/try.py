"""Drive a running stack over its TLS proxy: sign in, one contact, one ticket from it; says what it saw.

python docker/trial/try.py https://localhost:8443 USER PASSWORD
"""

import sys
from datetime import UTC, datetime

import httpx


def say(line: str) -> None:
    """One line of what was seen."""
    sys.stdout.write(f"{line}\n")


def main(address: str, username: str, password: str) -> None:
    """Sign in, write a contact and a ticket, read the ticket back."""
    now = datetime.now(UTC)
    # The certificate is self-signed: this is a trial.
    with httpx.Client(base_url=address, verify=False, timeout=60, headers={"Origin": address}) as client:  # noqa: S501
        say(f"readyz {client.get('/readyz').status_code}, metrics from outside {client.get('/metrics').status_code}")
        signed = client.post("/api/v1/session", json={"username": username, "password": password}).raise_for_status()
        say(f"signed in, cookie {signed.headers['set-cookie'].split('; ', 1)[1]}")
        client.headers["X-CSRF-Token"] = signed.json()["csrf_token"]
        given = {"channel": "voice", "external_id": f"trial-{now:%H%M%S}", "started_at": now.isoformat()}
        contact = client.post("/api/v1/contacts", json=given).raise_for_status().json()
        say(f"contact {contact['contact']['id']}, new: {contact['is_new']}")
        asked = {"channel_code": "voice", "service_type_code": "complaint", "title": "机顶盒无信号"}
        ticket = client.post("/api/v1/tickets", json=asked).raise_for_status().json()
        read = client.get(f"/api/v1/tickets/{ticket['ticket']['id']}").raise_for_status().json()
        say(f"ticket {read['ticket']['code']} {read['ticket']['state']} {read['ticket']['title']}")
        wanted = {
            "kind": "daily",
            "unit": "province",
            "email": "trial@example.com",
            "language": "zh-CN",
            "forms": ["pdf"],
        }
        say(f"subscription {client.post('/api/v1/report-subscriptions', json=wanted).status_code}")


if __name__ == "__main__":
    main(*sys.argv[1:4])
