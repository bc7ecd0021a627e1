/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A design told on a terminal: the schedule with what it leaves at every step, the certificate, how the taper does on
 * the subjects it was made on and on others, and beside what it was compared with. */
#include <math.h>
#include <string.h>

#include "design_parts.h"
#include "taper/calendar.h"
#include "taper/products.h"

#define DAY 24.0

static const char *output_name(const struct hl_design *design, size_t c)
{
    return design->study->system->output[design->problem->constraint[c].output].name;
}

static double unit_of(const struct hl_design *design, size_t kept)
{
    return hl_design_unit(design, hl_taper_constraint_of(design->problem, kept));
}

/* ---- the schedule */

/* What a period's doses of a drug are made of: "1 1/2 x 0.5 mg tablet, 1 x 0.125 mg orally disintegrating tablet". */
static const char *pieces_text(const struct hl_design *design, const struct hl_taper_drug *drug,
                               const struct hl_taper_rung *rung)
{
    struct hl_arena *arena = design->arena;
    long *count = hl_arena_alloc(arena, drug->n_products, sizeof *count);
    long *sum = hl_arena_alloc(arena, drug->n_products, sizeof *sum), most = 0;
    struct hl_doses doses;
    const char *out = "";
    for (size_t i = 0; i < drug->n_doses; i++)
        most = rung->units[drug->first_stream + i] > most ? rung->units[drug->first_stream + i] : most;
    if (drug->way == HL_TAPER_RATE || most == 0 || hl_doses_make(arena, drug, most, &doses) != HL_OK)
        return "";
    for (size_t i = 0; i < drug->n_doses; i++)
        if (hl_doses_count(&doses, drug, rung->units[drug->first_stream + i], count))
            for (size_t p = 0; p < drug->n_products; p++)
                sum[p] += count[p];
    for (size_t p = 0; p < drug->n_products; p++)
        if (sum[p])
            out = hl_arena_printf(arena, "%s%s%s x %s", out, *out ? ", " : "",
                                  hl_calendar_number_text(arena, sum[p], drug->product[p].pieces, false),
                                  drug->product[p].name);
    return out;
}

/* The constraint with the least room at the end, relative to its bound. */
static size_t tightest(const struct hl_design *design)
{
    const struct hl_taper_result *result = &design->result;
    size_t best = 0;
    for (size_t k = 1; k < result->n_constraints; k++)
        if (result->margin[k] / fmax(result->bound[k], 1e-300) <
            result->margin[best] / fmax(result->bound[best], 1e-300))
            best = k;
    return best;
}

static void print_drug_schedule(const struct hl_design *design, size_t d, FILE *stream)
{
    const struct hl_taper_drug *drug = &design->problem->drug[d];
    const struct hl_taper_schedule *schedule = &design->result.schedule;
    size_t kept = tightest(design);
    double factor = unit_of(design, kept), bound = design->result.bound[kept] / factor, unit = drug->unit;
    bool doses = drug->way == HL_TAPER_DOSES;
    double scale = doses ? 1 : 1e3;
    long before = design->problem->rung[0].total[d];
    int day = 1;
    fprintf(stream, "\n%-5s %-11s", drug->alias, "");
    fputs("\n  days       ", stream);
    for (size_t i = 0; doses && i < drug->n_doses; i++)
        fprintf(stream, " %9s", drug->dose[i].name);
    fprintf(stream, " %9s %8s  %9s %8s %8s   %s\n", doses ? "mg/day" : "ug/h", "step", "so far", "margin", "if ended",
            doses ? "a day" : drug->way == HL_TAPER_PATCHES ? "worn" : "");
    for (size_t i = 0; i < schedule->n; i++) {
        const struct hl_taper_rung *rung = &design->problem->rung[schedule->step[i].rung];
        const struct hl_taper_stand *stand = &design->result.stand[i + 1];
        long total = rung->total[d];
        fprintf(stream, "  %4d - %-4d", day, day + schedule->step[i].days - 1);
        for (size_t k = 0; doses && k < drug->n_doses; k++)
            fprintf(stream, " %9.6g", (double)rung->units[drug->first_stream + k] * unit);
        fprintf(stream, " %9.6g %+7.1f%%  %9.2f %8.2f %8.2f   %s\n", (double)total * unit * scale,
                before ? 100.0 * (double)(total - before) / (double)before : 0, stand->so_far[kept] / factor,
                bound - stand->so_far[kept] / factor, stand->if_stopped[kept] / factor,
                pieces_text(design, drug, rung));
        before = total;
        day += schedule->step[i].days;
    }
    fprintf(stream, "  from %-6d nothing\n", day);
}

static void print_schedule(const struct hl_design *design, FILE *stream)
{
    struct hl_taper_facts facts;
    const struct hl_taper_problem *problem = design->problem;
    size_t kept = tightest(design);
    fprintf(stream, "%s: %d days to nothing, in %zu levels\n", design->study->title, design->result.schedule.days,
            design->result.schedule.n);
    for (size_t d = 0; d < problem->n_drugs; d++)
        print_drug_schedule(design, d, stream);
    fprintf(stream, "\n  so far, if ended: what %g %% of the subjects don't exceed of %s, by the forecast: up to "
            "there, and if nothing\n  more were taken; margin: what is left to the bound of %g\n",
            100 * hl_taper_constraint_of(problem, kept)->share, output_name(design, kept % problem->n_constraints),
            design->result.bound[kept] / unit_of(design, kept));
    if (hl_taper_facts(design->arena, problem, &design->result.schedule, &facts) == HL_OK)
        for (size_t d = 0; d < problem->n_drugs; d++)
            fprintf(stream, "  in all: %.6g mg of %s, %.6g %s\n", facts.cumulative[d], problem->drug[d].alias,
                    facts.products[d], problem->drug[d].way == HL_TAPER_PATCHES ? "patches" : "tablets or measures");
}

/* ---- the certificate */

/* A paragraph, broken at 100 columns. */
static void print_paragraph(const char *text, const char *indent, FILE *stream)
{
    size_t column = 0;
    while (*text) {
        size_t n = strcspn(text, " \n");
        if (column == 0 || column + n + 1 > 100) {
            fprintf(stream, "%s%s", column ? "\n" : "", indent);
            column = strlen(indent);
        } else {
            fputc(' ', stream);
            column++;
        }
        fwrite(text, 1, n, stream);
        column += n;
        text += n + strspn(text + n, " \n");
    }
    if (column)
        fputc('\n', stream);
}

static void print_certificate(const struct hl_design *design, FILE *stream)
{
    const struct hl_bound *bound = &design->bound;
    int days = design->result.schedule.days, gap = days - bound->days;
    struct hl_arena *arena = design->arena;
    fputs("\nCertificate\n", stream);
    if (!bound->valid)
        print_paragraph("none: no lower bound could be proved.", "  ", stream);
    else if (design->problem->aim != HL_TAPER_SHORTEST)
        print_paragraph(hl_arena_printf(arena, "no taper that keeps the constraints is shorter than %d days.",
                                        bound->days), "  ", stream);
    else if (gap <= 0)
        print_paragraph(hl_arena_printf(arena, "no taper of these amounts and lengths that keeps the constraints is "
                                        "shorter: %d days is the least there can be.", days), "  ", stream);
    else
        print_paragraph(hl_arena_printf(arena, "no taper of these amounts and lengths that keeps the constraints is "
                                        "shorter than %d days; this one has %d, so it is at most %d days (%.0f %%) "
                                        "longer than need be.%s", bound->days, days, gap,
                                        100.0 * gap / days, design->result.complete
                                        ? " Every way was followed: by the forecast it is the shortest." : ""),
                        "  ", stream);
    print_paragraph(bound->text ? bound->text : "", "  ", stream);
    for (size_t c = 0; bound->valid && c < design->problem->n_constraints; c++)
        print_paragraph(hl_forecast_assumption(design->joined, c), "  ", stream);
    if (!bound->valid)
        return;
    const char *text = hl_arena_printf(arena,
                                       "It holds for the subjects designed on. Bounds were raised by %.2g %% for the "
                                       "proof",
                                       100 * design->loosened);
    bool compared = false;
    for (size_t c = 0; c < design->problem->n_constraints; c++)
        compared = compared || design->problem->constraint[c].statistic != HL_TAPER_MOMENT;
    if (compared)
        text = hl_arena_printf(arena, "%s; on this taper the forecast was off by %.2g %% from the exact engine", text,
                               100 * design->forecast_error);
    if (hl_taper_any_moment(design->problem))
        text = hl_arena_printf(arena, "%s; what holds at any time isn't compared with the engine's, which is of other "
                               "moments", text);
    print_paragraph(hl_arena_printf(arena, "%s.", text), "  ", stream);
}

/* ---- performance */

static void print_verdict(const char *who, uint64_t seed, const struct hl_design_verdict *v, FILE *stream)
{
    fprintf(stream, "    %-26s %8.4g   %6.1f %% (%.1f to %.1f) of %llu, seed %llu\n", who, v->value,
            100.0 * (double)v->kept / (double)v->subjects, 100 * v->low, 100 * v->high,
            (unsigned long long)v->subjects, (unsigned long long)seed);
}

static bool all_kept(const struct hl_design *design)
{
    bool kept = design->n_outcomes > 0 && design->outcome[0].verdict;
    for (size_t c = 0; kept && c < design->problem->n_constraints; c++)
        kept = hl_design_kept(&design->problem->constraint[c], &design->outcome[0].verdict[c]);
    return kept;
}

static void print_performance(const struct hl_design *design, FILE *stream)
{
    const struct hl_taper_problem *problem = design->problem;
    size_t m = problem->n_constraints;
    fputs("\nBy the exact engine (value: what the share doesn't exceed; share that keeps the bound, with its 95 % "
          "interval)\n", stream);
    for (size_t k = 0; k < design->n_kept; k++) {
        const char *name = design->study->arm[problem->situation[k / m]].name;
        fprintf(stream, "  %s%s%s\n", problem->constraint[k % m].text, k >= m ? ", under: " : "", k >= m ? name : "");
        print_verdict("subjects designed on", design->study->seed, &design->design_verdict[k], stream);
        if (k < m && design->n_outcomes > 0 && design->outcome[0].verdict)
            print_verdict("others, to judge it", design->request->judge_seed, &design->outcome[0].verdict[k], stream);
    }
    struct hl_forecast_facts facts = hl_forecast_facts(design->part[0]);
    if (hl_taper_any_moment(design->problem))
        fprintf(stream,
                "  At any time: values and shares are those of the worst moment. Looked at every %g h from day 0 on, "
                "of others every\n  %g h; by the forecast at the ends of its steps of %.2g to %.2g h, longer ones when "
                "nothing is taken any more.\n",
                fmin(1, hl_design_grid(design)), hl_design_grid(design), facts.shortest, facts.longest);
    if (design->rounds > 1)
        fprintf(stream, "  The forecast let %zu taper%s miss a bound by a little; bounds were tightened and searched "
                "again.\n", design->rounds - 1, design->rounds == 2 ? "" : "s");
    if (design->n_outcomes > 0 && design->outcome[0].verdict && !all_kept(design))
        print_paragraph("On new subjects the value lies above the bound: a taper is fitted to the subjects it is made "
                        "on. Ask for a little more (in: or the bound), or design on more subjects.", "  ", stream);
}

/* ---- the table */

static void print_row(const struct hl_design *design, const struct hl_design_outcome *o, size_t c, FILE *stream)
{
    const struct hl_design_verdict *v = &o->verdict[c];
    double pieces = 0;
    for (size_t d = 0; d < o->plan.problem->n_drugs; d++)
        pieces += o->facts.products[d];
    fprintf(stream, "  %-34.34s %5d %8.5g %6zu %7.5g  %6.2f %6.2f %6.2f", o->plan.name, o->facts.days,
            o->facts.equivalent, o->facts.levels, pieces, o->quantile[0][c], o->quantile[1][c], o->quantile[2][c]);
    if (hl_taper_is_value(design->problem->constraint[c].statistic))
        fprintf(stream, " %7.1f %6.1f%% %6.1f%%", o->hours_above[c], 100 * o->share_above[c], 100 * o->worst_share[c]);
    for (size_t k = 0; k < design->request->n_marks; k++)
        fprintf(stream, " %6.2f", o->after[c * design->request->n_marks + k]);
    fprintf(stream, "  %5.1f%% (%.1f-%.1f)%s\n", 100.0 * (double)v->kept / (double)v->subjects, 100 * v->low,
            100 * v->high, hl_design_kept(&design->problem->constraint[c], v) ? "" : " *");
}

static void print_table(const struct hl_design *design, size_t c, FILE *stream)
{
    const struct hl_taper_constraint *keep = &design->problem->constraint[c];
    bool peak = hl_taper_is_value(keep->statistic);
    const char *kind = "";
    fprintf(stream, "\nCompared, on the subjects that judge it: %s\n", keep->text);
    fprintf(stream, "  %-34s %5s %8s %6s %7s  %6s %6s %6s", "", "days", "mg", "levels", "tablets", "50 %", "90 %",
            "95 %");
    if (peak)
        fprintf(stream, " %7s %7s %7s", "h above", "above", "at once");
    for (size_t k = 0; k < design->request->n_marks; k++)
        fprintf(stream, " %5gd", design->request->mark[k] / DAY);
    fputs("  keeps the bound\n", stream);
    for (size_t i = 0; i < design->n_outcomes; i++) {
        const struct hl_design_outcome *o = &design->outcome[i];
        if (strcmp(o->plan.kind, kind) != 0 && i > 0)
            fprintf(stream, "  %s\n", o->plan.kind);
        kind = o->plan.kind;
        print_row(design, o, c, stream);
    }
    const char *legend = hl_arena_printf(
        design->arena, "50, 90, 95 %%: quantiles of the subjects' %s%s; 2d, 7d, ...: median so long after the taper's "
        "end; *: more than the share allows exceed the bound", peak ? "peaks" : hl_design_statistic(keep->statistic),
        peak ? "; h above: mean hours above the bound; above: share of subjects ever above it, at once: at the worst "
               "moment" : "");
    print_paragraph(legend, "  ", stream);
}

/* What a crossover amounts to of each drug. */
static void print_crossed(const struct hl_design *design, FILE *stream)
{
    for (size_t i = 0; i < design->n_outcomes; i++) {
        const struct hl_design_outcome *o = &design->outcome[i];
        const struct hl_taper_drug *drug = o->plan.problem->drug;
        if (o->plan.problem->n_drugs > 1 && drug[1].worth > 0)
            fprintf(stream, "  %s: %.6g mg of %s and %.6g mg of %s, %.6g mg of which are worth 1\n", o->plan.name,
                    o->facts.cumulative[0], drug[0].alias, o->facts.cumulative[1], drug[1].alias, 1 / drug[1].worth);
    }
}

static void print_end(const struct hl_design *design, FILE *stream)
{
    fprintf(stream, "\nSearched %s in %zu pass%s, %.2g steps of single subjects; %.1f s: forecast %.1f, search "
            "%.1f, check %.1f, certificate %.1f, comparison %.1f\n",
            design->result.complete ? "every way" : "the most promising ways", design->rounds,
            design->rounds == 1 ? "" : "es", (double)design->result.work,
            design->seconds_forecast + design->seconds_search + design->seconds_check + design->seconds_bound +
                design->seconds_result,
            design->seconds_forecast, design->seconds_search, design->seconds_check, design->seconds_bound,
            design->seconds_result);
    fprintf(stream, "Files: %s", design->study_file);
    if (!design->options->alone)
        fprintf(stream, ", %s", design->result_file);
    if (design->result.schedule.n > 0)
        fprintf(stream, ", %s, %s", design->calendar_file, design->pages_file);
    fputs("\nA simulated index, not a clinical probability. For education and research only, not medical advice, not "
          "for dosing.\n", stream);
}

void hl_design_print(const struct hl_design *design, FILE *stream)
{
    print_schedule(design, stream);
    print_certificate(design, stream);
    print_performance(design, stream);
    for (size_t c = 0; design->n_outcomes > 1 && design->outcome[0].verdict && c < design->problem->n_constraints; c++)
        print_table(design, c, stream);
    print_crossed(design, stream);
    print_end(design, stream);
}

void hl_design_print_impossible(const struct hl_design *design, FILE *stream)
{
    const struct hl_taper_result *result = &design->result;
    fprintf(stream, "%s: no such taper\n", design->study->title);
    for (size_t k = 0; k < result->n_constraints && !result->no_schedule; k++) {
        const struct hl_taper_constraint *keep = hl_taper_constraint_of(design->problem, k);
        double factor = unit_of(design, k);
        fprintf(stream, "  %s\n", keep->text);
        if (result->start_breaks && result->start_constraint == k)
            fprintf(stream, "    exceeded even if nothing is ever reduced: %.6g\n", result->start_value[k] / factor);
        fprintf(stream, "    the nearest that can be had: %.6g\n", result->nearest[k] / factor);
    }
    if (result->schedule.n > 0)
        fprintf(stream, "  by a taper of %d days in %zu levels\n", result->schedule.days, result->schedule.n);
    if (result->outcome == HL_TAPER_IMPOSSIBLE || design->bound.impossible)
        print_paragraph(design->bound.impossible && design->bound.text ? design->bound.text
                            : "Every way was followed: by the forecast there is none.", "  ", stream);
    else
        print_paragraph("Not every way could be followed, so this is what was found, not a proof.", "  ", stream);
    if (!design->options->nearest && result->schedule.n > 0)
        print_paragraph("--nearest goes on with the nearest bound: its taper, certificate and judgement.", "  ",
                        stream);
    fputs("A simulated index, not a clinical probability. For education and research only, not medical advice, not "
          "for dosing.\n", stream);
}
