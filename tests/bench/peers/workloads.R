# SPDX-License-Identifier: GPL-3.0-or-later
# Patients, doses and times of W1 to W4 for other simulators, and how they are timed. Sourced by mrgsolve.R and
# rxode2.R, which are run where the tables of patients are (build/bench, after `make bench`). Models come from
# `halflife translate`, so that nobody copies an equation; the program's path is in HALFLIFE.

script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])
studies <- normalizePath(file.path(dirname(script), ".."))
program <- Sys.getenv("HALFLIFE", "../halflife")
runs <- as.integer(Sys.getenv("BENCH_RUNS", "5"))

translated <- function(w, tool) {
  system2(program, c("translate", shQuote(file.path(studies, sprintf("w%d.yaml", w))), "--to", tool), stdout = TRUE,
          stderr = FALSE)
}

# Columns named as the models name what differs between patients; the units in brackets are those of the models.
patients <- function(w) {
  table <- read.csv(sprintf("w%d_patients.csv", w), check.names = FALSE)
  names(table) <- sub(" .*", "", names(table))
  cbind(ID = seq_len(nrow(table)), table)
}

clonazepam <- function() {
  data.frame(time = 12 * (0:139), amt = rep(c(0.5, 0.375, 0.25, 0.125), c(56, 28, 28, 28)), cmt = 1, rate = 0)
}

# W2's boluses stand in its study.
boluses <- function() {
  lines <- grep("iv: 20 ug", readLines(file.path(studies, "w2.yaml")), value = TRUE)
  as.numeric(sub(".*start: ([0-9.e+-]+) h.*", "\\1", lines))
}

doses <- function(w) {
  all <- switch(w,
    rbind(clonazepam(), data.frame(time = 72 * (0:23), amt = 1.8, cmt = 4, rate = 0)),
    rbind(data.frame(time = 0, amt = 0.48, cmt = 1, rate = 0.02),
          data.frame(time = boluses(), amt = 0.02, cmt = 1, rate = 0)),
    clonazepam(),
    data.frame(time = 0, amt = 100, cmt = 1, rate = 0))
  all[order(all$time), ]
}

times <- function(w) if (w == 2) (0:2880) / 60 else if (w == 4) 0:48 else 0:2016

# Median and spread of several solutions; solve is a function without arguments.
report <- function(tool, w, tolerance, n, solve) {
  solve()
  seconds <- sort(vapply(seq_len(runs), function(i) system.time(solve())[["elapsed"]], 0))
  cat(sprintf("W%d  %-10s rtol %-6g %7d patients  %8.3f s [%.3f, %.3f]\n", w, tool, tolerance, n, median(seconds),
              seconds[1], seconds[runs]))
}
