/* SPDX-License-Identifier: GPL-3.0-or-later */
/* In what order series are computed.
 *
 * Coefficient k of an operation needs coefficients up to k of its operands; coefficient k + 1 of what moves needs
 * coefficients up to k of its rate. Slots that need each other, however indirectly, must be computed side by side,
 * order by order: they are the strongly connected components of the graph of needs, found by Tarjan (1972, SIAM
 * Journal on Computing 1: 146), who finds every component after those it needs: the order of computation. A slot that
 * doesn't need itself, or only as part of its own linear rate, is computed at once for all orders, with its
 * coefficients held in registers: effect sites, transit chains, exact modes, responses to them. In most models only
 * compartments around a saturable flow are left to be computed order by order. The denominator of such a flow, a
 * constant and a multiple of one state, needs no series of its own: the quotient takes the state's. What nothing needs
 * isn't computed. */
#include "solve/batch_schedule.h"

#include <stdint.h>

struct scheduler {
    const struct hl_batch_code *code;
    const struct hl_batch_place *place;
    struct hl_arena *arena;
    double *ones, *zeros, *spare;   /* a row each; two rows by operation */
    int *op_of, *rate_of;           /* by slot, -1 */
    /* Tarjan's */
    int *index, *low, *stack; size_t n_seen, n_stack;
    bool *stacked;
    struct hl_batch_schedule *schedule;
    struct hl_batch_part *part;
};

static double *row_of_slot(const struct scheduler *s, int slot)
{
    return s->place->series + (size_t)slot * (s->place->order + 1) * HL_BATCH_LANES;
}

static const double *row_of_file(const struct scheduler *s, int row)
{
    return row < 0 ? NULL : s->place->file + (size_t)row * HL_BATCH_LANES;
}

/* ---- Parts */

/* A sum's terms but those of slot own (-1: none such), whose coefficient becomes the part's own. */
static void set_sum(struct scheduler *s, struct hl_batch_part *part, const struct hl_batch_sum *sum, int own)
{
    struct hl_batch_address *term = hl_arena_alloc(s->arena, sum->n + 1, sizeof *term);
    part->constant = row_of_file(s, sum->constant);
    part->term = term;
    part->order = s->place->order + 1;
    for (size_t i = 0; i < sum->n; i++) {
        const struct hl_batch_term *from = &s->code->term[sum->first + i];
        const double *coef = from->coef < 0 ? s->ones : row_of_file(s, from->coef);
        part->order -= s->rate_of[from->slot] < 0 && part->order > s->place->order;
        if (from->slot == own)
            part->self = coef;
        else
            term[part->n++] = (struct hl_batch_address){coef, row_of_slot(s, from->slot)};
    }
}

/* The one term of constant + coefficient * another slot; NULL for anything else. */
static const struct hl_batch_term *line_of(const struct scheduler *s, int slot)
{
    const struct hl_batch_op *op = s->op_of[slot] < 0 ? NULL : &s->code->op[s->op_of[slot]];
    return op && op->kind == HL_BATCH_SUM && op->sum.n == 1 ? &s->code->term[op->sum.first] : NULL;
}

static struct hl_batch_part part_of(struct scheduler *s, int slot)
{
    struct hl_batch_part part = {.to = row_of_slot(s, slot)};
    if (s->rate_of[slot] >= 0) {
        const struct hl_batch_rate *rate = &s->code->rate[s->rate_of[slot]];
        part.doing = HL_BATCH_DO_RATE;
        part.slow = s->schedule->slow;
        if (rate->inflow >= 0)
            part.inflow = s->place->inflow + (size_t)rate->inflow * HL_BATCH_LANES;
        set_sum(s, &part, &rate->sum, slot);
        return part;
    }
    const struct hl_batch_op *op = &s->code->op[s->op_of[slot]];
    part.doing = (int)op->kind;
    part.spare = s->spare + 2 * HL_BATCH_LANES * (size_t)s->op_of[slot];
    part.twin = part.spare + HL_BATCH_LANES;
    if (op->kind == HL_BATCH_SUM) {
        set_sum(s, &part, &op->sum, -1);
        return part;
    }
    part.a = op->a < 0 ? NULL : row_of_slot(s, op->a);
    part.b = op->b < 0 ? NULL : row_of_slot(s, op->b);
    const struct hl_batch_term *line = op->kind == HL_BATCH_QUOTIENT ? line_of(s, op->b) : NULL;
    if (line) {
        part.b = row_of_slot(s, line->slot);
        part.coef = line->coef < 0 ? s->ones : row_of_file(s, line->coef);
        part.constant = row_of_file(s, s->code->op[s->op_of[op->b]].sum.constant);
        return part;
    }
    part.coef = op->kind == HL_BATCH_POWER || op->kind == HL_BATCH_SELECT ? row_of_file(s, op->coef) : NULL;
    return part;
}

/* Operations in the order of the code, then what moves: the order within one coefficient. */
static int rank(const struct scheduler *s, int slot)
{
    return s->rate_of[slot] >= 0 ? (int)s->code->n_ops + s->rate_of[slot] : s->op_of[slot];
}

/* Takes the term with series x out of a part's sum and gives its coefficient; a row of zeros when there is none. */
static const double *take_term(struct scheduler *s, struct hl_batch_part *part, const double *x)
{
    struct hl_batch_address *term = hl_arena_alloc(s->arena, part->n + 1, sizeof *term);
    const double *coef = s->zeros;
    size_t n = 0;
    for (size_t i = 0; i < part->n; i++)
        if (part->term[i].x == x)
            coef = part->term[i].coef;
        else
            term[n++] = part->term[i];
    part->term = term;
    part->n = n;
    return coef;
}

/* Makes a loop of one quotient and up to three states, one of which is its denominator but for constants, what it is:
 * compartments around one saturable flow. The quotient comes first, then that state. */
static void recognize_saturable(struct scheduler *s, struct hl_batch_part *loop, struct hl_batch_part *member)
{
    size_t n = loop->n_members - 1;
    if (n > HL_BATCH_MOST_COUPLED || member[0].doing != HL_BATCH_QUOTIENT || !member[0].coef)
        return;
    for (size_t i = 1; i <= n; i++)
        if (member[i].doing != HL_BATCH_DO_RATE)
            return;
    for (size_t i = 2; i <= n; i++)
        if (member[i].to == member[0].b) {
            struct hl_batch_part swap = member[i];
            member[i] = member[1];
            member[1] = swap;
        }
    if (member[1].to != member[0].b)
        return;
    loop->doing = HL_BATCH_DO_SATURABLE;
    for (size_t i = 0; i < n; i++) {
        loop->gain[i] = take_term(s, &member[i + 1], member[0].to);
        for (size_t j = 0; j < n; j++)
            loop->coupled[i][j] = take_term(s, &member[i + 1], member[j + 1].to);
        if (member[i + 1].self)
            loop->coupled[i][i] = member[i + 1].self;
    }
}

static void add_component(struct scheduler *s, int *slot, size_t n)
{
    struct hl_batch_part *part = &s->part[s->schedule->n++];
    if (n == 1) {
        *part = part_of(s, slot[0]);
        return;
    }
    for (size_t i = 1; i < n; i++)
        for (size_t j = i; j > 0 && rank(s, slot[j]) < rank(s, slot[j - 1]); j--) {
            int swap = slot[j];
            slot[j] = slot[j - 1];
            slot[j - 1] = swap;
        }
    struct hl_batch_part *member = hl_arena_alloc(s->arena, n, sizeof *member);
    for (size_t i = 0; i < n; i++)
        member[i] = part_of(s, slot[i]);
    *part = (struct hl_batch_part){.doing = HL_BATCH_DO_LOOP, .n_members = n, .member = member};
    recognize_saturable(s, part, member);
}

/* ---- Components */

static void visit(struct scheduler *s, int slot);

static void look_at(struct scheduler *s, int slot, int needed)
{
    if (needed < 0)
        return;
    if (s->index[needed] < 0) {
        visit(s, needed);
        s->low[slot] = s->low[needed] < s->low[slot] ? s->low[needed] : s->low[slot];
    } else if (s->stacked[needed] && s->index[needed] < s->low[slot]) {
        s->low[slot] = s->index[needed];
    }
}

static void look_at_sum(struct scheduler *s, int slot, const struct hl_batch_sum *sum)
{
    for (size_t i = 0; i < sum->n; i++)
        look_at(s, slot, s->code->term[sum->first + i].slot);
}

static void visit(struct scheduler *s, int slot)
{
    s->index[slot] = s->low[slot] = (int)s->n_seen++;
    s->stack[s->n_stack++] = slot;
    s->stacked[slot] = true;
    if (s->rate_of[slot] >= 0) {
        look_at_sum(s, slot, &s->code->rate[s->rate_of[slot]].sum);
    } else {
        const struct hl_batch_op *op = &s->code->op[s->op_of[slot]];
        if (op->kind == HL_BATCH_SUM) {
            look_at_sum(s, slot, &op->sum);
        } else {
            const struct hl_batch_term *line = op->kind == HL_BATCH_QUOTIENT ? line_of(s, op->b) : NULL;
            look_at(s, slot, op->a);
            look_at(s, slot, line ? line->slot : op->b);
        }
    }
    if (s->low[slot] != s->index[slot])
        return;
    size_t first = s->n_stack;
    do
        s->stacked[s->stack[--first]] = false;
    while (s->stack[first] != slot);
    size_t count = s->n_stack - first;
    s->n_stack = first;
    if (s->rate_of[slot] >= 0 || s->code->op[s->op_of[slot]].kind != HL_BATCH_GIVEN)
        add_component(s, s->stack + first, count);
}

static int *numbers(struct hl_arena *arena, size_t n)
{
    int *number = hl_arena_alloc(arena, n, sizeof *number);
    for (size_t i = 0; i < n; i++)
        number[i] = -1;
    return number;
}

/* Rows on a 64-byte boundary. */
static double *rows(struct hl_arena *arena, size_t n)
{
    double *room = hl_arena_alloc(arena, (n + 1) * HL_BATCH_LANES, sizeof *room);
    return room + (64 - (uintptr_t)room % 64) % 64 / sizeof *room;
}

const struct hl_batch_schedule *hl_batch_schedule_make(const struct hl_batch_code *code,
                                                       const struct hl_batch_place *place, struct hl_arena *arena)
{
    size_t n = code->n_slots;
    struct hl_batch_schedule *schedule = hl_arena_alloc(arena, 1, sizeof *schedule);
    struct scheduler s = {.code = code, .place = place, .arena = arena, .schedule = schedule,
                          .ones = rows(arena, 1), .zeros = rows(arena, 1), .spare = rows(arena, 2 * code->n_ops),
                          .op_of = numbers(arena, n), .rate_of = numbers(arena, n), .index = numbers(arena, n),
                          .low = numbers(arena, n), .stack = numbers(arena, n),
                          .stacked = hl_arena_alloc(arena, n, sizeof *s.stacked),
                          .part = hl_arena_alloc(arena, n, sizeof *s.part)};
    for (size_t l = 0; l < HL_BATCH_LANES; l++)
        s.ones[l] = 1;
    schedule->order = place->order;
    schedule->slow = place->slow ? place->slow : s.zeros;
    int *state_slot = numbers(arena, code->n_states);
    for (size_t i = 0; i < code->n_ops; i++)
        s.op_of[code->op[i].dst] = (int)i;
    for (size_t i = 0; i < code->n_rates; i++)
        s.rate_of[code->rate[i].slot] = (int)i;
    for (size_t i = 0; i < code->n_states; i++)
        state_slot[i] = code->rate[i].slot;
    for (size_t i = 0; i < code->n_rates + place->n_read; i++) {
        int slot = i < code->n_rates ? code->rate[i].slot : place->read[i - code->n_rates];
        if (s.index[slot] < 0)
            visit(&s, slot);
    }
    schedule->n_states = code->n_states;
    schedule->series = place->series;
    schedule->part = s.part;
    schedule->state_slot = state_slot;
    return schedule;
}
