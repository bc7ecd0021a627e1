/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What became of the subjects of tapers with reviews: metrics (arm, subject) that nobody has to ask for, since they are
 * what such an arm is run for. clonazepam_taper_days and so on; a second reviewed taper of a drug in an arm is
 * clonazepam_taper_2_days. An arm without reviews has no value (NaN). */
#include <math.h>

#include "store/inside.h"

static const struct { const char *stem, *unit, *long_name; } quantities[HL_N_TAPER] = {
    [HL_TAPER_DAYS] = {"days", "d", "days from the taper's start to its last level's end; none when it isn't over by "
                       "the study's end"},
    [HL_TAPER_REACHED_ZERO] = {"reached_zero", "1", "1 when the taper is over by the study's end, else 0"},
    [HL_TAPER_HOLDS] = {"holds", "1", "number of reviews at which the level was repeated"},
    [HL_TAPER_STEPS_BACK] = {"steps_back", "1", "number of reviews at which a level was taken back"},
    [HL_TAPER_REVIEWS] = {"reviews", "1", "number of reviews"},
    [HL_TAPER_DOSE] = {"dose", "mg", "cumulative dose of the taper as decided, up to the study's end"},
};

static const struct hl_taper_variables *find(const struct hl_store *s, int instance, int number)
{
    for (size_t i = 0; i < s->n_tapers; i++)
        if (s->taper[i].instance == instance && s->taper[i].number == number)
            return &s->taper[i];
    return NULL;
}

static void create(struct hl_store *s, const struct hl_reviewed *reviewed)
{
    struct hl_arena *a = s->writer->arena;
    const struct hl_axis *axis[2] = {&s->arm, &s->subject};
    struct hl_taper_variables *v = &s->taper[s->n_tapers++];
    const char *number = reviewed->number > 0 ? hl_arena_printf(a, "_%d", reviewed->number + 1) : "";
    *v = (struct hl_taper_variables){.instance = reviewed->instance, .number = reviewed->number};
    for (int q = 0; q < HL_N_TAPER; q++) {
        const char *wanted = hl_arena_printf(a, "%s_taper%s_%s", reviewed->drug, number, quantities[q].stem);
        struct hl_dataset *d = hl_writer_dataset(s->writer, "/metrics", hl_writer_name(s->writer, "/metrics", wanted),
                                                 HL_FLOAT64, 2, axis, NULL);
        v->dataset[q] = d;
        if (!d)
            return;
        hl_writer_text(s->writer, d, "statistic", "reviews");
        hl_writer_text(s->writer, d, "units", quantities[q].unit);
        hl_writer_text(s->writer, d, "long_name", hl_arena_printf(a, "%s: %s", reviewed->drug,
                                                                  quantities[q].long_name));
    }
}

void hl_tapers_create(struct hl_store *s, const struct hl_regimen *const *regimen)
{
    size_t most = 0;
    for (size_t arm = 0; arm < s->study->n_arms; arm++)
        most += regimen[arm]->n_reviewed;
    s->taper = hl_arena_alloc(s->writer->arena, most + 1, sizeof *s->taper);
    for (size_t arm = 0; arm < s->study->n_arms; arm++)
        for (size_t i = 0; i < regimen[arm]->n_reviewed; i++)
            if (!find(s, regimen[arm]->reviewed[i].instance, regimen[arm]->reviewed[i].number))
                create(s, &regimen[arm]->reviewed[i]);
}

static double quantity(const struct hl_review_outcome *o, int q)
{
    switch (q) {
    case HL_TAPER_DAYS: return hl_one_nan(o->days);
    case HL_TAPER_REACHED_ZERO: return o->reached_zero ? 1 : 0;
    case HL_TAPER_HOLDS: return (double)o->holds;
    case HL_TAPER_STEPS_BACK: return (double)o->back;
    case HL_TAPER_REVIEWS: return (double)o->reviews;
    default: return o->cumulative;
    }
}

/* Which of an arm's reviewed tapers goes into a variable; n_reviewed: none. */
static size_t which(const struct hl_regimen *regimen, const struct hl_taper_variables *v)
{
    size_t i = 0;
    while (i < regimen->n_reviewed
           && !(regimen->reviewed[i].instance == v->instance && regimen->reviewed[i].number == v->number))
        i++;
    return i;
}

enum hl_status hl_store_tapers(struct hl_store *s, size_t arm, const struct hl_regimen *regimen,
                               const struct hl_review_outcome *outcome, const signed char *failed)
{
    size_t n = (size_t)s->study->subjects;
    double *values = s->n_tapers > 0 ? hl_alloc(n, sizeof *values) : NULL;
    if (s->n_tapers > 0 && !values)
        return HL_ERR_MEMORY;
    for (size_t t = 0; t < s->n_tapers; t++) {
        size_t i = which(regimen, &s->taper[t]);
        for (int q = 0; q < HL_N_TAPER && s->writer->status == HL_OK; q++) {
            for (size_t k = 0; k < n; k++)
                values[k] = i == regimen->n_reviewed || failed[k] ? (double)NAN
                                                                  : quantity(&outcome[k * regimen->n_reviewed + i], q);
            hl_writer_arm(s->writer, s->taper[t].dataset[q], arm, values);
        }
    }
    hl_free(values);
    return s->writer->status;
}
