/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One subject is solved as a run solves it, with the study's outputs and times; what the solver decided on the way is
 * told. */
#include "commands/explain_reviews.h"

#include <inttypes.h>
#include <math.h>

#include "cohort/cohort.h"

#define DAY 24.0

/* The subject alone in a block. */
static enum hl_status solve(const struct hl_prepared *p, size_t a, uint64_t subject, struct hl_solver *solver,
                            double *regs, double *out, signed char *status)
{
    const struct hl_study *study = p->study;
    struct hl_block block = {.first = subject, .n = 1, .lanes = HL_LANES, .regs = regs, .status = status, .out = out,
                             .seed = study->arm[a].cohort->seed};
    hl_cohort_fill(p->cohort[a], subject, 1, regs, HL_LANES);
    return hl_solver_run(solver, &block, study->output, study->n_outputs, study->time, study->n_times, NULL);
}

enum hl_status hl_explain_decide(const struct hl_prepared *p, size_t a, uint64_t subject, struct hl_history *history,
                                 struct hl_diag *diag)
{
    const struct hl_study *study = p->study;
    const struct hl_regimen *regimen = p->regimen[a];
    if (regimen->n_reviewed == 0)
        return hl_history_doses(regimen, subject, history);
    signed char fared[HL_LANES] = {0};
    struct hl_solver *solver = hl_solver_create(p->plan[a], HL_LANES);
    double *regs = hl_alloc(study->arm[a].system->n_regs * HL_LANES, sizeof *regs);
    double *out = hl_alloc(study->n_outputs * study->n_times * HL_LANES, sizeof *out);
    enum hl_status status = solver && regs && out ? solve(p, a, subject, solver, regs, out, fared) : HL_ERR_MEMORY;
    if (status == HL_OK)
        status = hl_history_copy(hl_solver_history(solver, 0), regimen->n_reviewed, history);
    if (status == HL_OK)
        status = hl_history_doses(regimen, subject, history);
    if (status == HL_OK && fared[0] != HL_SUBJECT_GOOD) {
        hl_diag_error(diag, hl_pos_none(), "subject %" PRIu64 " can't be solved, so its reviews aren't known", subject);
        status = HL_ERR_SUBJECTS;
    }
    hl_solver_free(solver);
    hl_free(regs);
    hl_free(out);
    return status;
}

static void print_review(const struct hl_system *system, const struct hl_reviewed *r, const struct hl_review *v)
{
    const struct hl_output *output = &system->output[hl_review_output(r, v)];
    const char *unit = output->unit_text && *output->unit_text ? output->unit_text : "1";
    printf("  %12.4f h  %s review %zu: %s %.6g %s, %s", v->time, r->drug, v->number, output->name,
           v->value / output->unit.factor, unit, hl_review_then_name(v->then));
    if (v->rule >= 0)
        printf(" (rule %d)", v->rule + 1);
    printf(", level %d -> %d, %g -> %g mg/d\n", hl_review_level(r, v->before), hl_review_level(r, v->after),
           hl_review_daily(r, v->before), hl_review_daily(r, v->after));
}

static void print_outcome(const struct hl_reviewed *r, const struct hl_review_outcome *o)
{
    printf("  %s: ", r->drug);
    if (o->reached_zero)
        printf("over after %g d", o->days);
    else
        printf("not over by the study's end");
    printf(", %zu reviews, %zu holds, %zu steps back, %g mg\n", o->reviews, o->holds, o->back, o->cumulative);
}

void hl_explain_reviews(const struct hl_prepared *p, size_t a, const struct hl_history *history, uint64_t most)
{
    const struct hl_regimen *regimen = p->regimen[a];
    size_t shown = most && most < history->n ? (size_t)most : history->n;
    if (regimen->n_reviewed == 0)
        return;
    printf("reviews (%zu)\n", history->n);
    for (size_t i = 0; i < shown; i++)
        print_review(p->study->arm[a].system, &regimen->reviewed[history->review[i].reviewed], &history->review[i]);
    if (shown < history->n)
        printf("  ... %zu more (--events 0 lists all)\n", history->n - shown);
    for (size_t i = 0; i < regimen->n_reviewed; i++)
        print_outcome(&regimen->reviewed[i], &history->outcome[i]);
}
