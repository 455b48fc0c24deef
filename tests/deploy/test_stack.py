"""The stack's files: the composition is valid, safe and complete; its alerts are known to the handbook."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import packages_distributions
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from docker.operate_lock import operate_lock  # type: ignore[import-not-found]  # a folder of the repository
from tests.servers import free_port, missing

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
#: Services that end by themselves.
ONCE = {"first-start", "migrations", "airflow-init", "asterisk-configuration"}


@pytest.fixture(scope="module")
def stack() -> dict[str, Any]:
    """docker-compose.yml with its anchors resolved."""
    content: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return content


def rules() -> list[dict[str, Any]]:
    content = yaml.safe_load((DOCKER / "prometheus" / "rules.yml").read_text(encoding="utf-8"))
    return [rule for group in content["groups"] for rule in group["rules"]]


def test_every_service_is_limited_checked_and_in_a_profile(stack: dict[str, Any]) -> None:
    for name, service in stack["services"].items():
        assert set(service["profiles"]) <= {"core", "telephony", "observability"}, name
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name
        # Asterisk's image brings its own check.
        assert name in ONCE | {"asterisk"} or "healthcheck" in service, name


def test_our_images_run_without_root_and_without_rights(stack: dict[str, Any]) -> None:
    for name, service in stack["services"].items():
        if service["image"] not in ("crm-operate", "crm-analyse") or name == "first-start":
            continue
        assert service["user"] == "10001:10001" and service["cap_drop"] == ["ALL"], name
    assert re.findall(r"^USER (\S+)", (DOCKER / "Dockerfile").read_text(encoding="utf-8"), re.M) == ["10001:10001"] * 2


def test_no_secret_and_no_registry_stands_in_the_files(stack: dict[str, Any]) -> None:
    for service in stack["services"].values():
        for name, value in (service.get("environment") or {}).items():
            if re.search("PASSWORD|SECRET|KEY|DATABASE", name) and value:
                assert re.search("_FILE$|_CMD$|__FILE$", name), name
    # A plain name (prom/prometheus) has no host in it.
    for path in [ROOT / "docker-compose.yml", *DOCKER.rglob("*")]:
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"(docker\.io|ghcr\.io|quay\.io|gcr\.io|pypi\.org|npmjs)", text), path


def test_volumes_are_named(stack: dict[str, Any]) -> None:
    for name, service in stack["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in stack["volumes"] or source.startswith("./docker/"), (name, volume)


def test_every_alert_has_its_section() -> None:
    handbook = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    headings = {heading.lower() for heading in re.findall(r"^#+ (\w+)$", handbook, re.M)}
    schedules = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "dags").glob("*.py"))
    told = set(re.findall(r'"((?:schedule|publication|rows|expectations)[a-z]+)"', schedules))
    assert len(told) == 5 and told <= headings
    for rule in rules():
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
        assert rule["alert"].lower() in headings, rule["alert"]


def test_what_alerts_and_panels_ask_for_is_measured() -> None:
    from crm_api.web.metrics import Metrics

    metrics = Metrics()
    measured = {name for family in metrics.registry.collect() for name in (family.name, f"{family.name}_total")}
    boards = [
        json.loads(path.read_text(encoding="utf-8")) for path in (DOCKER / "grafana" / "dashboards").glob("*.json")
    ]
    asked = [rule["expr"] for rule in rules()]
    asked += [target["expr"] for board in boards for panel in board["panels"] for target in panel["targets"]]
    names = {name for text in asked for name in re.findall(r"\bcrm_\w+", text)}
    assert names and {re.sub("_(bucket|sum|count)$", "", name) for name in names} <= measured


def test_the_image_that_takes_calls_does_not_carry_the_analysts_tools() -> None:
    lock = operate_lock(
        (ROOT / "requirements.in").read_text(encoding="utf-8"), (ROOT / "requirements.lock").read_text(encoding="utf-8")
    )
    names = set(re.findall(r"^([a-z0-9._-]+)==", lock, re.M))
    assert {"fastapi", "sqlalchemy", "psycopg", "psycopg-binary", "pyst2", "starlette", "cryptography"} <= names
    assert not names & {"apache-airflow", "duckdb", "dbt-core", "streamlit", "pandas", "scikit-learn"}
    assert lock.count("==") == lock.count("== ") + len(names) and "--hash=sha256:" in lock


def test_the_image_that_takes_calls_has_all_that_its_code_imports() -> None:
    lock = operate_lock(
        (ROOT / "requirements.in").read_text(encoding="utf-8"), (ROOT / "requirements.lock").read_text(encoding="utf-8")
    )
    held, places = set(re.findall(r"^([a-z0-9._-]+)==", lock, re.M)), packages_distributions()
    ours = {"core", "crm_api", "telephony"}
    for path in [path for folder in sorted(ours) for path in (ROOT / folder).rglob("*.py")]:
        for name in _imported(path) - ours - sys.stdlib_module_names:
            # What is imported inside a function may belong to a floor above.
            assert {re.sub("[-_.]+", "-", each).lower() for each in places[name]} & held, (path, name)


def _imported(path: Path) -> set[str]:
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    plain = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {str(node.module).split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)}


def _needed(program: str, mend: str) -> str:
    found = shutil.which(program)
    if found is None:
        missing(program, mend)
    return str(found)


def test_compose_reads_the_file() -> None:
    docker = _needed("docker", "install Docker's client with Compose v2")
    if subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        missing("Compose v2", "install the plugin docker-compose")
    done = subprocess.run([docker, "compose", "--profile", "*", "config", "-q"], cwd=ROOT, capture_output=True,
                          text=True, env=os.environ | {"COMPOSE_PROFILES": ""}, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_promtool_accepts_the_rules() -> None:
    promtool = _needed("promtool", "install the package prometheus")
    # The token's file is there only in the stack.
    for what in (["config", "--syntax-only", "prometheus.yml"], ["rules", "rules.yml"]):
        done = subprocess.run([promtool, "check", *what], cwd=DOCKER / "prometheus", capture_output=True, text=True,
                              check=False)  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_reads_the_token_that_the_migrations_keep(stack: dict[str, Any]) -> None:
    configured = yaml.safe_load((DOCKER / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    (api,) = [each for each in configured["scrape_configs"] if each["job_name"] == "api"]
    file, services = api["authorization"]["credentials_file"], stack["services"]
    assert services["migrations"]["command"][-1].endswith(f"crm users metrics-token --out {file}")
    volume = f"metrics:{Path(file).parent}"
    assert volume in services["migrations"]["volumes"] and volume in services["first-start"]["volumes"]
    assert f"{volume}:ro" in services["prometheus"]["volumes"] and services["prometheus"]["group_add"] == ["10001"]
    # It sees the token, and none of the other secrets.
    assert not any(each.startswith("secrets:") for each in services["prometheus"]["volumes"])
    assert str(Path(file).parent) in (DOCKER / "first_start.py").read_text(encoding="utf-8")


def test_the_token_for_measuring_is_kept_and_changed_by_deleting_it(sqlite_url: str, tmp_path: Path) -> None:
    from starlette.testclient import TestClient

    from core.database import make_engine
    from crm_api.app import create_app
    from crm_api.identity.token_files import keep_metrics_token

    engine, file = make_engine(url=sqlite_url), tmp_path / "metrics" / "token"
    api = TestClient(create_app(engine))

    def asked(path: str, token: str) -> int:
        return api.get(path, headers={"Authorization": f"Bearer {token}"}).status_code

    assert keep_metrics_token(engine, file) and not keep_metrics_token(engine, file)
    first = file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o777 == 0o440
    assert (asked("/metrics", first), asked("/api/v1/customers", first), asked("/metrics", "")) == (200, 403, 401)
    file.unlink()
    assert keep_metrics_token(engine, file)
    assert (asked("/metrics", first), asked("/metrics", file.read_text(encoding="utf-8"))) == (401, 200)
    # A token of another store: that store's backup was restored.
    file.unlink()
    file.write_text("crm_unknown", encoding="utf-8")
    assert keep_metrics_token(engine, file) and asked("/metrics", file.read_text(encoding="utf-8")) == 200


def test_prometheus_is_asked_in_words_that_both_promtools_know(stack: dict[str, Any]) -> None:
    asked = stack["services"]["prometheus"]["healthcheck"]["test"]
    assert asked[:4] == ["CMD", "promtool", "query", "instant"]
    promtool = _needed("promtool", "install the package prometheus")
    away = f"http://127.0.0.1:{free_port()}"
    done = subprocess.run([promtool, *asked[2:4], away, asked[5]], capture_output=True, text=True, check=False)
    # It tried to ask, and says that it got no answer.
    assert done.returncode == 1 and "refused" in done.stderr


@pytest.mark.parametrize("name", ["dag_processor", "triggerer"])
def test_airflows_helpers_are_healthy_while_their_heart_beats(stack: dict[str, Any], name: str) -> None:
    _, _, _, script = stack["services"][f"airflow-{name.replace('_', '-')}"]["healthcheck"]["test"]
    told: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        def log_message(self, *_: Any) -> None:
            """Be quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    assert script.count("http://airflow-api:8793/api/v2/monitor/health") == 1
    mine = script.replace("airflow-api:8793", f"127.0.0.1:{server.server_port}")
    # What Airflow tells of a helper that lives, is late, or never was.
    for status, expected in (("healthy", 0), ("unhealthy", 1), (None, 1)):
        told[name] = {"status": status}
        assert subprocess.run([sys.executable, "-c", mine], check=False).returncode == expected, status
    server.shutdown()
    server.server_close()


def test_airflow_knows_what_the_stack_asks_and_sets(stack: dict[str, Any]) -> None:
    import airflow.api_fastapi.core_api.datamodels.monitor as monitor

    assert {"dag_processor", "triggerer"} <= monitor.HealthInfoResponse.model_fields.keys()
    template = (Path(monitor.__file__).parents[3] / "config_templates" / "config.yml").read_text(encoding="utf-8")
    known, environment = yaml.safe_load(template), stack["services"]["airflow-api"]["environment"]
    for variable in [name for name in environment if name.count("__") == 2]:
        _, section, option = variable.lower().split("__")
        assert option.removesuffix("_cmd") in known[section]["options"], variable
