"""Prometheus' Alertmanager, which a gateway may hand its alarms to."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from typing_extensions import override

from tests.servers.process import Server, http_get
from tests.servers.programs import Program, find

_TEMPLATES = Path("usr/share/prometheus/alertmanager")
# Debian compiled in the absolute place of two templates and without them it ends at once. An unpacked one
# gets a /usr/share of its own, seen by nobody else; `exec` keeps the process id.
_WITH_OWN_TEMPLATES = """
mount -t tmpfs none /usr/share && mkdir -p /usr/share/prometheus &&
cp -r "$1" /usr/share/prometheus/ && shift && exec "$@"
"""


class Alertmanager(Server):
    """An Alertmanager on a loopback port which sends to one webhook, 0.2 s after an alert came or changed."""

    name = "prometheus-alertmanager"

    def __init__(self, folder: Path, *, webhook: str) -> None:
        super().__init__(folder)
        self.url = f"http://{self.host}:{self.port}"
        self.webhook = webhook

    @override
    def command(self) -> tuple[Program, Sequence[str | Path]]:
        configuration = self.folder / "alertmanager.json"  # JSON is YAML
        configuration.write_text(json.dumps({
            "route": {
                "receiver": "test",
                "group_by": ["..."],
                "group_wait": "200ms",
                "group_interval": "200ms",
                "repeat_interval": "1h",
            },
            "receivers": [
                {"name": "test", "webhook_configs": [{"url": self.webhook, "send_resolved": True}]},
            ],
        }))  # fmt: skip
        program = find("prometheus-alertmanager")
        arguments: list[str | Path] = [
            f"--config.file={configuration}",
            f"--storage.path={self.folder / 'data'}",
            f"--web.listen-address={self.host}:{self.port}",
            "--cluster.listen-address=",  # alone: no peers, no second port
        ]
        if program.root is None or (Path("/") / _TEMPLATES / "default.tmpl").exists():
            return program, arguments
        whose = ["--mount"] if os.geteuid() == 0 else ["--mount", "--user", "--map-root-user"]
        shell: list[str | Path] = ["sh", "-c", _WITH_OWN_TEMPLATES, "sh", program.root / _TEMPLATES]
        wrapper = Program(find("unshare").path, variables=program.variables)
        return wrapper, [*whose, *shell, program.path, *arguments]

    @override
    def ready(self) -> bool:
        try:
            return http_get(self.port, "/-/ready")[0] == 200
        except OSError:
            return False

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts it holds as its API gives them: labels, annotations, startsAt, endsAt, status."""
        status, said = http_get(self.port, "/api/v2/alerts")
        assert status == 200, said
        found: list[dict[str, Any]] = json.loads(said)
        return found
