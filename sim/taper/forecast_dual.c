/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A program with slopes over one block of lanes, as hl_program_run_dual (model/program.c) runs it, but with the plain
 * operations as vector loops and with what can't move left alone: an instruction whose operands are constants of the
 * subject is run once for it, has slope 0 and keeps it, and where one operand is a constant its term is missing.
 * Everything else is handed to hl_program_run_dual, instruction by instruction. A quotient is a product with the
 * inverse, which its slope needs anyway: half of the divisions, and one rounding more. Powers in Hill functions whose
 * exponent is a small whole number are products. Compiled with -fno-trapping-math: selecting by comparison becomes
 * vector code then; no value depends on it. */
#include <math.h>
#include <string.h>

#include "base/vector.h"
#include "model/ops.h"
#include "taper/forecast_parts.h"

#define LANES HL_FORECAST_LANES
#define EACH _Pragma("omp simd") for (size_t l = 0; l < LANES; l++)

/* What both operands of an instruction are, as bits: 1 the first moves, 2 the second, 4 the third. */
static unsigned char moving(const struct hl_instruction *in, const bool *moves)
{
    return (unsigned char)((in->a >= 0 && moves[in->a] ? 1 : 0) | (in->b >= 0 && moves[in->b] ? 2 : 0)
                           | (in->c >= 0 && moves[in->c] ? 4 : 0));
}

/* By instruction of a program: it leads to a row that is wanted. */
static bool *find_needed(struct hl_arena *arena, const struct hl_program *program, size_t n_rows, const int *wanted,
                         size_t n_wanted)
{
    bool *needed = hl_arena_alloc(arena, program->n + 1, sizeof *needed);
    bool *row = hl_arena_alloc(arena, n_rows + 1, sizeof *row);
    for (size_t k = 0; k < n_wanted; k++)
        row[wanted[k]] = true;
    for (size_t k = program->n; k-- > 0;) {
        const struct hl_instruction *in = &program->code[k];
        const int operand[] = {in->a, in->b, in->c};
        needed[k] = row[in->dst];
        for (size_t i = 0; needed[k] && i < 3; i++)
            if (operand[i] >= 0)
                row[operand[i]] = true;
    }
    return needed;
}

static void note_reads(const struct hl_instruction *in, bool *reads)
{
    const int operand[] = {in->a, in->b, in->c};
    for (size_t i = 0; i < 3; i++)
        if (operand[i] >= 0)
            reads[operand[i]] = true;
}

void hl_forecast_dual_make(struct hl_arena *arena, const struct hl_program *program, const bool *constant,
                           size_t n_rows, const int *wanted, size_t n_wanted, struct hl_forecast_dual *dual)
{
    bool *moves = hl_arena_alloc(arena, n_rows + 1, sizeof *moves);
    const bool *needed = find_needed(arena, program, n_rows, wanted, n_wanted);
    for (size_t r = 0; r < n_rows; r++)
        moves[r] = !constant[r];
    for (size_t k = 0; k < program->n; k++)
        moves[program->code[k].dst] = false;
    dual->still.code = hl_arena_alloc(arena, program->n + 1, sizeof *dual->still.code);
    dual->moves.code = hl_arena_alloc(arena, program->n + 1, sizeof *dual->moves.code);
    dual->moving = hl_arena_alloc(arena, program->n + 1, sizeof *dual->moving);
    dual->reads = hl_arena_alloc(arena, n_rows + 1, sizeof *dual->reads);
    for (size_t k = 0; k < program->n; k++) {
        const struct hl_instruction *in = &program->code[k];
        unsigned char which = moving(in, moves);
        moves[in->dst] = which != 0;
        if (!needed[k])
            continue;
        struct hl_program *to = which ? &dual->moves : &dual->still;
        dual->moving[to->n] = which ? which : dual->moving[to->n];
        to->code[to->n++] = *in;
        if (which)
            note_reads(in, dual->reads);
    }
    for (size_t k = 0; k < n_wanted; k++)
        dual->reads[wanted[k]] = true;
}

struct rows { double *restrict y, *restrict dy; const double *restrict x, *restrict dx, *restrict z, *restrict dz,
              *restrict dw, *restrict w; };

HL_CLONES static void product(struct rows r, unsigned moving)
{
    if (moving == 3)
        EACH r.dy[l] = r.z[l] * r.dx[l] + r.x[l] * r.dz[l];
    else if (moving == 1)
        EACH r.dy[l] = r.z[l] * r.dx[l];
    else if (moving == 2)
        EACH r.dy[l] = r.x[l] * r.dz[l];
    EACH r.y[l] = r.x[l] * r.z[l];
}

HL_CLONES static void quotient(struct rows r, unsigned moving)
{
    if (moving == 1)
        EACH {
            double inverse = 1 / r.z[l];
            r.y[l] = r.x[l] * inverse;
            r.dy[l] = r.dx[l] * inverse;
        }
    else if (moving == 2)
        EACH {
            double inverse = 1 / r.z[l], y = r.x[l] * inverse;
            r.y[l] = y;
            r.dy[l] = -y * r.dz[l] * inverse;
        }
    else
        EACH {
            double inverse = 1 / r.z[l], y = r.x[l] * inverse;
            r.y[l] = y;
            r.dy[l] = (r.dx[l] - y * r.dz[l]) * inverse;
        }
}

HL_CLONES static void sum(struct rows r, unsigned moving)
{
    EACH r.y[l] = r.x[l] + r.z[l];
    if (moving == 3)
        EACH r.dy[l] = r.dx[l] + r.dz[l];
    else
        memcpy(r.dy, moving == 1 ? r.dx : r.dz, LANES * sizeof *r.dy);
}

HL_CLONES static void difference(struct rows r, unsigned moving)
{
    EACH r.y[l] = r.x[l] - r.z[l];
    EACH r.dy[l] = (moving & 1 ? r.dx[l] : 0) - (moving & 2 ? r.dz[l] : 0);
}

HL_CLONES static void extreme(struct rows r, unsigned moving, bool greatest)
{
    EACH {
        bool first = (greatest ? r.x[l] > r.z[l] : r.x[l] < r.z[l]) || r.x[l] != r.x[l];
        double dx = moving & 1 ? r.dx[l] : 0, dz = moving & 2 ? r.dz[l] : 0;
        r.y[l] = first ? r.x[l] : r.z[l];
        r.dy[l] = first ? dx : dz;
    }
}

HL_CLONES static void compare(struct rows r, enum hl_op op)
{
    if (op == HL_OP_LT)
        EACH r.y[l] = r.x[l] < r.z[l] ? 1 : 0;
    else if (op == HL_OP_LE)
        EACH r.y[l] = r.x[l] <= r.z[l] ? 1 : 0;
    else if (op == HL_OP_GT)
        EACH r.y[l] = r.x[l] > r.z[l] ? 1 : 0;
    else
        EACH r.y[l] = r.x[l] >= r.z[l] ? 1 : 0;
    memset(r.dy, 0, LANES * sizeof *r.dy);
}

HL_CLONES static void choice(struct rows r, unsigned moving)
{
    EACH {
        double dz = moving & 2 ? r.dz[l] : 0, dw = moving & 4 ? r.dw[l] : 0;
        bool first = r.x[l] != 0;
        r.y[l] = first ? r.z[l] : r.w[l];
        r.dy[l] = first ? dz : dw;
    }
}

/* C^n / (C^n + K^n) for lanes whose n is 1, 2, 3 or 4, and the same for all time: powers are products. whole[l]: it is
 * done. */
HL_CLONES static void whole_hill(struct rows r, unsigned moving, unsigned char *whole)
{
    EACH {
        double C = r.x[l], K = r.z[l], n = r.w[l], inverse = 1 / C, u = K * inverse, u2 = u * u;
        double power = n == 1 ? u : n == 2 ? u2 : n == 3 ? u2 * u : u2 * u2;
        double h = C > 0 ? 1 / (1 + power) : 0, weight = h * (1 - h);
        double dC = moving & 1 ? n * inverse * r.dx[l] : 0, dK = moving & 2 ? n / K * r.dz[l] : 0;
        bool flat = !(C > 0) || weight == 0;
        whole[l] = (n == 1 || n == 2 || n == 3 || n == 4) && C != 0 && C == C;
        r.y[l] = h;
        r.dy[l] = flat ? 0 : weight * (dC - dK);
    }
}

/* The others as they are elsewhere. */
static void hill(const struct hl_instruction *in, struct rows r, unsigned moving)
{
    unsigned char whole[LANES];
    whole_hill(r, moving, whole);
    for (size_t l = 0; memchr(whole, 0, LANES) && l < LANES; l++) {
        if (whole[l])
            continue;
        double file[] = {0, r.x[l], r.z[l], r.w[l]}, dfile[] = {0, r.dx[l], r.dz[l], r.dw[l]};
        struct hl_instruction alone = {in->op, 0, 1, 2, 3};
        hl_program_run_dual(&(struct hl_program){1, &alone}, file, dfile, 1);
        r.y[l] = file[0];
        r.dy[l] = dfile[0];
    }
}

static bool run_fast(const struct hl_instruction *in, struct rows r, unsigned moving)
{
    switch ((enum hl_op)in->op) {
    case HL_OP_ADD: sum(r, moving); return true;
    case HL_OP_SUB: difference(r, moving); return true;
    case HL_OP_MUL: product(r, moving); return true;
    case HL_OP_DIV: quotient(r, moving); return true;
    case HL_OP_MIN: extreme(r, moving, false); return true;
    case HL_OP_MAX: extreme(r, moving, true); return true;
    case HL_OP_LT: case HL_OP_LE: case HL_OP_GT: case HL_OP_GE: compare(r, (enum hl_op)in->op); return true;
    case HL_OP_SELECT: choice(r, moving); return true;
    case HL_OP_HILL:
        if (moving & 4)
            return false;
        hill(in, r, moving);
        return true;
    default: return false;
    }
}

void hl_forecast_dual_run(const struct hl_forecast_dual *dual, double *file, double *dfile)
{
    for (size_t k = 0; k < dual->moves.n; k++) {
        struct hl_instruction *in = &dual->moves.code[k];
        int a = in->a, b = in->b < 0 ? a : in->b, c = in->c < 0 ? a : in->c;
        struct rows r = {ROW_OF(file, in->dst), ROW_OF(dfile, in->dst), ROW_OF(file, a), ROW_OF(dfile, a),
                         ROW_OF(file, b), ROW_OF(dfile, b), ROW_OF(dfile, c), ROW_OF(file, c)};
        bool own = in->dst != a && in->dst != b && in->dst != c;
        if (!own || !run_fast(in, r, dual->moving[k]))
            hl_program_run_dual(&(struct hl_program){1, in}, file, dfile, LANES);
    }
}
