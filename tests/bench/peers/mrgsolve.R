# SPDX-License-Identifier: GPL-3.0-or-later
# W1 to W4 in mrgsolve, for those who have it:   cd build/bench && Rscript ../../tests/bench/peers/mrgsolve.R
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])), "workloads.R"))
library(mrgsolve)

for (w in 1:4) {
  model <- mcode(sprintf("w%d", w), paste(translated(w, "mrgsolve"), collapse = "\n"))
  people <- patients(w)
  events <- as.ev(cbind(doses(w), evid = 1))
  for (rtol in c(1e-6, 1e-8))
    report("mrgsolve", w, rtol, nrow(people), function()
      mrgsim_ei(model, events, people, stime = times(w), rtol = rtol, atol = 1e-6 * rtol, obsonly = TRUE,
                output = "df"))
}
