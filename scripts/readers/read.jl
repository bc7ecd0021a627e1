# SPDX-License-Identifier: GPL-3.0-or-later
# Opens a result and draws one output: median and 5-95 % band of each arm.
#
#     julia scripts/readers/read.jl output/first.h5 clonazepam_Cp [figure.png]
#
# Needs the packages HDF5 and Plots. Julia sees the axes reversed: (time, subject, arm), (time, quantile, arm).
using HDF5, Plots

path, name = ARGS[1], ARGS[2]
file = h5open(path, "r")
time, quantile, arms = read(file["time"]), read(file["quantile"]), read(file["arm_name"])
dataset = file[name * "_quantiles"]
values = read(dataset)                                   # (time, quantile, arm)
unit = read_attribute(dataset, "units")
middle = argmin(abs.(quantile .- 0.5))

figure = plot(xlabel = "time [h]", ylabel = "$name [$unit]", titlefontsize = 8,
              title = read_attribute(file, "title") * "\neducation and research, not for dosing")
for (arm, label) in enumerate(arms)
    median = values[:, middle, arm]
    plot!(figure, time, median, ribbon = (median .- values[:, 1, arm], values[:, end, arm] .- median),
          fillalpha = 0.2, linewidth = 2, label = label)
end
savefig(figure, length(ARGS) > 2 ? ARGS[3] : "figure.png")
