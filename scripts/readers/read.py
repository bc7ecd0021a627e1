#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens a result and draws the first output: median and 5-95 % band of each arm.

    python3 scripts/readers/read.py output/first.h5 [figure.png]

Needs xarray with h5netcdf or netCDF4, and matplotlib. Axes come in the order of the file: (arm, subject, time).
"""
import sys

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import xarray as xr

path = sys.argv[1]
data = xr.open_dataset(path)
name = next(v for v in data.data_vars if data[v].attrs.get("statistic") == "quantiles")
quantiles = data[name]  # (arm, quantile, time)
subjects = xr.open_dataset(path, group="subjects")  # covariates and individual parameters
print(subjects)

for arm in range(data.sizes["arm"]):
    low, high = quantiles.isel(arm=arm, quantile=0), quantiles.isel(arm=arm, quantile=-1)
    median = quantiles.isel(arm=arm).sel(quantile=0.5, method="nearest")
    band = plt.fill_between(data["time"], low, high, alpha=0.25)
    plt.plot(data["time"], median, color=band.get_facecolor()[0, :3], label=str(data["arm_name"].values[arm]))

plt.xlabel(f"time [{data['time'].attrs['units']}]")
plt.ylabel(f"{quantiles.attrs['output']} [{quantiles.attrs['units']}]")
plt.title(data.attrs["title"] + "\neducation and research, not for dosing", fontsize="small")
plt.legend()
plt.savefig(sys.argv[2] if len(sys.argv) > 2 else "figure.png", dpi=150)
