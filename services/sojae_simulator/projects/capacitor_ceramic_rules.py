"""The record rules of the capacitors, written out by hand: a second opinion that shares no code with the checks."""

from collections.abc import Mapping

from sojae_simulator.projects.plain_rule import PlainRule, all_given, any_given

TITANATE = "BaTiO3"
ADDITIVES = ("rare_earth_content", "magnesium_content", "manganese_content", "sintering_aid_content")


def _spheres(size: float | None, surface: float | None, material: str | None) -> bool:
    fits = size is None or surface is None or 500 <= size * surface <= 2000
    return fits or material != TITANATE


def _usual_surface(material: str | None, surface: float | None) -> bool:
    return material != TITANATE or surface is None or 2 <= surface <= 20


def _acceptors(manganese: float | None, magnesium: float | None) -> bool:
    return (manganese or 0.0) + (magnesium or 0.0) > 0


def _powder_weighs(perovskite: float | None, lots: Mapping[str, str] | None) -> bool:
    mixed = lots is not None and "perovskite_content" in lots and any(name in lots for name in ADDITIVES)
    return not mixed or (perovskite or 0.0) > 0


def _burn_out(electrode: str | None, gas: str | None, celsius: float | None) -> bool:
    return electrode != "Ni" or gas != "air" or celsius is None or celsius < 800


def _nickel(electrode: str | None, oxygen: float | None, celsius: float | None) -> bool:
    if electrode != "Ni" or oxygen is None or celsius is None:
        return True
    return oxygen <= 8.728 - 24252.0 / (celsius + 273.15)


def _x7r(class_: str | None, *changes: float | None) -> bool:
    return class_ != "X7R" or all(change is None or abs(change) <= 15 for change in changes)


def _insulates(resistance: float | None, product: float | None, capacitance: float | None) -> bool:
    if resistance is None or resistance >= 10:
        return True
    if product is None and capacitance is not None:
        product = resistance * capacitance * 1000.0
    return product is None or product >= 500


def _loses_little(rated: float | None, loss: float | None) -> bool:
    # Without a rating, only a loss that is too much at any is.
    most = 5.0 if rated is None or rated <= 10 else 3.5 if rated <= 25 else 2.5
    return loss is None or loss <= most


RULES: Mapping[str, Mapping[str, PlainRule]] = {
    "raw": {
        "powder_size_matches_surface": (("particle_size", "specific_surface_area", "material"), _spheres, False),
        "titanate_described": (
            ("material", "tetragonality", "specific_surface_area", "purity"),
            lambda material, *described: material != TITANATE or all_given(*described),
            False,
        ),
        "titanate_surface": (("material", "specific_surface_area"), _usual_surface, False),
    },
    "composition": {
        "manganese_and_magnesium": (("manganese_content", "magnesium_content"), _acceptors, False),
        "additive_given": (("rare_earth_content", "magnesium_content", "manganese_content"), any_given, False),
        "powder_has_amount": (("perovskite_content", "lots"), _powder_weighs, False),
    },
    "process": {
        "burn_out_spares_nickel": (("electrode", "debinding_atmosphere", "debinding_temperature"), _burn_out, False),
        "nickel_stays_metal": (("electrode", "log_oxygen_pressure", "firing_temperature"), _nickel, False),
        "debinding_usual": (("debinding_temperature",), lambda celsius: bool(200 <= celsius <= 450), True),
        "reoxidation_below_firing": (
            ("reoxidation_temperature", "firing_temperature"),
            lambda healed, fired: bool(healed < fired),
            True,
        ),
    },
    "property": {
        "insulation_given": (("insulation_resistance", "rc_product"), any_given, False),
        "x7r_within_15": (
            (
                "temperature_class",
                "capacitance_change_minus_55",
                "capacitance_change_85",
                "capacitance_change_125",
            ),
            _x7r,
            False,
        ),
        "insulation_sufficient": (("insulation_resistance", "rc_product", "capacitance"), _insulates, False),
        "loss_within_rating": (("rated_voltage", "dissipation_factor"), _loses_little, False),
        "life_test_described": (
            ("mean_time_to_failure", "life_test_temperature", "life_test_field"),
            lambda hours, *described: hours is None or all_given(*described),
            False,
        ),
        "rc_is_product": (
            ("rc_product", "insulation_resistance", "capacitance"),
            lambda product, ohm, farad: abs(product - ohm * farad * 1000.0) <= 0.020000001 * product,
            True,
        ),
        "capacitance_is_geometry": (
            ("capacitance", "relative_permittivity", "electrode_area", "layer_count", "dielectric_thickness"),
            lambda c, epsilon, area, layers, thick: (
                abs(c - 0.0000088541878 * epsilon * area * layers / thick) <= 0.100000001 * c
            ),
            True,
        ),
    },
}
"""The record rules by stage and id."""
