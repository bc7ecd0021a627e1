/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A design in words: what `halflife check` and a dry run print before anything is computed. */
#include <math.h>
#include <stdio.h>

#include "taper/read.h"

#define DAY   24.0
#define SHOWN 14 /* amounts of a drug that are listed */

const char *hl_taper_number(double value, char *buffer, size_t size)
{
    snprintf(buffer, size, "%.10g", value);
    return buffer;
}

/* mg of doses; ug/h of patches and pumps. */
static double shown_amount(const struct hl_taper_drug *drug, long units)
{
    return (double)units * drug->unit * (drug->way == HL_TAPER_DOSES ? 1 : 1e3);
}

const char *hl_taper_amount_text(struct hl_arena *arena, const struct hl_taper_drug *drug, long units)
{
    char number[40];
    return hl_arena_printf(arena, "%s %s", hl_taper_number(shown_amount(drug, units), number, sizeof number),
                           drug->way == HL_TAPER_DOSES ? "mg" : "ug/h");
}

static void describe_products(const struct hl_taper_drug *drug, FILE *stream)
{
    static const char *const broken[] = {"", "", " (halves)", "", " (quarters)"};
    for (size_t i = 0; i < drug->n_products; i++)
        fprintf(stream, "%s%s%s", i ? ", " : "", drug->product[i].name, broken[drug->product[i].pieces]);
    if (drug->most_pieces)
        fprintf(stream, "; at most %ld pieces a dose", drug->most_pieces);
    fputc('\n', stream);
}

/* The amounts a period may have, from the rungs. */
static void describe_amounts(const struct hl_taper_problem *problem, size_t d, FILE *stream)
{
    const struct hl_taper_drug *drug = &problem->drug[d];
    char number[40];
    size_t n = 0;
    long last = -1;
    for (size_t r = 0; r < problem->n_rungs; r++)
        n += r == 0 || problem->rung[r].total[d] != problem->rung[r - 1].total[d];
    fprintf(stream, "  amounts      ");
    size_t listed = 0;
    for (size_t r = 0; r < problem->n_rungs && listed < SHOWN; r++) {
        if (problem->rung[r].total[d] == last)
            continue;
        last = problem->rung[r].total[d];
        fprintf(stream, "%s%s", listed++ ? ", " : "",
                hl_taper_number(shown_amount(drug, last), number, sizeof number));
    }
    fprintf(stream, "%s %s (%zu)\n", listed < n ? " ..." : "",
            drug->way == HL_TAPER_DOSES ? "mg a day" : "ug/h", n);
}

static void describe_drug(const struct hl_taper_request *request, size_t d, FILE *stream)
{
    struct hl_arena *arena = hl_arena_create();
    const struct hl_taper_drug *drug = &request->problem->drug[d];
    long total = 0;
    if (!arena)
        return;
    for (size_t i = 0; i < drug->n_doses; i++)
        total += drug->start[i];
    fprintf(stream, "  drug         %s, from %s%s", drug->alias, hl_taper_amount_text(arena, drug, total),
            drug->way == HL_TAPER_DOSES ? " a day:" : "");
    for (size_t i = 0; drug->way == HL_TAPER_DOSES && i < drug->n_doses; i++)
        fprintf(stream, "%s %s %s", i ? "," : "", drug->dose[i].name,
                hl_taper_amount_text(arena, drug, drug->start[i]));
    if (drug->has_cap)
        fprintf(stream, "; at most %g %% less per %g d", 100 * drug->cap, drug->cap_days);
    fputs("\n  products     ", stream);
    describe_products(drug, stream);
    if (request->problem->n_drugs == 1)
        describe_amounts(request->problem, d, stream);
    hl_arena_free(arena);
}

static void describe_situations(const struct hl_taper_request *request, const struct hl_study *study, FILE *stream)
{
    const struct hl_taper_problem *problem = request->problem;
    if (problem->n_situations > 1)
        fputs("  under        ", stream);
    for (size_t i = 1; i < problem->n_situations; i++)
        fprintf(stream, "%s%s", i > 1 ? ", " : "", study->arm[problem->situation[i]].name);
    if (problem->n_situations > 1)
        fputc('\n', stream);
    if (study->n_situations > 0)
        fputs("  tested under ", stream);
    for (size_t a = 1; a <= study->n_situations; a++)
        fprintf(stream, "%s%s", a > 1 ? ", " : "", study->arm[a].name);
    if (study->n_situations > 0)
        fputc('\n', stream);
    if (request->n_rivals)
        fputs("  compared to  ", stream);
    for (size_t i = 0; i < request->n_rivals; i++)
        fprintf(stream, "%s%s", i ? ", " : "", request->rival[i].name);
    if (request->n_rivals)
        fputc('\n', stream);
}

void hl_taper_describe(const struct hl_taper_request *request, const struct hl_study *study, FILE *stream)
{
    static const char *const aims[] = {"the shortest taper", "the least exposure", "the fewest changes"};
    const struct hl_taper_problem *problem = request->problem;
    fprintf(stream, "%s: %s\n  to design    %s%s", study->name, study->title ? study->title : "", aims[problem->aim],
            problem->aim == HL_TAPER_SHORTEST ? "" : " within ");
    if (problem->aim != HL_TAPER_SHORTEST)
        fprintf(stream, "%d d", problem->fewest_at);
    fputc('\n', stream);
    for (size_t d = 0; d < problem->n_drugs; d++)
        describe_drug(request, d, stream);
    fprintf(stream, "  rungs        %zu%s%s\n  levels of    ", problem->n_rungs, request->thinned ? "; " : "",
            request->thinned ? request->thinned : "");
    for (size_t i = 0; i < problem->n_lengths; i++)
        fprintf(stream, "%s%d d", i ? ", " : "", problem->length[i]);
    fprintf(stream, "; at most %d d in all, watched for %g d more\n", problem->longest, problem->follow / DAY);
    for (size_t i = 0; i < problem->n_constraints; i++)
        fprintf(stream, "  keep         %s\n", problem->constraint[i].text);
    describe_situations(request, study, stream);
    fprintf(stream, "  day 0        %g d after the study's start\n  designed on  %llu subject%s, seed %llu\n"
            "  judged on    %llu, seed %llu\n", problem->begins / DAY, (unsigned long long)study->subjects,
            study->subjects == 1 ? "" : "s", (unsigned long long)study->seed,
            (unsigned long long)request->judge_subjects, (unsigned long long)request->judge_seed);
}
