"""The law of the simulated kiln: a programme, a furnace that lags behind it, ware that lags behind the furnace, power.

Each lag is a lumped heat capacity behind one thermal resistance, τ·dT/dt = T_outside − T, as in Incropera et al.,
Fundamentals of Heat and Mass Transfer, ch. 5. With a programme of straight lines every temperature is a sum of a line and
exponentials, so it is exact at any time, whatever the step. Where no source is named, a constant is set by this law so
that the kiln is an ordinary chamber furnace: 8 kW at the end of a ramp of 10 K/min, 5 kW in a soak at 1,475 °C.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

AMBIENT_CELSIUS = 20.0
RAMP_K_PER_MIN = 10.0
"""Of the programme; ceramics are commonly ramped at 1 to 10 K/min."""
FURNACE_LAG_S = 120.0
"""How far the furnace is behind the programme: 20 K in the ramp."""
WARE_LAG_S = 300.0
"""How far the ware is behind the furnace: 50 K in the ramp."""
HEAT_CAPACITY_KJ_PER_K = 16.0
"""Of lining, furniture and ware together."""
COOLING_S = 4_320.0
"""Heat capacity times thermal resistance to the room: the time constant of Newton's law of cooling."""
UNLOAD_CELSIUS = 300.0
"""Where the door is opened: the batch has ended."""
OPEN_DOOR_S = 600.0
"""Time constant of the empty kiln with its door open."""


class Curve(NamedTuple):
    """A temperature from `start` on: constant + slope·s + Σ coefficient·exp(−s/τ), s = seconds since the start."""

    start: float
    constant: float
    slope: float = 0.0
    decays: tuple[tuple[float, float], ...] = ()
    """(τ, coefficient) of each exponential."""

    def at(self, seconds: Floats) -> Floats:
        """Return the temperature in °C."""
        s = seconds - self.start
        value: Floats = self.constant + self.slope * s
        for tau, coefficient in self.decays:
            value = value + coefficient * np.exp(-s / tau)
        return value

    def rate(self, seconds: Floats) -> Floats:
        """Return its derivative in K/s."""
        value = np.full_like(seconds, self.slope)
        for tau, coefficient in self.decays:
            value = value - coefficient / tau * np.exp(-(seconds - self.start) / tau)
        return value

    def lagged(self, tau: float, begin: float) -> "Curve":
        """Return what follows this curve with a lag: the solution of τ·y' = x − y with y = `begin` at the start."""
        decays = tuple((of, coefficient * of / (of - tau)) for of, coefficient in self.decays)
        constant = self.constant - self.slope * tau
        rest = begin - constant - math.fsum(coefficient for _, coefficient in decays)
        return Curve(self.start, constant, self.slope, (*decays, (tau, rest)))


@dataclass(frozen=True)
class Firing:
    """One batch in the kiln: the programme heats from `begin_celsius` to the soak, holds it, and switches off."""

    soak_celsius: float
    soak_hours: float
    begin_celsius: float = AMBIENT_CELSIUS

    @property
    def soak_begin(self) -> float:
        """Seconds at which the programme reaches the soak."""
        return (self.soak_celsius - self.begin_celsius) / (RAMP_K_PER_MIN / 60.0)

    @property
    def soak_end(self) -> float:
        """Seconds at which the heating is switched off."""
        return self.soak_begin + 3_600.0 * self.soak_hours

    @cached_property
    def seconds(self) -> float:
        """Seconds until the furnace is cool enough to be unloaded."""
        hot = float(self._furnace[1].at(np.array([self.soak_end]))[0])
        cooling = math.log((hot - AMBIENT_CELSIUS) / (UNLOAD_CELSIUS - AMBIENT_CELSIUS))
        return self.soak_end + COOLING_S * cooling

    @cached_property
    def _furnace(self) -> Sequence[Curve]:
        programme = Curve(0.0, self.begin_celsius, RAMP_K_PER_MIN / 60.0)
        ramp = programme.lagged(FURNACE_LAG_S, self.begin_celsius)
        soak = Curve(self.soak_begin, self.soak_celsius).lagged(FURNACE_LAG_S, _end(ramp, self.soak_begin))
        hot = _end(soak, self.soak_end)
        cooling = Curve(self.soak_end, AMBIENT_CELSIUS, decays=((COOLING_S, hot - AMBIENT_CELSIUS),))
        return ramp, soak, cooling

    @cached_property
    def _ware(self) -> Sequence[Curve]:
        curves: list[Curve] = []
        for curve in self._furnace:
            begin = _end(curves[-1], curve.start) if curves else self.begin_celsius
            curves.append(curve.lagged(WARE_LAG_S, begin))
        return curves

    def furnace(self, seconds: Floats) -> Floats:
        """Return the temperature of the furnace in °C; seconds since the batch's start."""
        return _piecewise(seconds, self._furnace, [c.at(seconds) for c in self._furnace])

    def ware(self, seconds: Floats) -> Floats:
        """Return the temperature of the ware in °C: what its properties follow."""
        return _piecewise(seconds, self._ware, [c.at(seconds) for c in self._ware])

    def power(self, seconds: Floats) -> Floats:
        """Return the heating power in kW, by the energy balance C·dT/dt = P − (T − T_ambient)/R; 0 once switched off."""
        kilowatts = [
            HEAT_CAPACITY_KJ_PER_K * (c.rate(seconds) + (c.at(seconds) - AMBIENT_CELSIUS) / COOLING_S)
            for c in self._furnace[:2]
        ]
        return _piecewise(seconds, self._furnace, [*kilowatts, np.zeros_like(seconds)])

    def above(self, celsius: float) -> tuple[float, float]:
        """Return the mean temperature in °C of the ware while it is above a limit, and for how many hours it is."""
        grid = np.arange(0.0, self.seconds, 1.0)
        ware = self.ware(grid)
        hot = ware[ware > celsius]
        return (float(hot.mean()), len(hot) / 3_600.0) if len(hot) else (math.nan, 0.0)


def idle(seconds: Floats) -> Floats:
    """Return the temperature in °C of the kiln so many seconds after it was opened."""
    return AMBIENT_CELSIUS + (UNLOAD_CELSIUS - AMBIENT_CELSIUS) * np.exp(-seconds / OPEN_DOOR_S)


def _end(curve: Curve, seconds: float) -> float:
    return float(curve.at(np.array([seconds]))[0])


def _piecewise(seconds: Floats, curves: Sequence[Curve], values: Sequence[Floats]) -> Floats:
    """Return of each time the value of the last curve that has begun."""
    number = np.searchsorted([curve.start for curve in curves[1:]], seconds, side="right")
    return np.choose(number, list(values))
