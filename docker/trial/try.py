"""Drive a running stack over its TLS proxy: a contact, a ticket through the whole loop, a subscription, a phone.

python docker/trial/try.py https://localhost:8443      with the people of `crm users demo`; says what it saw
"""

import hashlib
import re
import ssl
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
from websockets.sync.client import connect

UNIT = "baoji"


def say(line: str) -> None:
    """One line of what was seen."""
    sys.stdout.write(f"{line}\n")


def signed_in(address: str, username: str) -> httpx.Client:
    """A browser's session of one of the demo's people."""
    # The certificate is self-signed: this is a trial.
    client = httpx.Client(base_url=address, verify=False, timeout=60, headers={"Origin": address})  # noqa: S501
    given = {"username": username, "password": f"demo-96766-{username}"}
    signed = client.post("/api/v1/session", json=given).raise_for_status()
    client.headers["X-CSRF-Token"] = signed.json()["csrf_token"]
    say(f"{username} signed in, cookie {signed.headers['set-cookie'].split('; ', 1)[1]}")
    return client


def contact(agent: httpx.Client) -> int:
    """A contact by hand; its key."""
    now = datetime.now(UTC)
    given = {"channel": "voice", "external_id": f"trial-{uuid4().hex[:8]}", "started_at": now.isoformat()}
    made = agent.post("/api/v1/contacts", json=given).raise_for_status().json()
    say(f"contact {made['contact']['id']}, new: {made['is_new']}")
    return int(made["contact"]["id"])


def ticket(people: dict[str, httpx.Client], contact_id: int) -> None:
    """A ticket of that contact from the province to a branch and back, until it is closed."""
    asked = {
        "channel_code": "voice",
        "service_type_code": "complaint",
        "title": "机顶盒无信号",
        "contact_id": contact_id,
    }
    made = people["agent"].post("/api/v1/tickets", json=asked).raise_for_status().json()["ticket"]
    path = f"/api/v1/tickets/{made['id']}"
    units = people["dispatcher"].get("/api/v1/units").raise_for_status().json()
    branch = next(unit["id"] for unit in units if unit["code"] == UNIT)

    def step(who: str, code: str, **fields: Any) -> None:
        done = people[who].post(f"{path}/transitions", json={"step": code, "fields": fields}).raise_for_status()
        said.append(f"{code} → {done.json()['ticket']['state']}")

    said: list[str] = []
    step("dispatcher", "dispatch", unit_id=branch)
    step("baoji_handler", "accept")
    step("baoji_handler", "start")
    step("baoji_handler", "resolve", resolution="更换机顶盒，恢复正常")
    step("reviewer", "begin_review")
    step("reviewer", "approve")
    call = {"outcome": "satisfied", "score": 5}
    people["reviewer"].post(f"{path}/follow-up-calls", json=call).raise_for_status()
    step("reviewer", "close")
    say(f"ticket {made['code']}: {', '.join(said)}")


def subscription(manager: httpx.Client) -> None:
    """The province's daily report, to an address of its own for each trial."""
    address = f"trial-{uuid4().hex[:8]}@example.com"
    wanted = {"kind": "daily", "unit": "province", "email": address, "language": "zh-CN", "forms": ["pdf", "xlsx"]}
    made = manager.post("/api/v1/report-subscriptions", json=wanted)
    say(f"subscription of {address}: {made.status_code}")


def phone(agent: httpx.Client, address: str) -> None:
    """Register the agent's browser phone over the proxy's socket, as the page does."""
    own = agent.post("/api/v1/phone/credentials").raise_for_status().json()
    host = urlsplit(address).hostname
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with connect(own["socket"], subprotocols=["sip"], ssl=trusting, origin=address) as line:
        first = register(line, own["agent"], host, "")
        asked = dict(re.findall(r'(\w+)="?([^",\r]+)"?', re.findall(r"(?m)^WWW-Authenticate: Digest (.*)$", first)[0]))
        second = register(line, own["agent"], host, digest(asked, own["agent"], own["secret"], f"sip:{host}"))
    say(f"phone {own['agent']} over {own['socket']}: {first.splitlines()[0]}, then {second.splitlines()[0]}")


def register(line: Any, who: str, host: str | None, authorization: str) -> str:
    """Send one REGISTER; the answer."""
    headers = [
        f"REGISTER sip:{host} SIP/2.0", f"Via: SIP/2.0/WSS trial.invalid;branch=z9hG4bK{uuid4().hex}",
        f"From: <sip:{who}@{host}>;tag={uuid4().hex[:8]}", f"To: <sip:{who}@{host}>", f"Call-ID: {uuid4().hex}",
        "CSeq: 1 REGISTER", f"Contact: <sip:{who}@trial.invalid;transport=ws>;expires=60", "Max-Forwards: 70",
        *([authorization] if authorization else []), "Content-Length: 0",
    ]  # fmt: skip
    line.send("\r\n".join(headers) + "\r\n\r\n")
    answer = line.recv(timeout=10)
    return answer if isinstance(answer, str) else answer.decode()


def digest(asked: dict[str, str], who: str, secret: str, uri: str) -> str:
    """The answer to a registrar's challenge (RFC 2617, qop auth)."""
    hashed = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[asked.get("algorithm", "MD5")]

    def of(*parts: str) -> str:
        return hashed(":".join(parts).encode()).hexdigest()

    own, count = uuid4().hex[:8], "00000001"
    answer = of(of(who, asked["realm"], secret), asked["nonce"], count, own, "auth", of("REGISTER", uri))
    fields = {"username": who, "realm": asked["realm"], "nonce": asked["nonce"], "uri": uri, "response": answer}
    more = {"opaque": asked["opaque"]} if "opaque" in asked else {}
    quoted = ", ".join(f'{name}="{value}"' for name, value in (fields | {"cnonce": own} | more).items())
    return f"Authorization: Digest {quoted}, qop=auth, nc={count}, algorithm={asked.get('algorithm', 'MD5')}"


def main(address: str) -> None:
    """Everything, in order."""
    with ExitStack() as open_sessions:
        names = ("agent", "dispatcher", "baoji_handler", "reviewer", "manager")
        people = {name: signed_in(address, name) for name in names}
        for client in people.values():
            open_sessions.callback(client.close)
        agent = people["agent"]
        say(f"readyz {agent.get('/readyz').status_code}, metrics from outside {agent.get('/metrics').status_code}")
        pages = [agent.get(path).status_code for path in ("/app/capture", "/pages/_stcore/health")]
        say(f"capture page {pages[0]}, dashboards' health {pages[1]}")
        ticket(people, contact(agent))
        subscription(people["manager"])
        phone(agent, address)


if __name__ == "__main__":
    main(sys.argv[1])
