"""The law of the simulated kiln: each lag and the power are what the equations say, and the truth is that of the ware."""

import numpy as np
import pytest

from sojae_simulator.furnace_law import (
    AMBIENT_CELSIUS,
    COOLING_S,
    FURNACE_LAG_S,
    HEAT_CAPACITY_KJ_PER_K,
    OPEN_DOOR_S,
    UNLOAD_CELSIUS,
    WARE_LAG_S,
    Curve,
    Firing,
    Floats,
    idle,
)

FIRING = Firing(1475.0, 5.0)
GRID = np.arange(0.0, FIRING.seconds, 1.0)


def one(seconds: float) -> Floats:
    return np.array([seconds])


def test_the_programme_ramps_soaks_and_switches_off() -> None:
    """10 K/min to 1,475 °C, five hours, then cooling until the door may be opened: an ordinary working day."""
    assert FIRING.soak_begin == pytest.approx(1455.0 * 6.0)
    assert FIRING.soak_end - FIRING.soak_begin == 5.0 * 3_600.0
    assert 8.0 < FIRING.seconds / 3_600.0 < 11.0
    assert float(FIRING.furnace(one(FIRING.seconds))[0]) == pytest.approx(UNLOAD_CELSIUS)


def test_the_furnace_lags_behind_the_programme_and_the_ware_behind_the_furnace() -> None:
    """In a long ramp by rate times time constant: 20 K and 50 K."""
    late = one(7_200.0)
    programme = AMBIENT_CELSIUS + 7_200.0 / 6.0
    furnace, ware = float(FIRING.furnace(late)[0]), float(FIRING.ware(late)[0])
    assert programme - furnace == pytest.approx(FURNACE_LAG_S / 6.0, abs=0.01)
    assert furnace - ware == pytest.approx(WARE_LAG_S / 6.0, abs=0.01)


@pytest.mark.parametrize("firing", [FIRING, Firing(1430.0, 2.0, begin_celsius=51.0)])
def test_temperatures_solve_their_equations(firing: Firing) -> None:
    """τ·dT/dt = outside − T, by finite differences, everywhere but at the corners; and nothing jumps."""
    grid = np.arange(0.0, firing.seconds, 1.0)
    furnace, ware = firing.furnace(grid), firing.ware(grid)
    slope = np.gradient(ware, 1.0)
    inner = np.ones(len(grid), dtype=bool)
    for corner in (0.0, firing.soak_begin, firing.soak_end, grid[-1]):
        inner &= np.abs(grid - corner) > 2.0
    assert np.abs(WARE_LAG_S * slope - (furnace - ware))[inner].max() < 0.01
    assert np.abs(np.diff(furnace)).max() < 0.35
    assert np.abs(np.diff(ware)).max() < 0.35
    assert [furnace[0], ware[0]] == pytest.approx([firing.begin_celsius] * 2)


def test_energy_is_balanced() -> None:
    """What was heated in is what left through the lining and what is still inside."""
    furnace, power = FIRING.furnace(GRID), FIRING.power(GRID)
    heated = np.trapezoid(power, GRID)
    lost = np.trapezoid(HEAT_CAPACITY_KJ_PER_K * (furnace - AMBIENT_CELSIUS) / COOLING_S, GRID)
    kept = HEAT_CAPACITY_KJ_PER_K * (furnace[-1] - furnace[0])
    assert heated == pytest.approx(lost + kept, rel=1e-4)


def test_power_is_that_of_a_small_chamber_furnace() -> None:
    """8 kW at the end of the ramp, 5.4 kW in the soak, none in cooling, never less than none."""
    power = FIRING.power(GRID)
    assert power.max() == pytest.approx(8.0, abs=0.1)
    assert float(FIRING.power(one(FIRING.soak_end - 60.0))[0]) == pytest.approx(5.39, abs=0.01)
    assert power[FIRING.soak_end + 1.0 < GRID].max() == 0.0
    assert power.min() >= 0.0


def test_cooling_is_newton_s() -> None:
    """The distance to the room falls by e in one time constant, and faster with the door open."""
    hot, later = (float(FIRING.furnace(one(FIRING.soak_end + s))[0]) - AMBIENT_CELSIUS for s in (0.0, COOLING_S))
    assert later / hot == pytest.approx(np.exp(-1.0))
    assert float(idle(one(0.0))[0]) == UNLOAD_CELSIUS
    assert (idle(one(OPEN_DOOR_S))[0] - AMBIENT_CELSIUS) / (UNLOAD_CELSIUS - AMBIENT_CELSIUS) == pytest.approx(
        np.exp(-1)
    )


def test_the_truth_is_that_of_the_ware() -> None:
    """Above 1,400 °C: a little longer than the soak, a little colder than the programme; later than the furnace."""
    mean, hours = FIRING.above(1400.0)
    ware = FIRING.ware(GRID)
    assert mean == pytest.approx(ware[ware > 1400.0].mean())
    assert hours == pytest.approx((ware > 1400.0).sum() / 3_600.0)
    assert 5.0 < hours < 5.5
    assert 1460.0 < mean < 1475.0
    furnace = FIRING.furnace(GRID)
    assert GRID[ware > 1400.0][0] > GRID[furnace > 1400.0][0] + 60.0


def test_a_hotter_and_longer_soak_is_hotter_and_longer() -> None:
    """What is drawn is what comes out."""
    assert Firing(1500.0, 5.0).above(1400.0)[0] > FIRING.above(1400.0)[0] + 20.0
    assert Firing(1475.0, 6.0).above(1400.0)[1] == pytest.approx(FIRING.above(1400.0)[1] + 1.0, abs=0.01)


def test_ware_that_is_never_hot_has_no_mean() -> None:
    """And no time above the limit."""
    mean, hours = Firing(1300.0, 1.0).above(1400.0)
    assert np.isnan(mean)
    assert hours == 0.0


def test_a_lag_of_a_step_is_one_minus_exp() -> None:
    """The simplest case, by hand."""
    step = Curve(0.0, 1.0).lagged(10.0, 0.0)
    assert step.at(np.array([0.0, 10.0])) == pytest.approx([0.0, 1.0 - np.exp(-1.0)])
    assert step.rate(one(0.0)) == pytest.approx([0.1])
