# SPDX-License-Identifier: GPL-3.0-or-later
suppressMessages(library(ncdf4))
cat("1..4\n")
nc <- nc_open(Sys.getenv("RESULT"))
axes <- sapply(nc$var[["clonazepam_Cp"]]$dim, function(d) d$name)
ok("ncdf4 names the axes", identical(axes, c("time", "subject", "arm")))
ok("ncdf4 reads units", ncatt_get(nc, "clonazepam_Cp", "units")$value == "ng/mL" && nc$dim$time$units == "h")
cp <- ncvar_get(nc, "clonazepam_Cp")
ok("ncdf4 reads the value h5py reads", cp[given("CELL_TIME"), given("CELL_SUBJECT"), given("CELL_ARM")] == given("CELL"))
ok("ncdf4 reads groups",
   ncvar_get(nc, "metrics/clonazepam_Cp_Cmax")[given("CELL_SUBJECT"), given("CELL_ARM")] == given("CMAX") &&
   length(ncvar_get(nc, "doses/amount")) > 0 && ncatt_get(nc, "doses/amount", "units")$value == "mg")
