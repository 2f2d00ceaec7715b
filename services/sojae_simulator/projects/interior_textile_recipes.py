"""Draws of dyed polyester for interiors: lots of fibre and dye, dyeing and finishing, exposure to xenon light."""

from collections.abc import Mapping

import numpy as np

from sojae_simulator.institutes import Institute, measured
from sojae_simulator.projects.interior_textile_law import CHROMOPHORES, grey_scale, textile_property
from sojae_simulator.recipes import Values, choice, rounded, spread

INSTITUTES = (Institute("sim-textile-a", "TX"), Institute("sim-textile-b", "원단"))
"""Who takes part; the ids belong to no real institute."""
PARTS = ("lightness_difference", "red_green_difference", "yellow_blue_difference")
COLOUR_INDEX = {
    "anthraquinone": "C.I. Disperse Blue 77",
    "benzodifuranone": "C.I. Disperse Red 356",
    "quinophthalone": "C.I. Disperse Yellow 54",
    "azo": "C.I. Disperse Red 167",
}
LIGHT_SHARE = 3.8 / 4.8
"""Of a cycle of SAE J2412: 3.8 h light, 1 h dark."""


class TextileRecipes:
    """Polyester, some of it recycled, dyed with one disperse dye; see `sojae_simulator.recipes.Recipes`."""

    def lots(self, rng: np.random.Generator, campaign: str) -> dict[str, Values]:
        """Return a lot of fibre, of dye and of UV absorber, by the field that holds the amount of each."""
        chromophore = choice(rng, tuple(CHROMOPHORES))
        recycled = 5.0 * float(rng.integers(0, 21))
        supplied: Values = {"supplier": "simulated supplier", "lot_number": f"lot {campaign}"}
        return {
            "fibre_content": supplied
            | {
                "fibre": "rPET" if recycled else "PET",
                "recycled_content": recycled,
                "yarn_fineness": 167.0,
                "filament_fineness": 3.5,
                "melting_temperature": 252.0,
            },
            "dye_content": supplied
            | {
                "fibre": "none",
                "dye_class": "disperse",
                "colour_index": COLOUR_INDEX[chromophore],
                "chromophore": chromophore,
            },
            "uv_absorber_content": supplied | {"fibre": "none", "uv_absorber": "benzotriazole"},
        }

    def composition(self, rng: np.random.Generator) -> tuple[Values, Mapping[str, float]]:
        """Return the fibre in wt% and dye and absorber on its weight; amounts are those above 0."""
        absorber = spread(rng, 0.3, 3.0, 2) if rng.random() < 0.7 else 0.0
        amounts = {"fibre_content": 100.0, "dye_content": spread(rng, 0.2, 4.0, 2), "uv_absorber_content": absorber}
        values: Values = {**amounts, "pigment_content": 0.0, "titanium_dioxide_content": spread(rng, 0.05, 1.5, 2)}
        return values, {name: amount for name, amount in amounts.items() if amount}

    def process(self, rng: np.random.Generator, lots: Mapping[str, Values], furnace: str) -> Values:
        """Return dyeing, heat-setting and one exposure; the furnace is the dyeing machine."""
        return {
            "coloration_route": "bath_dyed",
            "dyeing_temperature": float(round(rng.uniform(105.0, 135.0))),
            "dyeing_time": 5.0 * float(rng.integers(5, 18)),
            "dyeing_ph": spread(rng, 4.2, 5.8, 2),
            "fabric_construction": "knitted",
            "areal_mass": 320.0,
            "finish": "none",
            "heat_setting_temperature": float(round(rng.uniform(160.0, 190.0))),
            "heat_setting_time": 1.0,
            "production_line": furnace,
        } | (_standard_exposure(rng) if rng.random() < 0.6 else _own_exposure(rng))

    def conditions(self, rng: np.random.Generator) -> Values:
        """Return illuminant and observer; the exposure is part of the process."""
        return {"illuminant": "D65_10"}

    def reading(self, rng: np.random.Generator, institute: str, tester: str, design: Mapping[str, object]) -> Values:
        """Return the readings of one exposed textile.

        The three parts are read off as the whole is, and the rating is that of the colour difference read. Of the
        strength, offset and noise are those of the loss: nothing grows stronger in the light.
        """
        truth = textile_property(design)
        difference = rounded(measured(rng, institute, "colour_difference", truth["colour_difference"]), 4)
        as_read = difference / truth["colour_difference"]
        loss = measured(rng, institute, "strength_retention", 100.0 - truth["strength_retention"])
        return {
            "colour_difference": difference,
            **{name: round(truth[name] * as_read, 3) for name in PARTS},
            "colour_formula": "CIE76",
            "grey_scale": grey_scale(difference),
            "strength_retention": round(100.0 - loss, 1),
            "specimen_count": 3.0,
        }


def _standard_exposure(rng: np.random.Generator) -> Values:
    """Return an exposure by SAE J2412."""
    hours = 4.8 * float(rng.integers(20, 125))
    return _dosed(0.55, hours, round(hours * LIGHT_SHARE, 1)) | {
        "exposure_standard": "SAE J2412",
        "exposure_cycle": "3.8 h light / 1 h dark",
        "exposure_apparatus": "xenon_water_cooled",
        "black_panel_temperature": float(rng.integers(87, 92)),
        "black_panel_temperature_dark": 38.0,
        "chamber_temperature": 62.0,
        "chamber_humidity": 50.0,
        "chamber_humidity_dark": 95.0,
    }


def _own_exposure(rng: np.random.Generator) -> Values:
    """Return an exposure in light without end by an institute's own conditions."""
    hours = 10.0 * float(rng.integers(10, 51))
    return _dosed(spread(rng, 0.4, 1.1, 2), hours, hours) | {
        "exposure_standard": "other",
        "exposure_cycle": "light without end",
        "exposure_apparatus": "xenon_air_cooled",
        "black_panel_temperature": float(rng.integers(65, 101)),
        "chamber_temperature": 55.0,
        "chamber_humidity": float(rng.integers(20, 71)),
    }


def _dosed(irradiance: float, hours: float, light_time: float) -> Values:
    return {
        "irradiance_340nm": irradiance,
        "exposure_time": round(hours, 1),
        "light_time": light_time,
        "radiant_dose": rounded(3.6 * irradiance * light_time, 5),
    }
