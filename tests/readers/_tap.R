# SPDX-License-Identifier: GPL-3.0-or-later
# TAP in R: ok("name", expression); a condition counts as a failure.
number <- 0
ok <- function(name, expression) {
    number <<- number + 1
    good <- tryCatch(isTRUE(expression), error = function(e) { message("# ", conditionMessage(e)); FALSE })
    cat(if (good) "ok" else "not ok", " ", number, " - ", name, "\n", sep = "")
}
given <- function(name) as.numeric(Sys.getenv(name))
