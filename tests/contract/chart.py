"""The Helm chart as tests read it; run as a program, it lints, renders and validates the chart's examples.

Rendering goes through the SDK of helm-python-sdk; the variable HELM names a helm binary to use instead.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import yaml

from tests.contract.sources import REPOSITORY

CHART = REPOSITORY / "charts" / "sojae"
KUBERNETES = ("1.30", "1.34", "1.37")
"""The oldest that the chart is for, the one that helm is told of, and the newest whose schemas there are."""
OBJECTS = {
    "laptop": {
        "ConfigMap": 4,
        "Deployment": 4,
        "NetworkPolicy": 4,
        "PersistentVolumeClaim": 1,
        "ServiceAccount": 1,
    },
    "centre": {
        "ConfigMap": 3,
        "Deployment": 3,
        "NetworkPolicy": 3,
        "PodDisruptionBudget": 2,
        "ServiceAccount": 1,
    },
}
"""How many objects of each kind an example makes."""

Manifest = dict[str, Any]
Values = Mapping[str, Any]


class ChartRefusedError(Exception):
    """Helm's words about a chart, or about values that it does not take."""


def example(name: str) -> dict[str, Any]:
    """Return the values of an example: `laptop` or `centre`."""
    loaded: dict[str, Any] = yaml.safe_load((CHART / f"values-{name}.yaml").read_text(encoding="utf-8"))
    return loaded


def render(values: Values, chart: Path = CHART) -> list[Manifest]:
    """Return the objects that a chart makes of values, as release `lab`; raises ChartRefusedError with helm's words."""
    helm = os.environ.get("HELM")
    if helm:
        with _file(values) as path:
            texts = [_run(helm, "template", "lab", str(chart), "--namespace", "institute", "--values", path)]
    else:
        try:
            rendered = helm_python.Chart.load(chart).render(dict(values), name="lab", namespace="institute")
        except helm_python.HelmError as error:
            raise ChartRefusedError(str(error)) from error
        texts = [text for path, text in sorted(rendered.items()) if not path.endswith(".txt")]
    return [document for text in texts for document in yaml.safe_load_all(text) if document]


def lint(values: Values, chart: Path = CHART) -> list[str]:
    """Return what helm's lint finds wrong: errors and warnings."""
    helm = os.environ.get("HELM")
    if helm:
        with _file(values) as path:
            try:
                _run(helm, "lint", str(chart), "--strict", "--values", path)
            except ChartRefusedError as refused:
                return [str(refused)]
        return []
    report = helm_python.lint(chart, dict(values), strict=True, kube_version=f"v{KUBERNETES[1]}.0")
    return [message["error"] for message in report["messages"] if message["severity"] >= 2]  # warning


def invalid(manifest: Manifest) -> str | None:
    """Return what Kubernetes would refuse about an object, strictly and in every version, or None.

    A kind or version that Kubernetes does not have is refused too: the library alone would only be silent about it.
    """
    for version in KUBERNETES:
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
            return f"{manifest.get('kind')} in Kubernetes {version}: {error}"
    return None


def of_kind(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    """Return the objects of a kind by the last word of their name: the service's."""
    return {m["metadata"]["name"].rpartition("-")[2]: m for m in manifests if m["kind"] == kind}


def counts(manifests: list[Manifest]) -> dict[str, int]:
    """Return how many objects of each kind there are."""
    kinds = [manifest["kind"] for manifest in manifests]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def environment(manifests: list[Manifest], service: str) -> dict[str, str]:
    """Return the environment of a service's pod, with `secret` for what comes from a Secret."""
    (container,) = of_kind(manifests, "Deployment")[service]["spec"]["template"]["spec"]["containers"]
    (source,) = container["envFrom"]
    (found,) = [
        m for m in manifests if m["kind"] == "ConfigMap" and m["metadata"]["name"] == source["configMapRef"]["name"]
    ]
    return {**found["data"], **{each["name"]: "secret" for each in container.get("env", ())}}


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ChartRefusedError(done.stdout + done.stderr)
    return done.stdout


@contextmanager
def _file(values: Values) -> Iterator[str]:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(values, file)
        file.flush()
        yield file.name


def main() -> int:
    """Say of each example whether it is as it should be; return the exit code."""
    bad = 0
    for name, expected in OBJECTS.items():
        manifests = render(example(name))
        wrong = lint(example(name)) + [said for said in map(invalid, manifests) if said]
        if counts(manifests) != expected:
            wrong.append(f"objects: {counts(manifests)}, expected {expected}")
        for said in wrong:
            sys.stderr.write(f"{name}: {said}\n")
        objects = ", ".join(f"{count} {kind}" for kind, count in counts(manifests).items())
        sys.stdout.write(
            f"{name}: {len(manifests)} objects valid in Kubernetes {', '.join(KUBERNETES)}: {objects}\n"
            if not wrong
            else ""
        )
        bad += bool(wrong)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
