/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernels of glide.c for one width of vectors, included by it once for each:
 *     GLIDE_NAME(x)   x with the width's name
 *     GLIDE_PART      lanes of a vector
 *     GLIDE_TARGET    attribute that lets the compiler use the instruction set
 * A group's eight lanes go through in parts, each of them through all steps; its amplitudes stay in registers. */

typedef double GLIDE_NAME(part) __attribute__((vector_size(GLIDE_PART * sizeof(double))));
typedef int64_t GLIDE_NAME(bits) __attribute__((vector_size(GLIDE_PART * sizeof(int64_t))));

#define PART GLIDE_NAME(part)
#define BITS GLIDE_NAME(bits)
#define PARTS (HL_GROUP / GLIDE_PART)
#define AT(array, i) (((const PART *)(array))[i])
#define PUT(array, i) (((PART *)(array))[i])

#define LOAD(m) \
    PART z##m = {0}, E##m = {0}; \
    if (m < n_modes) { \
        z##m = AT(c->z + l, m * PARTS); \
        E##m = AT(E + l, m * PARTS); \
    }
#define FORGET(m) \
    if (m < n_modes) \
        z##m = (PART)((BITS)z##m & ~((z##m <= HL_NOTHING) & (z##m >= -HL_NOTHING)));
#define TERM(m, q) \
    if (m < n_modes) \
        sum += AT(row, (q * n_modes + m) * PARTS) * z##m;
#define AIM(q) \
    const double *start##q = NULL; \
    double *y##q = NULL; \
    size_t further##q = 0; \
    if (q < n_shown) { \
        start##q = c->start[q] + l + (c->moves[q] ? at : 0); \
        further##q = c->moves[q] ? stride : 0; \
        y##q = c->y[q] + l + at; \
    }
#define SHOW(q) \
    if (q < n_shown) { \
        PART sum = AT(start##q, 0); \
        TERM(0, q) TERM(1, q) TERM(2, q) TERM(3, q) TERM(4, q) TERM(5, q) \
        PUT(y##q, 0) = sum; \
    }
#define NEXT(q) \
    if (q < n_shown) { \
        start##q += further##q; \
        y##q += stride; \
    }
#define MOVE(m) \
    if (m < n_modes) \
        z##m = input ? z##m * E##m + AT(u + l, m * PARTS) : z##m * E##m;
#define KEEP(m) \
    if (m < n_modes) \
        PUT(c->z + l, m * PARTS) = z##m;

GLIDE_TARGET static inline __attribute__((always_inline)) void
GLIDE_NAME(run)(const struct hl_glide_call *c, const double *E, const double *u, size_t at, size_t steps, size_t done,
                const size_t n_modes, const size_t n_shown, const bool input)
{
    const size_t stride = c->time_stride;
    const double *const all_rows = c->row;
    E += c->mode;
    if (input)
        u += c->mode;
    for (size_t l = 0; l < HL_GROUP; l += GLIDE_PART) {
        const double *const row = all_rows + l;
        LOAD(0) LOAD(1) LOAD(2) LOAD(3) LOAD(4) LOAD(5)
        AIM(0) AIM(1) AIM(2) AIM(3)
        if (steps == 0) {
            SHOW(0) SHOW(1) SHOW(2) SHOW(3)
            continue;
        }
        for (size_t k = 0, end; k < steps; k = end) {
            size_t since = (done + k) % HL_FORGET_EVERY;
            end = k + HL_FORGET_EVERY - since < steps ? k + HL_FORGET_EVERY - since : steps;
            if (since == 0) {
                FORGET(0) FORGET(1) FORGET(2) FORGET(3) FORGET(4) FORGET(5)
            }
            for (size_t j = k; j < end; j++) {
                SHOW(0) SHOW(1) SHOW(2) SHOW(3)
                NEXT(0) NEXT(1) NEXT(2) NEXT(3)
                MOVE(0) MOVE(1) MOVE(2) MOVE(3) MOVE(4) MOVE(5)
            }
        }
        if (!c->keep) {
            KEEP(0) KEEP(1) KEEP(2) KEEP(3) KEEP(4) KEEP(5)
        }
    }
}

#define KERNEL(modes, shown) \
    GLIDE_TARGET static void GLIDE_NAME(still_##modes##_##shown)(const struct hl_glide_call *c, const double *E, \
                                                                const double *u, size_t at, size_t steps, size_t done) \
    { \
        GLIDE_NAME(run)(c, E, u, at, steps, done, modes, shown, false); \
    } \
    GLIDE_TARGET static void GLIDE_NAME(fed_##modes##_##shown)(const struct hl_glide_call *c, const double *E, \
                                                              const double *u, size_t at, size_t steps, size_t done) \
    { \
        GLIDE_NAME(run)(c, E, u, at, steps, done, modes, shown, true); \
    }
#define KERNELS(modes) KERNEL(modes, 0) KERNEL(modes, 1) KERNEL(modes, 2) KERNEL(modes, 3) KERNEL(modes, 4)

KERNELS(1) KERNELS(2) KERNELS(3) KERNELS(4) KERNELS(5) KERNELS(6)

#define PAIR(modes, shown) {GLIDE_NAME(still_##modes##_##shown), GLIDE_NAME(fed_##modes##_##shown)}
#define ENTRY(modes) {PAIR(modes, 0), PAIR(modes, 1), PAIR(modes, 2), PAIR(modes, 3), PAIR(modes, 4)}

static const table GLIDE_NAME(kernels) = {ENTRY(1), ENTRY(2), ENTRY(3), ENTRY(4), ENTRY(5), ENTRY(6)};

#undef PART
#undef BITS
#undef PARTS
#undef AT
#undef PUT
#undef LOAD
#undef TERM
#undef FORGET
#undef AIM
#undef NEXT
#undef SHOW
#undef MOVE
#undef KEEP
#undef KERNEL
#undef KERNELS
#undef PAIR
#undef ENTRY
#undef GLIDE_NAME
#undef GLIDE_PART
#undef GLIDE_TARGET
