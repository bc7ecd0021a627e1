/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Routes with released: in tools that know boluses and constant rates. With G(tad), the fraction of a dose that has
 * entered by tad after its arrival, dose i adds to the compartment's rate of change
 *
 *      AMT_i F G'(tad_i),   tad_i = t - TIME_i - lag,   while tad_i > 0
 *
 * and a bolus of AMT_i F G(0), which is nothing for most courses. Times and amounts of the last doses are
 * remembered by statements that run with each record, so that doses that overlap add up (Shen, Boeckmann & Vick, J
 * Pharmacokinet Pharmacodyn 2012;39:251-262, their special case); a dose older than those remembered has to have
 * entered. A record is read before the time up to it is integrated, hence the condition tad_i > 0. rxode2 knows the
 * last dose only. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "translate/tree.h"

#define NOTHING 1e-12 /* of a dose: a course that begins with less begins with nothing */

/* G(0) of a typical subject. */
static double typical_burst(const struct hl_translator *t, const struct hl_release *release)
{
    const struct hl_system *y = t->system;
    double *regs = hl_arena_alloc(t->arena, y->n_regs, sizeof *regs);
    hl_system_reset(y, regs, 1);
    hl_program_run(&y->individual, regs, 1);
    regs[release->tad_reg] = 0.0;
    hl_program_run(&release->program, regs, 1);
    return regs[release->released_reg];
}

static struct hl_plan_course *add_course(struct hl_translator *t, size_t input)
{
    bool one = t->target == HL_TO_RXODE2;
    t->course = hl_arena_push(t->arena, t->course, t->n_courses, &t->course_capacity, sizeof *t->course);
    struct hl_plan_course *c = &t->course[t->n_courses++];
    *c = (struct hl_plan_course){.input = input, .n = one ? 1 : t->asked->doses};
    c->time = hl_arena_alloc(t->arena, c->n, sizeof *c->time);
    c->amount = hl_arena_alloc(t->arena, c->n, sizeof *c->amount);
    const char *compartment = t->state[t->input[input].state].name;
    for (size_t k = 0; k < c->n; k++) {
        c->time[k] = one ? hl_arena_printf(t->arena, "tad0(%s)", compartment)
                         : hl_arena_printf(t->arena, "HLT%zu_%zu", t->n_courses, k + 1);
        c->amount[k] = one ? hl_arena_printf(t->arena, "podo0(%s)", compartment)
                           : hl_arena_printf(t->arena, "HLA%zu_%zu", t->n_courses, k + 1);
    }
    return c;
}

static const char *name_of(struct hl_translator *t, const struct hl_plan_input *x, const char *stem, size_t k, size_t n)
{
    const char *name = hl_arena_printf(t->arena, "%s_%s", stem, x->text->name);
    if (x->text->n_parts > 1)
        name = hl_arena_printf(t->arena, "%s%zu", name, x->part + 1);
    return hl_plan_name(t, x->voice, n > 1 ? hl_arena_printf(t->arena, "%s_%zu", name, k + 1) : name);
}

/* The rate of one remembered dose, in two lines: its clock, and what enters. */
static void add_dose(struct hl_translator *t, const struct hl_plan_course *c, size_t k, int into,
                     const struct hl_expr *arrives, const struct hl_expr *lag, const struct hl_expr *density)
{
    const struct hl_plan_input *x = &t->input[c->input];
    bool remembered = t->target != HL_TO_RXODE2;
    const char *clock = name_of(t, x, "tad", k, c->n), *rate = name_of(t, x, "in", k, c->n);
    const struct hl_expr *since = hl_tree_text(t, c->time[k]), *zero = hl_tree_number(t, 0.0);
    if (remembered)
        since = hl_tree_op(t, HL_OP_SUB, hl_tree_name(t, "t"), since);
    hl_line_add(t, &t->rates, x->voice, clock, lag ? hl_tree_op(t, HL_OP_SUB, since, lag) : since,
                "[h] since a dose arrived");
    const struct hl_expr *test = hl_tree_op(t, HL_OP_GT, hl_tree_text(t, clock), zero);
    if (remembered)
        test = hl_tree_op(t, HL_OP_AND, hl_tree_op(t, HL_OP_GE, hl_tree_text(t, c->time[k]), zero), test);
    const struct hl_expr *amount = hl_tree_op(t, HL_OP_MUL, hl_tree_text(t, c->amount[k]), arrives);
    const struct hl_expr *flow =
        hl_tree_op(t, HL_OP_MUL, amount, hl_tree_replace(t, density, "tad", hl_tree_text(t, clock)));
    hl_line_add(t, &t->rates, x->voice, rate, hl_tree_select(t, test, flow, zero), "[mg/h] of a dose that enters");
    hl_plan_add_rate(t, (size_t)into, HL_OP_ADD, hl_tree_text(t, rate));
}

/* Other ways lead into this state, whose doses rxode2 could not tell from those of the course. */
static bool is_shared(const struct hl_translator *t, const struct hl_plan_input *x)
{
    size_t ways = 0;
    for (size_t i = 0; i < t->system->n_routes; i++)
        for (size_t k = 0; k < t->system->route[i].n_parts; k++)
            ways += t->system->route[i].part[k].state == (int)(t->state[x->state].info - t->system->state);
    return ways > 1;
}

/* A compartment that only receives the doses of one course, so that rxode2 knows the last of them; nothing flows in
 * it. */
static int add_own_compartment(struct hl_translator *t, const struct hl_plan_input *x)
{
    const char *form = x->text->n_parts > 1 ? "dose_%s%zu" : "dose_%s";
    const char *name = hl_arena_printf(t->arena, form, x->text->name, x->part + 1);
    struct hl_state *info = hl_arena_alloc(t->arena, 1, sizeof *info);
    *info = *t->state[x->state].info;
    info->name = hl_arena_printf(t->arena, "%s.%s", t->voice[x->voice].instance->alias, name);
    info->kind = HL_FREE_STATE;
    const char *word = hl_plan_name(t, x->voice, name);
    t->state[t->n_states] = (struct hl_plan_state){.info = info, .voice = x->voice, .name = word, .read = word};
    return (int)t->n_states++;
}

/* rxode2 remembers by compartment: a course that shares its own, or begins with a bolus, gets one to be dosed in. */
static void separate(struct hl_translator *t, size_t input, bool burst, int *into)
{
    *into = t->input[input].state;
    if (t->target != HL_TO_RXODE2 || !(burst || is_shared(t, &t->input[input])))
        return;
    t->input[input].state = add_own_compartment(t, &t->input[input]);
    t->input[input].code = 0;
    t->input[input].how = hl_arena_printf(t->arena, "AMT in mg, by a course of its own into %s", t->state[*into].name);
}

static void say_course(struct hl_translator *t, const struct hl_plan_course *c, const struct hl_route_part_text *part)
{
    const char *route = t->input[c->input].text->name;
    if (t->target == HL_TO_RXODE2)
        hl_limit(t, part->pos, "route '%s' enters by a course of its own: rxode2 knows its last dose only, which must "
                 "have entered before the next one", route);
    else
        hl_limit(t, part->pos, "route '%s' enters by a course of its own: its last %zu doses are followed (--doses "
                 "N)%s; no steady state (SS)", route, c->n,
                 t->target == HL_TO_NONMEM ? ", each with a record of its own (no ADDL)" : "");
}

/* What a course gives at once: F of the dose itself, or in rxode2 a record of its own. */
static void write_burst(struct hl_translator *t, size_t input, int into, const struct hl_expr *released)
{
    struct hl_plan_input *x = &t->input[input];
    const struct hl_expr *begin = hl_tree_replace(t, released, "tad", hl_tree_number(t, 0.0));
    const struct hl_expr *fraction = hl_tree_op(t, HL_OP_MUL, x->item[HL_ITEM_F], begin);
    if (x->state == into) {
        x->item[HL_ITEM_F] = fraction;
        return;
    }
    struct hl_plan_input *bolus = hl_plan_add_input(t, x, into);
    bolus->item[HL_ITEM_F] = fraction;
    bolus->item[HL_ITEM_LAG] = t->input[input].item[HL_ITEM_LAG];
    bolus->how = "AMT in mg, for the part that enters at once";
}

bool hl_plan_course(struct hl_translator *t, size_t input, const struct hl_route_part_text *part,
                    const struct hl_release *release)
{
    const struct hl_expr *density = hl_tree_derivative(t, part->released, "tad");
    const struct hl_expr *arrives = t->input[input].item[HL_ITEM_F], *lag = t->input[input].item[HL_ITEM_LAG];
    int into;
    if (!density) {
        hl_diag_error(t->diag, part->pos, "released: of '%s' has no derivative that could be written for %s; state it "
                      "without step(), floor() and changing arguments of lgamma() and the like",
                      t->input[input].text->name, hl_target_name(t->target));
        return false;
    }
    bool burst = typical_burst(t, release) > NOTHING;
    separate(t, input, burst, &into);
    if (burst)
        write_burst(t, input, into, part->released);
    if (!burst || t->input[input].state != into) {
        t->input[input].item[HL_ITEM_F] = hl_tree_number(t, 0.0);
        t->input[input].item[HL_ITEM_LAG] = NULL; /* the course knows its lag itself */
    }
    const struct hl_plan_course *c = add_course(t, input);
    for (size_t k = 0; k < c->n; k++)
        add_dose(t, c, k, into, arrives, lag, density);
    say_course(t, c, part);
    return true;
}
