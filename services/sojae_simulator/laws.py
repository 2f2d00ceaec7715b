"""The known truth: from a design, in the columns that models see, to its properties without noise."""

from collections.abc import Mapping

from sojae_simulator.projects.registry import PROJECTS, Law

LAWS: Mapping[str, Law] = {name: project.law for name, project in PROJECTS.items()}
"""The law of each project that can be simulated."""

MAIN_TARGET: Mapping[str, str] = {name: project.main_target for name, project in PROJECTS.items()}
"""The property of each project that inverse designs are asked for."""


def true_property(project: str, design: Mapping[str, object]) -> dict[str, float]:
    """Return the noiseless properties of a design: template field of the property stage → value in the field's unit.

    `design` is keyed by the columns of the materials view (`raw__…`, `composition__…`, `composition__el__<element>`,
    `process__…`, `property__…` for test conditions); what is missing or None takes the law's default, what the law
    does not use is ignored. Raises KeyError for a project without a law and ValueError for an impossible composition.
    """
    return LAWS[project](design)


def property_of(target: str) -> str:
    """Return the property field of a target: a target split by a condition is `<field>.<value>`."""
    return target.partition(".")[0]
