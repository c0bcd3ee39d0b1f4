"""Who lives in the city, by age and sex: the national census of 2020 (bulletin figures; share of population, men per 100 women)."""

import numpy as np

from wanjia.city import calendar, chance

# (first age, share of the population in percent, men per 100 women). The last three groups divide the published 75+ (4.76 %).
CENSUS_2020: tuple[tuple[int, float, float], ...] = (
    (0, 5.52, 111.0),
    (5, 6.40, 113.7),
    (10, 6.05, 115.0),
    (15, 5.16, 116.1),
    (20, 5.32, 112.5),
    (25, 6.52, 110.2),
    (30, 8.81, 106.0),
    (35, 7.02, 105.9),
    (40, 6.59, 105.1),
    (45, 8.10, 103.8),
    (50, 8.59, 101.7),
    (55, 7.19, 100.5),
    (60, 5.21, 101.0),
    (65, 5.25, 96.5),
    (70, 3.52, 95.0),
    (75, 2.22, 89.0),
    (80, 1.46, 80.0),
    (85, 0.76, 70.0),
    (90, 0.26, 55.0),
    (95, 0.06, 40.0),
)

# Share of each five-year group whose household is registered elsewhere (376 of 1,412 million nationally, mostly of working age).
FLOATING_SHARE = (
    0.16,
    0.18,
    0.19,
    0.33,
    0.42,
    0.44,
    0.42,
    0.36,
    0.31,
    0.26,
    0.22,
    0.18,
    0.13,
    0.10,
    0.08,
    0.06,
    0.05,
    0.04,
    0.03,
    0.02,
)

# Shares now married, by the same groups (women, men).
MARRIED_WOMEN = (
    0,
    0,
    0,
    0.004,
    0.19,
    0.61,
    0.85,
    0.90,
    0.92,
    0.92,
    0.92,
    0.90,
    0.86,
    0.80,
    0.70,
    0.57,
    0.40,
    0.26,
    0.14,
    0.08,
)
MARRIED_MEN = (
    0,
    0,
    0,
    0.001,
    0.09,
    0.46,
    0.77,
    0.87,
    0.90,
    0.91,
    0.92,
    0.92,
    0.91,
    0.89,
    0.85,
    0.79,
    0.70,
    0.58,
    0.44,
    0.30,
)

# Ages at death (first age of a ten-year group, share in percent): mostly old, a few infants and accidents.
DEATHS = (
    (0, 0.6),
    (1, 0.6),
    (10, 0.4),
    (20, 1.1),
    (30, 2.0),
    (40, 4.2),
    (50, 9.5),
    (60, 17.6),
    (70, 25.0),
    (80, 29.0),
    (90, 10.0),
)
YEARLY_DEATHS_PER_RESIDENT = 0.0071

GROUPS = len(CENSUS_2020)


def group_of(age: np.ndarray) -> np.ndarray:
    """The census group of every age in years."""
    return np.minimum(age // 5, GROUPS - 1)


def draw_births(rng: np.random.Generator, size: int) -> np.ndarray:
    """Birth days of `size` persons alive on the reference day, by the census."""
    groups = chance.pick(rng, chance.cumulative(np.array([share for _, share, _ in CENSUS_2020])), size)
    ages = 5.0 * groups + 5.0 * rng.random(size)
    # the day before the reference day is the youngest possible, so that nobody is born after being counted
    return (calendar.REFERENCE - 1 - np.floor(ages * calendar.YEAR)).astype(np.int32)


def draw_sexes(rng: np.random.Generator, birth: np.ndarray) -> np.ndarray:
    """Sex (1 male, 2 female; GB/T 2261.1) by the sex ratio of each one's census group."""
    men = np.array([ratio / (100.0 + ratio) for _, _, ratio in CENSUS_2020])
    groups = group_of(calendar.years_between(birth, calendar.REFERENCE))
    return np.where(rng.random(len(birth)) < men[groups], 1, 2).astype(np.int8)


def draw_deaths(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Birth and death days of `size` persons who died in the ten years before the reference day."""
    starts = np.array([first for first, _ in DEATHS], dtype=np.float64)
    widths = np.diff(np.r_[starts, 101.0])
    groups = chance.pick(rng, chance.cumulative(np.array([share for _, share in DEATHS])), size)
    ages = starts[groups] + widths[groups] * rng.random(size)
    # slightly more deaths in later years: the city ages
    died = calendar.WINDOW_START + np.floor((rng.random(size) ** 0.93) * (calendar.REFERENCE - calendar.WINDOW_START))
    return (died - np.floor(ages * calendar.YEAR)).astype(np.int32), died.astype(np.int32)
