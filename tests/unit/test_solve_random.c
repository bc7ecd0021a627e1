/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random linear models under random regimens: the exact solution against GSL's rk8pd at a relative tolerance of 1e-11, to
 * 1e-9 of each compartment's largest amount, and mass balance to 1e-12 of the dose.
 *
 * Models have 2 to 8 compartments with rates spread over five decades (0.001 to 100 per hour) and a collector of what is
 * eliminated. Of ten models four are rings with rates of one size, whose eigenvalues are complex; two are chains in which
 * rates coincide, exactly or to within 1e-10; four are any graph. A new seed each day, printed; HL_SEED=N repeats one,
 * HL_CASES=N asks for more than 500. */
#include <gsl/gsl_eigen.h>
#include <time.h>

#include "unit/solve_fixture.h"
#include "unit/case_numbers.h"
#include "unit/dice.h"

#define MOST_TIMES 128
#define AGREEMENT 1e-9  /* of a compartment's largest amount */
#define BALANCE 1e-12   /* of the dose */
#define STIFFEST 4000.0 /* fastest rate times horizon: keeps an explicit integrator's work within bounds */

static double five_decades(struct dice *d)
{
    return pow(10, uniform(d, -3, 2));
}

struct model { struct fixture *f; int n; double k[MOST_STATES][MOST_STATES]; /* k[b][a]: from a to b; b == n: out */ double fastest; };

static void flow(struct model *m, int a, int b, double k)
{
    m->k[b][a] += k;
    m->fastest = fmax(m->fastest, k);
    fixture_flow(m->f, a, b, k);
}

static void make_ring(struct model *m, struct dice *d)
{
    double scale = five_decades(d), loss = uniform(d, 0.001, 0.5);
    for (int i = 0; i < m->n; i++)
        flow(m, i, (i + 1) % m->n, fmin(100, scale * uniform(d, 0.7, 1.4)));
    flow(m, integer(d, 0, m->n - 1), m->n, loss * fmin(100, scale));
    if (uniform(d, 0, 1) < 0.5)
        flow(m, integer(d, 0, m->n - 1), m->n, five_decades(d) * 0.01);
}

static void make_chain(struct model *m, struct dice *d)
{
    double k = pow(10, uniform(d, -3, 1.5)), off = uniform(d, 0, 1) < 0.4 ? 0 : pow(10, uniform(d, -16, -10));
    for (int i = 0; i < m->n; i++)
        flow(m, i, i + 1, k * (1 + off * uniform(d, -1, 1)));
    if (m->n > 3 && uniform(d, 0, 1) < 0.3)
        flow(m, m->n - 1, m->n - 3, five_decades(d));
}

static void make_any(struct model *m, struct dice *d)
{
    for (int i = 1; i < m->n; i++) {
        int from = integer(d, 0, i - 1);
        flow(m, from, i, five_decades(d));
        if (uniform(d, 0, 1) < 0.6)
            flow(m, i, from, five_decades(d));
    }
    for (int extra = integer(d, 0, m->n); extra > 0; extra--) {
        int a = integer(d, 0, m->n - 1), b = integer(d, 0, m->n - 1);
        if (a != b)
            flow(m, a, b, five_decades(d));
    }
    for (int i = 0; i < m->n; i++)
        if (i == m->n - 1 || uniform(d, 0, 1) < 0.3)
            flow(m, i, m->n, five_decades(d));
}

static bool is_complex(const struct model *m)
{
    size_t n = (size_t)m->n;
    gsl_matrix *A = gsl_matrix_calloc(n, n);
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b <= n; b++) {
            *gsl_matrix_ptr(A, a, a) -= m->k[b][a];
            if (b < n)
                *gsl_matrix_ptr(A, b, a) += m->k[b][a];
        }
    gsl_vector_complex *value = gsl_vector_complex_alloc(n);
    gsl_eigen_nonsymm_workspace *w = gsl_eigen_nonsymm_alloc(n);
    gsl_eigen_nonsymm(A, value, w);
    bool turns = false;
    for (size_t j = 0; j < n; j++) {
        gsl_complex lambda = gsl_vector_complex_get(value, j);
        turns = turns || fabs(GSL_IMAG(lambda)) > 1e-3 * fabs(GSL_REAL(lambda));
    }
    gsl_eigen_nonsymm_free(w);
    gsl_vector_complex_free(value);
    gsl_matrix_free(A);
    return turns;
}

/* What has been given by time t. */
static double given_by(const struct hl_regimen *regimen, double t)
{
    double sum = 0;
    for (size_t k = 0; k < regimen->n_doses; k++) {
        const struct hl_dose *dose = &regimen->dose[k];
        if (dose->kind == HL_DOSE_INFUSION)
            sum += dose->rate * fmin(fmax(t - dose->time, 0), dose->duration);
        else
            sum += t >= dose->time ? dose->amount : 0;
    }
    return sum;
}

static void make_regimen(struct model *m, struct dice *d, double horizon)
{
    for (int k = integer(d, 1, 5); k > 0; k--)
        fixture_bolus(m->f, uniform(d, 0, 0.7) * horizon, integer(d, 0, m->n - 1), uniform(d, 0.1, 10));
    for (int k = integer(d, 0, 3); k > 0; k--) {
        double start = uniform(d, 0, 0.6) * horizon, length = uniform(d, 0.01, 0.5) * horizon;
        fixture_infusion(m->f, start, integer(d, 0, m->n - 1), uniform(d, 0.1, 10) / length, length);
    }
}

static struct model make_model(struct dice *d)
{
    struct model m = {.n = integer(d, 2, 8)};
    int kind = (int)(d->number % 10);
    if (kind < 4 && m.n < 3)
        m.n = 3;
    m.f = fixture_create((size_t)m.n + 1, (size_t)m.n + 1);
    if (kind < 4)
        make_ring(&m, d);
    else if (kind < 6)
        make_chain(&m, d);
    else
        make_any(&m, d);
    fixture_linear_rates(m.f, &m.f->system.rhs);
    return m;
}

static int by_time(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* An even grid, as many times anywhere, and those at which compartments are at their largest: doses, ends of infusions, and
 * a while after. */
static size_t make_times(const struct model *m, struct dice *d, double horizon, double *time)
{
    size_t n = 0;
    for (int k = 0; k < 30; k++) {
        time[n++] = horizon * (double)k / 29;
        time[n++] = uniform(d, 0, horizon);
    }
    for (size_t k = 0; k < m->f->regimen.n_doses; k++) {
        const struct hl_dose *dose = &m->f->regimen.dose[k];
        double end = dose->time + (dose->kind == HL_DOSE_INFUSION ? dose->duration : 0);
        for (double late = 0; late <= 30; late = 10 * late + 0.3)
            time[n++] = fmin(horizon, end + late / m->fastest);
    }
    qsort(time, n, sizeof *time, by_time);
    return n;
}

struct worst { double agreement, balance; };

static void compare(const struct model *m, const struct dice *d, const double *time, size_t n_times,
                    struct worst *worst)
{
    struct solution exact = fixture_solve(m->f, "exact", 1e-8, 1, time, n_times);
    struct solution gsl = fixture_solve(m->f, "gsl-rk8pd", 1e-11, 1, time, n_times);
    double dose = given_by(&m->f->regimen, INFINITY);
    assert_int_equal(exact.status[0], HL_SUBJECT_GOOD);
    assert_int_equal(gsl.status[0], HL_SUBJECT_GOOD);
    for (size_t j = 0; j <= (size_t)m->n; j++) {
        double largest = 0;
        for (size_t k = 0; k < n_times; k++)
            largest = fmax(largest, fabs(at(&gsl, j, k, 0)));
        for (size_t k = 0; k < n_times; k++) {
            double off = fabs(at(&exact, j, k, 0) - at(&gsl, j, k, 0));
            worst->agreement = largest > 0 ? fmax(worst->agreement, off / largest) : worst->agreement;
            if (!(off <= AGREEMENT * largest))
                fail_msg("case %llu of seed %llu, state %zu at %.6g h: exact %.17g, gsl %.17g, largest %.6g",
                         (unsigned long long)d->number, (unsigned long long)d->seed, j, time[k], at(&exact, j, k, 0),
                         at(&gsl, j, k, 0), largest);
        }
    }
    for (size_t k = 0; k < n_times; k++) {
        double sum = 0, in = given_by(&m->f->regimen, time[k]);
        for (size_t j = 0; j <= (size_t)m->n; j++)
            sum += at(&exact, j, k, 0);
        worst->balance = fmax(worst->balance, fabs(sum - in) / dose);
        if (!(fabs(sum - in) <= BALANCE * dose))
            fail_msg("case %llu of seed %llu at %.6g h: in the model %.17g, given %.17g", (unsigned long long)d->number,
                     (unsigned long long)d->seed, time[k], sum, in);
    }
    solution_free(&exact);
    solution_free(&gsl);
}

static void exact_agrees_with_gsl(void **state)
{
    (void)state;
    uint64_t seed = from_environment("HL_SEED", date_number()), cases = from_environment("HL_CASES", 500), turning = 0;
    struct worst worst = {0, 0};
    printf("random linear models: seed %llu (HL_SEED), %llu cases (HL_CASES)\n", (unsigned long long)seed,
           (unsigned long long)cases);
    for (uint64_t number = 0; number < cases; number++) {
        struct dice d = {seed, number, 0, 17};
        struct model m = make_model(&d);
        turning += is_complex(&m);
        double horizon = fmin(300, STIFFEST / m.fastest), grid[MOST_TIMES];
        make_regimen(&m, &d, horizon);
        compare(&m, &d, grid, make_times(&m, &d, horizon, grid), &worst);
        fixture_free(m.f);
    }
    printf("worst difference %.2e of a compartment's largest amount, worst imbalance %.2e of the dose; %llu with complex "
           "eigenvalues\n", worst.agreement, worst.balance, (unsigned long long)turning);
    assert_true(3 * turning >= cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(exact_agrees_with_gsl)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
