"""compose.yaml is a server as docs/operations.md asks for one: version, owner, database, port, a volume that stays."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_the_server_of_compose_is_the_one_of_the_page() -> None:
    said = yaml.safe_load((ROOT / "compose.yaml").read_text())
    page = (ROOT / "docs" / "operations.md").read_text()
    assert set(said) == {"services", "volumes"}
    (server,) = said["services"].values()
    version = re.search(r"PostgreSQL (\d+) or later", page)
    assert version is not None
    image, _, tag = server["image"].partition(":")
    assert image == "postgres"
    assert int(tag) >= int(version[1])
    owner, database = server["environment"]["POSTGRES_USER"], server["environment"]["POSTGRES_DB"]
    assert f"createuser --pwprompt {owner}" in page
    assert f"createdb --owner {owner} {database}" in page
    assert f"pg_isready -U {owner} -d {database}" in server["healthcheck"]["test"][1]
    password = re.match(r"\$\{(\w+):\?", server["environment"]["POSTGRES_PASSWORD"])
    assert password is not None  # no default: compose refuses to start without one
    assert f"{password[1]}=... docker compose up -d" in page
    assert server["ports"] == ["127.0.0.1:5432:5432"]  # this machine only
    (volume,) = server["volumes"]
    assert volume.split(":") == [next(iter(said["volumes"])), "/var/lib/postgresql/data"]
    assert {"fsync=on", "synchronous_commit=on"} <= set(server["command"])
