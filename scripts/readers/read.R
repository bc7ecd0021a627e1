#!/usr/bin/env Rscript
# SPDX-License-Identifier: GPL-3.0-or-later
# Opens a result and draws the first output: median and 5-95 % band of each arm.
#
#     Rscript scripts/readers/read.R output/first.h5 [figure.png]
#
# Needs rhdf5 (Bioconductor). R sees the axes reversed: (time, subject, arm), (time, quantile, arm).
library(rhdf5)

words <- commandArgs(trailingOnly = TRUE)
path <- words[1]
names <- h5ls(path)
name <- grep("_quantiles$", names$name[names$group == "/"], value = TRUE)[1]
time <- h5read(path, "/time")
arms <- h5read(path, "/arm_name")
quantile <- h5read(path, "/quantile")
values <- h5read(path, name)                             # (time, quantile, arm)
about <- suppressWarnings(h5readAttributes(path, name))  # warnings: R does not read the names of axes
middle <- which.min(abs(quantile - 0.5))
subjects <- h5read(path, "/subjects")                      # covariates and individual parameters, one vector each
str(subjects)

png(if (length(words) > 1) words[2] else "figure.png", width = 1200, height = 800, res = 150)
matplot(time, values[, middle, ], type = "l", lty = 1, lwd = 2, col = seq_along(arms),
        ylim = range(values, na.rm = TRUE), xlab = "time [h]", ylab = paste0(about$output, " [", about$units, "]"),
        main = paste0(h5readAttributes(path, "/")$title, "\neducation and research, not for dosing"), cex.main = 0.8)
for (arm in seq_along(arms))
    polygon(c(time, rev(time)), c(values[, 1, arm], rev(values[, length(quantile), arm])),
            col = adjustcolor(arm, 0.2), border = NA)
legend("topright", arms, col = seq_along(arms), lty = 1, lwd = 2)
invisible(dev.off())
