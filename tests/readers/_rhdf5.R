# SPDX-License-Identifier: GPL-3.0-or-later
suppressMessages(library(rhdf5))
cat("1..7\n")
f <- Sys.getenv("RESULT")
cp <- h5read(f, "/clonazepam_Cp")
ok("rhdf5 sees time, subject, arm", identical(as.numeric(dim(cp)), c(given("TIMES"), given("SUBJECTS"), given("ARMS"))))
ok("rhdf5 reads the value h5py reads", cp[given("CELL_TIME"), given("CELL_SUBJECT"), given("CELL_ARM")] == given("CELL"))
ok("rhdf5 reads units", h5readAttributes(f, "/clonazepam_Cp")$units == "ng/mL" && h5readAttributes(f, "/time")$units == "h")
ok("rhdf5 reads arm names and seeds as text",
   h5read(f, "/arm_name")[1] == "standard care" && nchar(h5readAttributes(f, "/")$seed) > 0)
ok("rhdf5 reads metrics and long texts",
   h5read(f, "/metrics/clonazepam_Cp_Cmax")[given("CELL_SUBJECT"), given("CELL_ARM")] == given("CMAX") &&
   nchar(h5readAttributes(f, "/provenance/study")$text) > 50)
f <- Sys.getenv("RECORDS")
records <- as.data.frame(h5read(f, "/records"))
ok("rhdf5 reads records as a data frame",
   nrow(records) == given("N_RECORDS") && records$IPRED[given("ROW")] == given("ROW_IPRED") &&
   records$ID[given("ROW")] == given("ROW_ID") && is.integer(records$EVID) && is.nan(records$AMT[given("ROW_MISSING")]))
ok("rhdf5 reads the units and rules of a data-set run", h5readAttributes(f, "/records/IPRED")$units == "ng/mL" &&
   grepl("^(next|previous|interpolate)", h5readAttributes(f, "/")$covariate_rule) &&
   h5readAttributes(f, "/")$bioavailability_scales == "duration")
