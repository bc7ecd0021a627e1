/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A program with slopes over one block of lanes, as hl_program_run_dual (model/program.c) runs it, but with the plain
 * operations as vector loops and with what can't move left alone: an instruction whose operands are constants of the
 * subject has slope 0 and keeps it, and where one operand is a constant its term is missing. Everything else is handed
 * to hl_program_run_dual, instruction by instruction. A quotient is a product with the inverse, which its slope needs
 * anyway: half of the divisions, and one rounding more. Compiled with -fno-trapping-math: selecting by comparison
 * becomes vector code then; no value depends on it. */
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

void hl_forecast_dual_make(struct hl_arena *arena, const struct hl_program *program, const bool *constant,
                           size_t n_rows, struct hl_forecast_dual *dual)
{
    bool *moves = hl_arena_alloc(arena, n_rows, sizeof *moves);
    for (size_t r = 0; r < n_rows; r++)
        moves[r] = !constant[r];
    dual->program = program;
    dual->moving = hl_arena_alloc(arena, program->n, sizeof *dual->moving);
    for (size_t k = 0; k < program->n; k++) {
        const struct hl_instruction *in = &program->code[k];
        dual->moving[k] = moving(in, moves);
        moves[in->dst] = dual->moving[k] != 0;
    }
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
    default: return false;
    }
}

void hl_forecast_dual_run(const struct hl_forecast_dual *dual, double *file, double *dfile)
{
    for (size_t k = 0; k < dual->program->n; k++) {
        struct hl_instruction *in = &dual->program->code[k];
        int a = in->a, b = in->b < 0 ? a : in->b, c = in->c < 0 ? a : in->c;
        struct rows r = {ROW_OF(file, in->dst), ROW_OF(dfile, in->dst), ROW_OF(file, a), ROW_OF(dfile, a),
                         ROW_OF(file, b), ROW_OF(dfile, b), ROW_OF(dfile, c), ROW_OF(file, c)};
        bool own = in->dst != a && in->dst != b && in->dst != c && dual->moving[k] != 0;
        if (!own || !run_fast(in, r, dual->moving[k]))
            hl_program_run_dual(&(struct hl_program){1, in}, file, dfile, LANES);
    }
}
