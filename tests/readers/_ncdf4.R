# SPDX-License-Identifier: GPL-3.0-or-later
suppressMessages(library(ncdf4))
cat("1..6\n")
nc <- nc_open(Sys.getenv("RESULT"))
axes <- sapply(nc$var[["clonazepam_Cp"]]$dim, function(d) d$name)
ok("ncdf4 names the axes", identical(axes, c("time", "subject", "arm")))
ok("ncdf4 reads units", ncatt_get(nc, "clonazepam_Cp", "units")$value == "ng/mL" && nc$dim$time$units == "h")
cp <- ncvar_get(nc, "clonazepam_Cp")
ok("ncdf4 reads the value h5py reads", cp[given("CELL_TIME"), given("CELL_SUBJECT"), given("CELL_ARM")] == given("CELL"))
ok("ncdf4 reads groups",
   ncvar_get(nc, "metrics/clonazepam_Cp_Cmax")[given("CELL_SUBJECT"), given("CELL_ARM")] == given("CMAX") &&
   length(ncvar_get(nc, "doses/amount")) > 0 && ncatt_get(nc, "doses/amount", "units")$value == "mg")
rec <- nc_open(Sys.getenv("RECORDS"))
ipred <- ncvar_get(rec, "records/IPRED")
ok("ncdf4 reads records", length(ipred) == given("N_RECORDS") && ipred[given("ROW")] == given("ROW_IPRED") &&
   ncvar_get(rec, "records/ID")[given("ROW")] == given("ROW_ID") && ncatt_get(rec, "records/IPRED", "units")$value == "ng/mL")
ok("ncdf4 reads what is missing as missing", is.na(ncvar_get(rec, "records/AMT")[given("ROW_MISSING")]) &&
   length(ncvar_get(rec, "subjects/ID")) == given("N_INDIVIDUALS"))
