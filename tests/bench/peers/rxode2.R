# SPDX-License-Identifier: GPL-3.0-or-later
# W1 to W4 in rxode2, for those who have it:   cd build/bench && Rscript ../../tests/bench/peers/rxode2.R
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])), "workloads.R"))
library(rxode2)

events_of <- function(w) {
  events <- et(times(w))
  given <- doses(w)
  for (i in seq_len(nrow(given)))
    events <- et(events, time = given$time[i], amt = given$amt[i], cmt = given$cmt[i], rate = given$rate[i])
  events
}

for (w in 1:4) {
  here <- new.env()
  eval(parse(text = translated(w, "rxode2")), here)
  people <- patients(w)
  people <- cbind(people[-1], t(here$theta)[rep(1, nrow(people)), , drop = FALSE])
  events <- events_of(w)
  for (rtol in c(1e-6, 1e-8))
    report("rxode2", w, rtol, nrow(people), function()
      rxSolve(here$model, people, events, rtol = rtol, atol = 1e-6 * rtol, returnType = "data.frame"))
}
