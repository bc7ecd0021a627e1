/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exact motion of x' = A x + b.
 *
 * With A = V D V^-1 and z = V^-1 x every mode moves alone,
 *     z_j(dt) = z_j e^(lambda_j dt) + g_j phi1(lambda_j, dt),     g = V^-1 b,
 *     phi1(l, dt) = (e^(l dt) - 1) / l,   phi2(l, dt) = (phi1(l, dt) - dt) / l,
 * and its integral over dt is z_j phi1 + g_j phi2. A conjugate pair a +- i b is
 * kept in real form as two neighbours that turn around each other: for v = p + iq
 * the columns of V are p, q and x = p z_j + q z_{j+1} with
 *     z_j' = a z_j + b z_{j+1},   z_{j+1}' = -b z_j + a z_{j+1}.
 *
 * How many digits does this lose? The response of state i to a unit in state k
 * is sum_j V_ij e^(lambda_j t) W_jk. Where rates nearly coincide (ka = k), the
 * terms are large and cancel. The ratio of sum_j |V_ij W_jk| to the response's own
 * peak is the loss: it doesn't depend on how states or vectors are scaled, which a
 * condition number of V would. Peaks are looked for at t = 0, at 1/|lambda_j|
 * within the time that is asked for, and at its end, so the loss may be overstated
 * but never understated.
 *
 * A subject whose loss exceeds HL_MODES_MAX_LOSS is carried by exp(A dt): scaling
 * until |A| h <= 1/2, Taylor's series for phi2(A h), then
 *     phi1 = h + A phi2 (as matrices, with phi0 = exp = 1 + A phi1), and doubling:
 *     R(2h) = R + h Q + P R,  Q(2h) = Q + P Q,  P(2h) = P P,
 * with P = exp, Q = its integral, R = the integral of Q, all in guard digits. For
 * compartments P, Q and R have no negative entries once h is short, so doubling
 * doesn't cancel (the argument of Higham, Functions of Matrices, 2008, 10.3, for
 * essentially non-negative matrices), and each entry is right by itself. */
#include "solve/modes.h"

#include <complex.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "solve/eigen.h"

#define TAYLOR_TERMS 17          /* 0.5^17 / 19! = 6e-23 */
#define MOST_TERMS 30            /* 1 / 30! = 4e-33 */
#define NO_MORE 1e-18            /* relative: a term that changes no digit */
#define SERIES_BELOW 0.5         /* |lambda dt| from which phi functions use their closed form */
#define STANDS_STILL 1e-12       /* |lambda| times the period below which a mode isn't eliminated */

struct hl_modes_work {
    size_t n;
    struct hl_eigen *eigen;
    hl_guarded *lambda, *V, *W;
    long double *X, *P, *Q, *R, *T; /* n x n */
    double *z, *x, *e;              /* n, n, and 2 n for rows of exponentials */
    double *peak, *terms;           /* n x n */
};

struct hl_modes_work *hl_modes_work_create(size_t n)
{
    struct hl_modes_work *work = hl_alloc(1, sizeof *work);
    if (!work)
        return NULL;
    work->n = n;
    work->eigen = hl_eigen_create(n);
    work->lambda = hl_alloc(n, sizeof *work->lambda);
    work->V = hl_alloc(n * n, sizeof *work->V);
    work->W = hl_alloc(n * n, sizeof *work->W);
    long double **square[] = {&work->X, &work->P, &work->Q, &work->R, &work->T};
    bool good = work->eigen && work->lambda && work->V && work->W;
    for (size_t k = 0; k < sizeof square / sizeof *square; k++)
        good = (*square[k] = hl_alloc(n * (n + 1), sizeof **square[k])) && good;
    double **row[] = {&work->z, &work->x, &work->e, &work->peak, &work->terms};
    for (size_t k = 0; k < sizeof row / sizeof *row; k++)
        good = (*row[k] = hl_alloc(k < 3 ? 2 * n : n * n, sizeof **row[k])) && good;
    if (good)
        return work;
    hl_modes_work_free(work);
    return NULL;
}

void hl_modes_work_free(struct hl_modes_work *work)
{
    if (!work)
        return;
    hl_eigen_free(work->eigen);
    void *part[] = {work->lambda, work->V, work->W, work->X, work->P, work->Q, work->R, work->T,
                    work->z, work->x, work->e, work->peak, work->terms, work};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
}

enum hl_status hl_modes_init(struct hl_modes *modes, size_t n)
{
    memset(modes, 0, sizeof *modes);
    modes->n = n;
    modes->re = hl_alloc(n, sizeof *modes->re);
    modes->im = hl_alloc(n, sizeof *modes->im);
    modes->V = hl_alloc(n * n, sizeof *modes->V);
    modes->W = hl_alloc(n * n, sizeof *modes->W);
    modes->A = hl_alloc(n * n, sizeof *modes->A);
    modes->exact = hl_alloc(n * n, sizeof *modes->exact);
    if (modes->re && modes->im && modes->V && modes->W && modes->A && modes->exact)
        return HL_OK;
    hl_modes_clear(modes);
    return HL_ERR_MEMORY;
}

void hl_modes_clear(struct hl_modes *modes)
{
    void *part[] = {modes->re, modes->im, modes->V, modes->W, modes->A, modes->exact};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        hl_free(part[k]);
    for (size_t k = 0; k < HL_PROPAGATORS; k++) {
        hl_free(modes->cache[k].P);
        hl_free(modes->cache[k].Q);
    }
    if (modes->rough)
        hl_modes_clear(modes->rough);
    hl_free(modes->rough);
    memset(modes, 0, sizeof *modes);
}

const struct hl_modes *hl_modes_real(const struct hl_modes *modes, double most_loss)
{
    if (modes->kind == HL_MODES_REAL)
        return modes;
    bool rough = modes->kind == HL_MODES_MATRIX && modes->rough && modes->rough->kind == HL_MODES_REAL;
    return rough && modes->loss <= most_loss ? modes->rough : NULL;
}

/* Real columns and rows from complex pairs (see above). */
static void take_real_form(struct hl_modes *modes, const struct hl_modes_work *work)
{
    size_t n = modes->n;
    modes->kind = HL_MODES_REAL;
    for (size_t j = 0; j < n; j++) {
        modes->re[j] = (double)creall(work->lambda[j]);
        modes->im[j] = (double)cimagl(work->lambda[j]);
        bool first = modes->im[j] > 0, second = modes->im[j] < 0;
        if (first || second)
            modes->kind = HL_MODES_ROTATING;
        for (size_t i = 0; i < n; i++) {
            hl_guarded v = work->V[i * n + j], w = second ? work->W[(j - 1) * n + i] : work->W[j * n + i];
            modes->V[i * n + j] = (double)(second ? -cimagl(v) : creall(v)); /* of the conjugate */
            modes->W[j * n + i] = (double)(first ? 2 * creall(w) : second ? -2 * cimagl(w) : creall(w));
        }
    }
}

static void take_matrix_form(struct hl_modes *modes)
{
    size_t n = modes->n;
    modes->kind = HL_MODES_MATRIX;
    memset(modes->re, 0, n * sizeof *modes->re);
    memset(modes->im, 0, n * sizeof *modes->im);
    for (size_t i = 0; i < n * n; i++)
        modes->V[i] = modes->W[i] = i % (n + 1) == 0 ? 1.0 : 0.0;
}

double hl_phi1(double lambda, double dt)
{
    double x = lambda * dt;
    return x == 0 ? dt : expm1(x) / lambda; /* exactly 0: no elimination */
}

static double phi2(double lambda, double dt)
{
    double x = lambda * dt, sum = 0;
    if (fabs(x) > SERIES_BELOW)
        return (expm1(x) - x) / (lambda * lambda);
    for (int k = TAYLOR_TERMS; k >= 2; k--)
        sum = (1 + x * sum) / k;
    return dt * dt * sum;
}

static void rotate(double re, double im, double dt, double *z)
{
    double e = exp(re * dt), c = e * cos(im * dt), s = e * sin(im * dt);
    double a = c * z[0] + s * z[1], b = -s * z[0] + c * z[1];
    z[0] = a;
    z[1] = b;
}

/* Free motion of all modes over dt. */
static void move_freely(const struct hl_modes *modes, double dt, double *z)
{
    for (size_t j = 0; j < modes->n; j++) {
        if (modes->im[j] > 0) {
            rotate(modes->re[j], modes->im[j], dt, z + j);
            j++;
        } else {
            z[j] *= exp(modes->re[j] * dt);
        }
    }
}

static void note_peaks(const struct hl_modes *modes, double dt, struct hl_modes_work *work)
{
    size_t n = modes->n;
    bool real = modes->kind == HL_MODES_REAL;
    for (size_t j = 0; real && j < n; j++)
        work->e[j] = exp(modes->re[j] * dt);
    for (size_t k = 0; k < n; k++) {
        for (size_t j = 0; j < n; j++)
            work->z[j] = modes->W[j * n + k] * (real ? work->e[j] : 1);
        if (!real)
            move_freely(modes, dt, work->z);
        hl_modes_states(modes, work->z, work->x);
        for (size_t i = 0; i < n; i++)
            work->peak[i * n + k] = fmax(work->peak[i * n + k], fabs(work->x[i]));
    }
}

/* The loss of the modal form (see above). */
static double modal_loss(const struct hl_modes *modes, const struct hl_shape *shape, double horizon,
                         struct hl_modes_work *work)
{
    size_t n = modes->n;
    double loss = 1;
    for (size_t i = 0; i < n * n; i++)
        work->peak[i] = i % (n + 1) == 0 ? 1 : 0;
    for (size_t j = 0; j < n; j++) {
        double speed = hypot(modes->re[j], modes->im[j]);
        if (speed > 0 && 1 / speed < horizon)
            note_peaks(modes, 1 / speed, work);
    }
    if (isfinite(horizon))
        note_peaks(modes, horizon, work);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            double terms = 0;
            for (size_t j = 0; j < n; j++)
                terms += fabs(modes->V[i * n + j] * modes->W[j * n + k]);
            if (shape->reach[i * n + k] && terms > 0)
                loss = fmax(loss, terms / work->peak[i * n + k]);
        }
    return loss;
}

/* Keeps the real modes just found beside the matrix that takes their place. Where there is no memory for them there are
 * none. */
static void keep_rough(struct hl_modes *modes)
{
    size_t n = modes->n;
    if (modes->rough)
        modes->rough->kind = HL_MODES_NONE;
    if (modes->kind != HL_MODES_REAL || !isfinite(modes->loss))
        return;
    if (!modes->rough && (modes->rough = hl_alloc(1, sizeof *modes->rough))
        && hl_modes_init(modes->rough, n) != HL_OK) {
        hl_free(modes->rough);
        modes->rough = NULL;
    }
    if (!modes->rough)
        return;
    memcpy(modes->rough->re, modes->re, n * sizeof *modes->re);
    memcpy(modes->rough->V, modes->V, n * n * sizeof *modes->V);
    memcpy(modes->rough->W, modes->W, n * n * sizeof *modes->W);
    modes->rough->kind = HL_MODES_REAL;
}

/* Largest sum of a row's absolute values. */
static double norm_of(const struct hl_modes *modes)
{
    double norm = 0;
    for (size_t i = 0; i < modes->n; i++) {
        double sum = 0;
        for (size_t k = 0; k < modes->n; k++)
            sum += fabs(modes->A[i * modes->n + k]);
        norm = fmax(norm, sum);
    }
    return norm;
}

enum hl_status hl_modes_make(struct hl_modes *modes, const struct hl_shape *shape, double horizon,
                             struct hl_modes_work *work)
{
    size_t n = modes->n;
    modes->kind = HL_MODES_NONE;
    modes->n_cached = 0;
    modes->loss = 1;
    for (size_t i = 0; i < n * n; i++) {
        modes->A[i] = (double)modes->exact[i];
        if (!isfinite(modes->A[i]))
            return HL_ERR_DOMAIN;
    }
    modes->norm = norm_of(modes);
    if (hl_eigen_solve(work->eigen, modes->exact, shape, work->lambda, work->V, work->W)) {
        take_real_form(modes, work);
        modes->loss = modal_loss(modes, shape, horizon, work);
        if (modes->loss <= HL_MODES_MAX_LOSS) /* false for NaN too */
            return HL_OK;
    }
    keep_rough(modes);
    take_matrix_form(modes);
    return HL_OK;
}

void hl_modes_set_real(struct hl_modes *modes, const double *rate, const double *V, const double *W, size_t stride)
{
    size_t n = modes->n;
    modes->kind = HL_MODES_REAL;
    modes->n_cached = 0;
    modes->loss = NAN;
    for (size_t j = 0; j < n; j++) {
        modes->re[j] = rate[j * stride];
        modes->im[j] = 0;
    }
    for (size_t k = 0; k < n * n; k++) {
        modes->A[k] = (double)modes->exact[k];
        modes->V[k] = V[k * stride];
        modes->W[k] = W[k * stride];
    }
    modes->norm = norm_of(modes);
}

enum hl_status hl_modes_eigenvalues(const long double *A, const struct hl_shape *shape, struct hl_modes_work *work,
                                    double *re, double *im)
{
    for (size_t i = 0; i < shape->n * shape->n; i++)
        if (!isfinite(A[i]))
            return HL_ERR_DOMAIN;
    if (!hl_eigen_values(work->eigen, A, shape, work->lambda))
        return HL_ERR_DOMAIN;
    for (size_t j = 0; j < shape->n; j++) {
        re[j] = (double)creall(work->lambda[j]);
        im[j] = (double)cimagl(work->lambda[j]);
    }
    return HL_OK;
}

void hl_modes_shut(struct hl_modes *modes, size_t place)
{
    for (size_t j = 0; j < modes->n; j++)
        modes->W[j * modes->n + place] = modes->V[place * modes->n + j] = 0;
}

static void apply(const double *M, const double *x, size_t n, double *y)
{
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t k = 0; k < n; k++)
            sum += M[i * n + k] * x[k];
        y[i] = sum;
    }
}

void hl_modes_project(const struct hl_modes *modes, const double *x, double *z)
{
    apply(modes->W, x, modes->n, z);
}

void hl_modes_states(const struct hl_modes *modes, const double *z, double *x)
{
    apply(modes->V, z, modes->n, x);
}

/* C = A B for matrices with guard digits. */
static void multiply(const long double *A, const long double *B, size_t n, long double *C)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            long double sum = 0;
            for (size_t k = 0; k < n; k++)
                sum += A[i * n + k] * B[k * n + j];
            C[i * n + j] = sum;
        }
}

/* R = h^2 phi2(A h), Q = h phi1(A h), P = exp(A h) by Taylor's series, X = A h. */
static void short_step(struct hl_modes_work *work, size_t n, double h)
{
    for (size_t i = 0; i < n * n; i++)
        work->R[i] = i % (n + 1) == 0 ? 1 : 0;
    for (int k = TAYLOR_TERMS; k >= 3; k--) {
        multiply(work->X, work->R, n, work->T);
        for (size_t i = 0; i < n * n; i++)
            work->R[i] = work->T[i] / k + (i % (n + 1) == 0 ? 1 : 0);
    }
    for (size_t i = 0; i < n * n; i++)
        work->R[i] *= 0.5L;
    multiply(work->X, work->R, n, work->Q);
    for (size_t i = 0; i < n; i++)
        work->Q[i * n + i] += 1;
    multiply(work->X, work->Q, n, work->P);
    for (size_t i = 0; i < n; i++)
        work->P[i * n + i] += 1;
    for (size_t i = 0; i < n * n; i++) {
        work->Q[i] *= h;
        work->R[i] *= (long double)h * h;
    }
}

static void double_step(struct hl_modes_work *work, size_t n, double h)
{
    multiply(work->P, work->R, n, work->T);
    for (size_t i = 0; i < n * n; i++)
        work->R[i] += h * work->Q[i] + work->T[i];
    multiply(work->P, work->Q, n, work->T);
    for (size_t i = 0; i < n * n; i++)
        work->Q[i] += work->T[i];
    multiply(work->P, work->P, n, work->T);
    memcpy(work->P, work->T, n * n * sizeof *work->P);
}

/* P, Q and R of work for one dt. */
static void exponential(const struct hl_modes *modes, double dt, struct hl_modes_work *work)
{
    size_t n = modes->n;
    double norm = modes->norm;
    int doublings = norm * dt > 0.5 ? (int)ceil(log2(norm * dt)) + 1 : 0;
    double h = ldexp(dt, -doublings);
    for (size_t i = 0; i < n * n; i++)
        work->X[i] = modes->exact[i] * h;
    short_step(work, n, h);
    for (int k = 0; k < doublings; k++, h *= 2)
        double_step(work, n, h);
}

/* The propagator for dt from the cache, or made and put first; NULL when there is no memory for it. */
static const struct hl_propagator *propagator(struct hl_modes *modes, double dt, struct hl_modes_work *work)
{
    size_t n = modes->n, found = 0;
    while (found < modes->n_cached && modes->cache[found].dt != dt) /* the very same step, not a similar one */
        found++;
    bool fresh = found == modes->n_cached;
    if (fresh)
        found = modes->n_cached < HL_PROPAGATORS ? modes->n_cached++ : HL_PROPAGATORS - 1;
    struct hl_propagator chosen = modes->cache[found];
    memmove(modes->cache + 1, modes->cache, found * sizeof *modes->cache);
    if (!chosen.P)
        chosen.P = hl_alloc(n * n, sizeof *chosen.P);
    if (!chosen.Q)
        chosen.Q = hl_alloc(n * n, sizeof *chosen.Q);
    if (fresh && chosen.P && chosen.Q) {
        chosen.dt = dt;
        exponential(modes, dt, work);
        for (size_t i = 0; i < n * n; i++) {
            chosen.P[i] = (double)work->P[i];
            chosen.Q[i] = (double)work->Q[i];
        }
    }
    modes->cache[0] = chosen;
    return chosen.P && chosen.Q ? &modes->cache[0] : NULL;
}

static void advance_matrix(struct hl_modes *modes, double dt, double *z, const double *g, struct hl_modes_work *work)
{
    size_t n = modes->n;
    const struct hl_propagator *step = propagator(modes, dt, work);
    memcpy(work->x, z, n * sizeof *z);
    for (size_t i = 0; i < n; i++) {
        double sum = step ? 0 : NAN;
        for (size_t k = 0; step && k < n; k++)
            sum += step->P[i * n + k] * work->x[k] + step->Q[i * n + k] * g[k];
        z[i] = sum;
    }
}

/* phi1 and phi2 of a complex rate times dt and dt^2. */
static void complex_phi(double re, double im, double dt, double _Complex *one, double _Complex *two)
{
    double _Complex lambda = re + im * (double _Complex)I, x = lambda * dt, sum = 0;
    if (cabs(x) > SERIES_BELOW) {
        *one = (cexp(x) - 1) / lambda;
        *two = (*one - dt) / lambda;
        return;
    }
    for (int k = TAYLOR_TERMS; k >= 2; k--)
        sum = (1 + x * sum) / k;
    *two = dt * dt * sum;
    *one = dt * (1 + x * sum);
}

/* In the real form of a pair, multiplying zeta by u + iv takes (z0, z1) to (u z0 + v z1, -v z0 + u z1). */
static void add_times(double _Complex factor, const double *from, double *to)
{
    double u = creal(factor), v = cimag(factor);
    to[0] += u * from[0] + v * from[1];
    to[1] += -v * from[0] + u * from[1];
}

void hl_modes_advance(struct hl_modes *modes, double dt, double *z, const double *g, struct hl_modes_work *work)
{
    if (dt == 0) /* nothing to do means nothing done, to the last bit */
        return;
    if (modes->kind == HL_MODES_MATRIX) {
        advance_matrix(modes, dt, z, g, work);
        return;
    }
    move_freely(modes, dt, z);
    for (size_t j = 0; j < modes->n; j++) {
        if (modes->im[j] > 0) {
            double _Complex one, two;
            complex_phi(modes->re[j], modes->im[j], dt, &one, &two);
            add_times(one, g + j, z + j);
            j++;
        } else if (g[j] != 0) { /* no input: spare the exponential */
            z[j] += g[j] * hl_phi1(modes->re[j], dt);
        }
    }
}

/* y(h) = y + h v + h^2/2 A v + ..., v = A y + b, until nothing more is added: some twenty products of A with a
 * vector. */
void hl_modes_nudge(const struct hl_modes *modes, double dt, double *z, const double *g, struct hl_modes_work *work)
{
    size_t n = modes->n;
    double pieces = fmax(1, ceil(modes->norm * dt)), h = dt / pieces, *term = work->e, *next = work->e + n;
    for (double p = 0; p < pieces; p++) {
        double size = 0, added = 1;
        apply(modes->A, z, n, term);
        for (size_t i = 0; i < n; i++) {
            term[i] = h * (term[i] + g[i]);
            size = fmax(size, fabs(z[i]));
        }
        for (int k = 2; k < MOST_TERMS && added > 0; k++) {
            added = 0;
            for (size_t i = 0; i < n; i++) {
                z[i] += term[i];
                added = fmax(added, fabs(term[i]));
            }
            added = added > NO_MORE * size ? added : 0;
            apply(modes->A, term, n, next);
            for (size_t i = 0; i < n; i++)
                term[i] = next[i] * h / k;
        }
    }
}

static void integral_matrix(struct hl_modes *modes, double dt, const double *z, const double *g, double *integral,
                            struct hl_modes_work *work)
{
    size_t n = modes->n;
    exponential(modes, dt, work);
    for (size_t i = 0; i < n; i++) {
        long double sum = 0;
        for (size_t k = 0; k < n; k++)
            sum += work->Q[i * n + k] * z[k] + work->R[i * n + k] * g[k];
        integral[i] = (double)sum;
    }
}

void hl_modes_integral(struct hl_modes *modes, double dt, const double *z, const double *g, double *integral,
                       struct hl_modes_work *work)
{
    if (modes->kind == HL_MODES_MATRIX) {
        integral_matrix(modes, dt, z, g, integral, work);
        return;
    }
    for (size_t j = 0; j < modes->n; j++) {
        if (modes->im[j] > 0) {
            double _Complex one, two;
            complex_phi(modes->re[j], modes->im[j], dt, &one, &two);
            work->z[j] = work->z[j + 1] = 0;
            add_times(one, z + j, work->z + j);
            add_times(two, g + j, work->z + j);
            j++;
        } else {
            work->z[j] = z[j] * hl_phi1(modes->re[j], dt) + (g[j] != 0 ? g[j] * phi2(modes->re[j], dt) : 0);
        }
    }
    hl_modes_states(modes, work->z, integral);
}

/* Solves M x = y (in P, and column n of T's first n entries) in guard digits; what nothing determines and nothing
 * drives stays at rest. false when something undetermined is driven. */
static bool solve_matrix(struct hl_modes_work *work, size_t n, long double *M, long double *y, const double *rest,
                         double *x)
{
    long double largest = 0, driven = 0;
    for (size_t i = 0; i < n * n; i++)
        largest = fmaxl(largest, fabsl(M[i]));
    for (size_t i = 0; i < n; i++)
        driven = fmaxl(driven, fabsl(y[i]));
    bool *used = (bool *)work->peak; /* n flags in scratch of n x n doubles */
    size_t *pivot = (size_t *)work->terms;
    memset(used, 0, n * sizeof *used);
    for (size_t k = 0; k < n; k++) {
        size_t best = n;
        for (size_t i = 0; i < n; i++)
            if (!used[i] && (best == n || fabsl(M[i * n + k]) > fabsl(M[best * n + k])))
                best = i;
        pivot[k] = n;
        if (best == n || fabsl(M[best * n + k]) <= STANDS_STILL * 1e-3L * largest)
            continue;
        used[best] = true;
        pivot[k] = best;
        for (size_t i = 0; i < n; i++) {
            long double factor = i == best ? 0 : M[i * n + k] / M[best * n + k];
            for (size_t j = k; factor != 0 && j < n; j++)
                M[i * n + j] -= factor * M[best * n + j];
            y[i] -= factor * y[best];
        }
    }
    for (size_t i = 0; i < n; i++)
        if (!used[i] && fabsl(y[i]) > STANDS_STILL * driven)
            return false;
    for (size_t k = 0; k < n; k++)
        x[k] = pivot[k] == n ? (rest ? rest[k] : 0) : (double)(y[pivot[k]] / M[pivot[k] * n + k]);
    return true;
}

static bool periodic_matrix(struct hl_modes *modes, double period, const double *g, double *z,
                            struct hl_modes_work *work)
{
    size_t n = modes->n;
    exponential(modes, period, work);
    for (size_t i = 0; i < n * n; i++)
        work->P[i] = (i % (n + 1) == 0 ? 1 : 0) - work->P[i];
    for (size_t i = 0; i < n; i++)
        work->T[i] = g[i];
    return solve_matrix(work, n, work->P, work->T, NULL, z);
}

/* Divides g_j (a pair: g_j, g_{j+1}) by the complex number u + iv into z. */
static void divide_pair(const double *g, double u, double v, double *z)
{
    z[0] = z[1] = 0;
    add_times(1 / (u + v * (double _Complex)I), g, z);
}

static double largest_of(const double *g, size_t n)
{
    double largest = 0;
    for (size_t j = 0; j < n; j++)
        largest = fmax(largest, fabs(g[j]));
    return largest;
}

bool hl_modes_periodic(struct hl_modes *modes, double period, const double *g, double *z, struct hl_modes_work *work)
{
    if (modes->kind == HL_MODES_MATRIX)
        return periodic_matrix(modes, period, g, z, work);
    double driven = STANDS_STILL * largest_of(g, modes->n);
    for (size_t j = 0; j < modes->n; j++) {
        double x = modes->re[j] * period;
        if (modes->im[j] > 0) {
            double e = exp(x), angle = modes->im[j] * period;
            if (x > -STANDS_STILL)
                return false;
            divide_pair(g + j, 1 - e * cos(angle), -e * sin(angle), z + j);
            j++;
        } else if (x > -STANDS_STILL) {
            if (fabs(g[j]) > driven)
                return false;
            z[j] = 0;
        } else {
            z[j] = g[j] / -expm1(x);
        }
    }
    return true;
}

static bool balance_matrix(struct hl_modes *modes, const double *g, const double *rest, double *z,
                           struct hl_modes_work *work)
{
    size_t n = modes->n;
    for (size_t i = 0; i < n * n; i++)
        work->P[i] = -modes->exact[i];
    for (size_t i = 0; i < n; i++)
        work->T[i] = g[i];
    return solve_matrix(work, n, work->P, work->T, rest, z);
}

bool hl_modes_balance(struct hl_modes *modes, const double *g, const double *rest, double *z,
                      struct hl_modes_work *work)
{
    if (modes->kind == HL_MODES_MATRIX)
        return balance_matrix(modes, g, rest, z, work);
    double driven = STANDS_STILL * largest_of(g, modes->n);
    for (size_t j = 0; j < modes->n; j++) {
        if (modes->im[j] > 0) {
            divide_pair(g + j, -modes->re[j], -modes->im[j], z + j);
            j++;
        } else if (modes->re[j] > -STANDS_STILL) { /* per hour */
            if (fabs(g[j]) > driven)
                return false;
            z[j] = rest[j];
        } else {
            z[j] = g[j] / -modes->re[j];
        }
    }
    return true;
}
