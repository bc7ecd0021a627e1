/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Products and sums of IEEE double in a fixed order, fused by nobody, so the vector's width can't be seen in the
 * result. Per subject and time a linear model of n modes costs n products for the step and a product and a sum for
 * every mode that shows in an output: about a nanosecond for nine modes and four outputs.
 *
 * What a panel of modes shows over many steps is the work of one kernel, written for its very numbers of modes and
 * quantities, so that amplitudes never leave the registers: with loops over modes of any number, stored and loaded
 * again every step, the same took eight times as long. Kernels exist for vectors of two doubles (SSE2, NEON, whatever
 * the compiler makes of them), four (AVX2) and eight (AVX-512); the widest that the machine knows is chosen when
 * panels are made. Sums that don't fit into a panel are taken up by the next one where the first has left them.
 *
 * A fast mode decays until it is no longer a normal number, and arithmetic with what comes then takes a hundred times
 * as long (a third of the whole time for the fentanyl of workload W1, whose fastest mode loses nine digits an hour).
 * So modes are forgotten in time; nobody can see them among the others, nor alone. */
#include "solve/glide.h"

#include <string.h>

typedef hl_glide_kernel *const table[HL_PANEL_MODES][HL_PANEL_SHOWN + 1][2];

#define JOIN(a, b) a##_##b

#define GLIDE_NAME(x) JOIN(x, two)
#define GLIDE_PART 2
#define GLIDE_TARGET
#include "solve/glide_kernels.h"

#if defined(__x86_64__) && !defined(HL_NO_CLONES)
#define HAS_WIDER 1

#define GLIDE_NAME(x) JOIN(x, four)
#define GLIDE_PART 4
#define GLIDE_TARGET __attribute__((target("avx2")))
#include "solve/glide_kernels.h"

#define GLIDE_NAME(x) JOIN(x, eight)
#define GLIDE_PART 8
#define GLIDE_TARGET __attribute__((target("avx512f")))
#include "solve/glide_kernels.h"
#endif

enum hl_width hl_glide_width(void)
{
#ifdef HAS_WIDER
    if (__builtin_cpu_supports("avx512f"))
        return HL_WIDTH_EIGHT;
    if (__builtin_cpu_supports("avx2"))
        return HL_WIDTH_FOUR;
#endif
    return HL_WIDTH_TWO;
}

hl_glide_kernel *hl_glide_kernel_for(enum hl_width width, size_t n_modes, size_t n_shown, bool input)
{
    if (width > hl_glide_width() || n_modes < 1 || n_modes > HL_PANEL_MODES || n_shown > HL_PANEL_SHOWN)
        return NULL;
#ifdef HAS_WIDER
    if (width == HL_WIDTH_EIGHT)
        return kernels_eight[n_modes - 1][n_shown][input];
    if (width == HL_WIDTH_FOUR)
        return kernels_four[n_modes - 1][n_shown][input];
#endif
    return kernels_two[n_modes - 1][n_shown][input];
}

void hl_glide_aim(const struct hl_shown *shown, double *z)
{
    for (size_t i = 0; i < shown->n_panels; i++) {
        const struct hl_panel *p = &shown->panel[i];
        struct hl_glide_call *call = &shown->call[i];
        *call = (struct hl_glide_call){.still = p->still, .fed = p->fed, .z = z + p->mode * HL_GROUP,
                                       .mode = p->mode * HL_GROUP, .row = shown->row + p->row * HL_GROUP,
                                       .time_stride = shown->time_stride, .keep = !p->last};
        for (size_t q = 0; q < p->n_shown; q++) {
            call->y[q] = shown->y + p->shown[q] * shown->quantity_stride;
            call->start[q] = p->first[q] ? shown->offset + p->shown[q] * HL_GROUP : call->y[q];
            call->moves[q] = !p->first[q];
        }
    }
}

static void show_constants(const struct hl_shown *shown, size_t at, size_t steps)
{
    for (size_t i = 0; i < shown->n_constant; i++)
        for (size_t k = 0; k < steps; k++)
            memcpy(shown->y + shown->constant[i] * shown->quantity_stride + at + k * shown->time_stride,
                   shown->offset + shown->constant[i] * HL_GROUP, HL_GROUP * sizeof(double));
}

void hl_glide(const struct hl_shown *shown, const double *E, const double *u, size_t at, size_t steps, size_t done)
{
    for (size_t i = 0; i < shown->n_panels; i++)
        (u ? shown->call[i].fed : shown->call[i].still)(&shown->call[i], E, u, at, steps, done);
    show_constants(shown, at, steps);
}

void hl_glide_show(const struct hl_shown *shown, size_t at)
{
    for (size_t i = 0; i < shown->n_panels; i++) /* nothing is done with E but to load it */
        if (shown->panel[i].n_shown > 0)
            shown->call[i].still(&shown->call[i], shown->call[i].z - shown->call[i].mode, NULL, at, 0, 0);
    show_constants(shown, at, 1);
}

/* Eight subjects: one register of AVX-512, two of AVX2, four of SSE2 or NEON. */
typedef double eight __attribute__((vector_size(HL_GROUP * sizeof(double))));

#define ROW(array, i) (*(eight *)__builtin_assume_aligned((array) + (i) * HL_GROUP, 64))
#define CONST_ROW(array, i) (*(const eight *)__builtin_assume_aligned((array) + (i) * HL_GROUP, 64))

#define HOP(drift) \
    eight d = drift; \
    for (size_t j = 0; j < n_modes; j++) { \
        eight x = CONST_ROW(lambda, j) * d, e = CONST_ROW(E, j); \
        eight moved = ROW(z, j) * (e + e * (x + 0.5 * x * x)); \
        ROW(z, j) = g ? moved + CONST_ROW(g, j) * (CONST_ROW(phi, j) + e * d) : moved; \
    }

HL_CLONES void hl_glide_hop(double *z, const double *E, const double *phi, const double *g, const double *lambda,
                            const double *drift, size_t n_modes)
{
    HOP(CONST_ROW(drift, 0))
}

HL_CLONES void hl_glide_hop_together(double *z, const double *E, const double *phi, const double *g,
                                     const double *lambda, double drift, size_t n_modes)
{
    HOP((eight){0} + drift)
}

HL_CLONES void hl_glide_leap(double *z, const double *E, const double *phi, const double *g, size_t n_modes)
{
    for (size_t j = 0; j < n_modes; j++) {
        eight moved = ROW(z, j) * CONST_ROW(E, j);
        ROW(z, j) = g ? moved + CONST_ROW(g, j) * CONST_ROW(phi, j) : moved;
    }
}

HL_CLONES void hl_glide_forget(double *z, size_t n_modes)
{
#pragma omp simd
    for (size_t i = 0; i < n_modes * HL_GROUP; i++)
        z[i] = __builtin_fabs(z[i]) <= HL_NOTHING ? 0.0 : z[i];
}

HL_CLONES void hl_glide_replace(double *z, const double *origin, const double *E, const double *u, const double *keep,
                                size_t n_modes)
{
    for (size_t j = 0; j < n_modes; j++)
        for (size_t l = 0; l < HL_GROUP; l++) {
            size_t i = j * HL_GROUP + l;
            z[i] = keep[l] != 0 ? z[i] : origin[i] * E[i] + u[i];
        }
}

HL_CLONES void hl_glide_add(double *z, const double *W, size_t stride, const double *amount, size_t n_modes)
{
    eight a = CONST_ROW(amount, 0);
    for (size_t j = 0; j < n_modes; j++, W += stride)
        ROW(z, j) += CONST_ROW(W, 0) * a;
}

HL_CLONES void hl_glide_add_together(double *z, const double *W, size_t stride, double amount, size_t n_modes)
{
    for (size_t j = 0; j < n_modes; j++, W += stride)
        ROW(z, j) += CONST_ROW(W, 0) * amount;
}

/* Modes j .. j + 3 (the last of n_modes again where there are fewer) through n rounds, side by side, as each round
 * waits for the one before. */
#define FOUR(do) do(0) do(1) do(2) do(3)
#define TAKE(m) \
    size_t i##m = j + m < n_modes ? j + m : n_modes - 1; \
    eight x##m = ROW(z, i##m), e##m = CONST_ROW(E, i##m); \
    eight u##m = g ? CONST_ROW(g, i##m) * CONST_ROW(phi, i##m) : (eight){0}; \
    eight a##m = W ? CONST_ROW(W, i##m * (stride / HL_GROUP)) * amount : (eight){0};
#define DECAY(m) x##m = x##m * e##m;
#define FLOW(m) x##m = x##m * e##m + u##m;
#define DOSE(m) x##m = x##m * e##m + a##m;
#define BOTH(m) x##m = (x##m * e##m + u##m) + a##m;
#define LEAVE(m) ROW(z, i##m) = x##m;
#define ROUNDS(step) \
    for (size_t k = 0; k < n; k++) { \
        FOUR(step) \
    }

HL_CLONES void hl_glide_run(double *z, const double *E, const double *phi, const double *g, const double *W,
                            size_t stride, double amount, size_t n_modes, size_t n)
{
    for (size_t j = 0; j < n_modes; j += 4) {
        FOUR(TAKE)
        if (g && W) {
            ROUNDS(BOTH)
        } else if (W) {
            ROUNDS(DOSE)
        } else if (g) {
            ROUNDS(FLOW)
        } else {
            ROUNDS(DECAY)
        }
        FOUR(LEAVE)
    }
}

void hl_glide_table(const double *lambda, double dt, size_t n_modes, double *E, double *phi)
{
    double row[HL_GROUP];
    for (size_t l = 0; l < HL_GROUP; l++)
        row[l] = dt;
    for (size_t j = 0; phi && j < n_modes * HL_GROUP; j += HL_GROUP)
        hl_vector_step(lambda + j, row, E + j, phi + j, HL_GROUP);
    if (phi)
        return;
    for (size_t i = 0; i < n_modes * HL_GROUP; i++)
        E[i] = lambda[i] * dt;
    hl_vector_exp(E, E, n_modes * HL_GROUP);
}
