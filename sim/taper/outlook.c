/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A schedule followed to its end on an outlook, and whether what comes of it keeps the constraints. */
#include "taper/outlook.h"

#include "taper/search.h"

enum hl_status hl_outlook_follow(const struct hl_outlook *o, const struct hl_taper_schedule *schedule,
                                 double *statistic)
{
    struct hl_prospect *at = o->begin(o->context);
    for (size_t k = 0; at && schedule && k < schedule->n; k++) {
        struct hl_prospect *further = o->step(o->context, at, schedule->step[k]);
        o->release(o->context, at);
        at = further;
    }
    if (!at)
        return HL_ERR_MEMORY;
    enum hl_status status = o->stop(o->context, at, statistic);
    o->release(o->context, at);
    return status;
}

bool hl_outlook_keeps(const struct hl_outlook *o, const struct hl_taper_problem *problem, const double *statistic)
{
    for (size_t c = 0; c < o->n_constraints; c++) {
        const struct hl_taper_constraint *constraint = hl_taper_constraint_of(problem, c);
        size_t kept = 0;
        for (size_t i = 0; i < o->n_subjects; i++)
            kept += statistic[c * o->n_subjects + i] <= constraint->bound;
        if (kept < hl_taper_needed(constraint->share, o->n_subjects))
            return false;
    }
    return true;
}
