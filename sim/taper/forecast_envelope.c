/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounds over many schedules at once. */
#include "taper/forecast_parts.h"

void hl_forecast_envelope_bind(struct hl_outlook *outlook)
{
    (void)outlook;
}

void hl_forecast_order(struct hl_forecast *f)
{
    for (size_t c = 0; c < f->problem->n_constraints; c++) {
        f->why_not[c] = "bounds over many schedules aren't offered by this forecast";
        f->assumption[c] = "";
    }
}
