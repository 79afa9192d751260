"""Prometheus' Alertmanager, which a gateway may hand its alarms to."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from typing_extensions import override

from tests.servers.process import Server, http_get
from tests.servers.programs import Program, find

# Debian compiled in the absolute place of its templates, and without them it ends at once. In an unpacked
# copy that place is replaced by one of the same length below the folder it is started in. (A mount over
# /usr/share in a namespace of its own would do too, but needs a right that containers often withhold.)
_TEMPLATES = b"/usr/share/prometheus/alertmanager"
_TEMPLATES_HERE = b"/proc/self/cwd/alertmanager-assets"
assert len(_TEMPLATES) == len(_TEMPLATES_HERE)


def _relocated(program: Program, folder: Path) -> Program:
    """Return a copy of an unpacked program that finds its templates from `folder`."""
    assert program.root is not None
    copy = program.path.with_suffix(".relocated")
    if not copy.exists():
        half = program.path.with_suffix(f".{os.getpid()}")  # two workers may do this at once
        half.write_bytes(program.path.read_bytes().replace(_TEMPLATES, _TEMPLATES_HERE))
        half.chmod(0o755)
        half.rename(copy)
    assets = folder / Path(_TEMPLATES_HERE.decode()).name
    if not assets.is_symlink():
        assets.symlink_to(program.root / _TEMPLATES.decode().lstrip("/"))
    return replace(program, path=copy)


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
        return program if program.root is None else _relocated(program, self.folder), arguments

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
