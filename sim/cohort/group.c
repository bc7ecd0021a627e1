/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Groups are the connected components of the graph whose edges are correlations: the off-diagonal entries of the
 * models' blocks and what the study adds (a study's value replaces that of a block). Members stand in the order of
 * their names, so that a group's numbers don't depend on the order of models in the study.
 *
 * A matrix that isn't positive definite describes no patients. The message then names its smallest eigenvalue and the
 * nearest matrix that would do (model/matrix.c). */
#include "cohort/group.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"
#include "model/matrix.h"

#define ROUNDING 1e-13 /* of a computed eigenvalue */

struct group {
    size_t n;
    size_t *member; /* quantities, by name */
    double *r;      /* n x n */
    double *l;      /* n x n, lower: r = l l' */
    struct hl_pos pos;
    bool occasion; /* drawn anew for every occasion */
};

struct hl_groups {
    const struct hl_system *system;
    size_t n_quantities;
    const char **name; /* by quantity */
    uint64_t *stream;
    bool *random;   /* has a distribution to draw from */
    bool *occasion; /* an eta between occasions */
    size_t *parent; /* of the union-find forest */
    double *sd;     /* by eta */
    size_t n_groups;
    struct group *group; /* of two or more */
    bool *grouped;       /* by quantity */
};

size_t hl_groups_size(const struct hl_groups *groups)
{
    return groups->n_quantities ? groups->n_quantities : 1;
}

double hl_groups_sd(const struct hl_groups *groups, size_t eta)
{
    return groups->sd[eta];
}

/* ---- who belongs together */

static size_t root_of(struct hl_groups *groups, size_t q)
{
    while (groups->parent[q] != q)
        q = groups->parent[q] = groups->parent[groups->parent[q]];
    return q;
}

static void join(struct hl_groups *groups, size_t a, size_t b)
{
    groups->parent[root_of(groups, a)] = root_of(groups, b);
}

static bool draws(const struct hl_distribution *d)
{
    return d->kind != HL_DIST_FIXED && d->kind != HL_DIST_CSV;
}

static void list_quantities(struct hl_arena *arena, struct hl_groups *groups, const struct hl_cohort_spec *spec)
{
    const struct hl_system *system = groups->system;
    size_t n = system->n_etas + system->n_covariates;
    groups->n_quantities = n;
    groups->name = hl_arena_alloc(arena, n, sizeof *groups->name);
    groups->stream = hl_arena_alloc(arena, n, sizeof *groups->stream);
    groups->random = hl_arena_alloc(arena, n, sizeof *groups->random);
    groups->occasion = hl_arena_alloc(arena, n, sizeof *groups->occasion);
    groups->grouped = hl_arena_alloc(arena, n, sizeof *groups->grouped);
    groups->parent = hl_arena_alloc(arena, n, sizeof *groups->parent);
    groups->sd = hl_arena_alloc(arena, n, sizeof *groups->sd);
    for (size_t q = 0; q < n; q++) {
        bool eta = q < system->n_etas;
        groups->name[q] = eta ? system->eta[q].name : system->covariate[q - system->n_etas].name;
        groups->random[q] = eta ? system->eta[q].sd > 0.0 : draws(&spec->distribution[q - system->n_etas]);
        groups->occasion[q] = eta && system->eta[q].occasion;
        groups->sd[q] = eta ? system->eta[q].sd : 1.0;
        groups->stream[q] = hl_text_hash(groups->name[q]);
        groups->parent[q] = q;
    }
}

/* Quantity of a name, or n_quantities. */
static size_t quantity(const struct hl_groups *groups, const char *name)
{
    size_t q = 0;
    while (q < groups->n_quantities && strcmp(groups->name[q], name) != 0)
        q++;
    return q;
}

static void join_blocks(struct hl_groups *groups)
{
    for (size_t b = 0; b < groups->system->n_blocks; b++) {
        const struct hl_system_block *block = &groups->system->block[b];
        for (size_t i = 0; i < block->n; i++) {
            double variance = block->covariance[i * block->n + i];
            groups->sd[block->eta[i]] = variance > 0.0 ? sqrt(variance) : 0.0;
            groups->random[block->eta[i]] = variance > 0.0;
        }
        for (size_t i = 0; i < block->n; i++)
            for (size_t j = 0; j < i; j++)
                if (block->covariance[i * block->n + j] != 0.0) /* exactly: a zero is written, not computed */
                    join(groups, (size_t)block->eta[i], (size_t)block->eta[j]);
    }
}

static bool join_correlations(struct hl_groups *groups, const struct hl_cohort_spec *spec, struct hl_diag *diag)
{
    bool good = true;
    for (size_t i = 0; i < spec->n_correlations; i++) {
        const struct hl_correlation *c = &spec->correlation[i];
        size_t a = quantity(groups, c->a), b = quantity(groups, c->b), n = groups->n_quantities;
        char hint[256];
        if (a < n && b < n && fabs(c->r) <= 1.0) {
            join(groups, a, b);
            continue;
        }
        good = false;
        const char *lost = a == n ? c->a : c->b;
        if (a < n && b < n)
            hl_diag_error(diag, c->pos, "a correlation lies between -1 and 1, found %g", c->r);
        else
            hl_diag_error(diag, c->pos, "nothing random is named '%s'%s", lost,
                          hl_text_did_you_mean(lost, groups->name, n, hint, sizeof hint));
    }
    return good;
}

/* ---- the matrices */

/* Place of a quantity within its group, or group->n. */
static size_t place(const struct group *group, size_t q)
{
    size_t i = 0;
    while (i < group->n && group->member[i] != q)
        i++;
    return i;
}

static void set_entry(struct group *group, size_t a, size_t b, double r, struct hl_pos pos)
{
    size_t i = place(group, a), j = place(group, b);
    if (i == group->n || j == group->n)
        return; /* another group's */
    group->r[i * group->n + j] = group->r[j * group->n + i] = r;
    group->pos = pos;
}

static void fill_matrix(const struct hl_groups *groups, const struct hl_cohort_spec *spec, struct group *group)
{
    for (size_t i = 0; i < group->n; i++)
        group->r[i * group->n + i] = 1.0;
    for (size_t b = 0; b < groups->system->n_blocks; b++) {
        const struct hl_system_block *block = &groups->system->block[b];
        for (size_t i = 0; i < block->n; i++)
            for (size_t j = 0; j < i; j++) {
                double scale = groups->sd[block->eta[i]] * groups->sd[block->eta[j]];
                double covariance = block->covariance[i * block->n + j];
                if (covariance != 0.0) /* exactly, as in join_blocks; without a variance it can't be honoured */
                    set_entry(group, (size_t)block->eta[i], (size_t)block->eta[j],
                              scale > 0.0 ? covariance / scale : INFINITY, block->pos);
            }
    }
    for (size_t i = 0; i < spec->n_correlations; i++)
        set_entry(group, quantity(groups, spec->correlation[i].a), quantity(groups, spec->correlation[i].b),
                  spec->correlation[i].r, spec->correlation[i].pos);
}

/* Lower Cholesky factor; false when a pivot isn't positive. */
static bool factor(const double *r, double *l, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = r[i * n + j];
            for (size_t k = 0; k < j; k++)
                sum -= l[i * n + k] * l[j * n + k];
            if (i == j && !(sum > 0.0))
                return false;
            l[i * n + j] = i == j ? sqrt(sum) : sum / l[j * n + j];
        }
    return true;
}

static void report_indefinite(struct hl_arena *arena, const struct hl_groups *groups, const struct group *group,
                              double smallest, const double *nearest, struct hl_diag *diag)
{
    const char *list = "";
    for (size_t i = 0; i < group->n; i++)
        for (size_t j = i + 1; j < group->n; j++)
            list =
                hl_arena_printf(arena, "%s%s%s with %s %.3f", list, *list ? ", " : "", groups->name[group->member[i]],
                                groups->name[group->member[j]], nearest[i * group->n + j]);
    hl_diag_error(diag, group->pos,
                  "these correlations can't all hold: their matrix has the eigenvalue %.4g, and all must be "
                  "above 0; the nearest valid correlations are: %s",
                  smallest, list);
}

static bool all_finite(const struct group *group)
{
    for (size_t i = 0; i < group->n * group->n; i++)
        if (!isfinite(group->r[i]))
            return false;
    return true;
}

/* What is drawn once per subject can't be jointly normal with what is drawn for every occasion. Files are refused
 * earlier, where they say so. */
static bool one_level(const struct hl_groups *groups, struct group *group, struct hl_diag *diag)
{
    group->occasion = groups->occasion[group->member[0]];
    for (size_t i = 1; i < group->n; i++)
        if (groups->occasion[group->member[i]] != group->occasion) {
            hl_diag_error(diag, group->pos, "'%s' and '%s' can't be correlated: only one of them is between occasions",
                          groups->name[group->member[0]], groups->name[group->member[i]]);
            return false;
        }
    return true;
}

static bool prepare(struct hl_arena *arena, const struct hl_groups *groups, const struct hl_cohort_spec *spec,
                    struct group *group, struct hl_diag *diag)
{
    size_t n = group->n;
    group->r = hl_arena_alloc(arena, n * n, sizeof *group->r);
    group->l = hl_arena_alloc(arena, n * n, sizeof *group->l);
    fill_matrix(groups, spec, group);
    if (!one_level(groups, group, diag))
        return false;
    if (!all_finite(group)) {
        hl_diag_error(diag, group->pos, "a covariance stands beside a variance of 0; set it to 0 too");
        return false;
    }
    double smallest, *nearest = hl_arena_alloc(arena, n * n, sizeof *nearest);
    enum hl_status status = hl_correlation_check(group->r, n, &smallest, nearest);
    if (status != HL_OK) {
        hl_diag_error(diag, group->pos, "these correlations can't be checked: %s", hl_status_sentence(status));
        return false;
    }
    if (fabs(smallest) < ROUNDING)
        smallest = 0.0; /* a matrix that is singular as written should be called so */
    bool good = smallest > HL_SMALLEST_EIGENVALUE && factor(group->r, group->l, n);
    if (!good)
        report_indefinite(arena, groups, group, smallest, nearest, diag);
    return good;
}

/* Collects the members of the group whose root is q, by name. */
static void collect(struct hl_arena *arena, struct hl_groups *groups, size_t root, struct group *group)
{
    group->member = hl_arena_alloc(arena, groups->n_quantities, sizeof *group->member);
    for (size_t q = 0; q < groups->n_quantities; q++) {
        if (root_of(groups, q) != root)
            continue;
        size_t at = group->n++;
        for (; at > 0 && strcmp(groups->name[group->member[at - 1]], groups->name[q]) > 0; at--)
            group->member[at] = group->member[at - 1];
        group->member[at] = q;
    }
}

struct hl_groups *hl_groups_create(struct hl_arena *arena, const struct hl_system *system,
                                   const struct hl_cohort_spec *spec, struct hl_diag *diag)
{
    struct hl_groups *groups = hl_arena_alloc(arena, 1, sizeof *groups);
    groups->system = system;
    list_quantities(arena, groups, spec);
    join_blocks(groups);
    if (!join_correlations(groups, spec, diag))
        return NULL;
    bool good = true;
    groups->group = hl_arena_alloc(arena, groups->n_quantities, sizeof *groups->group);
    for (size_t q = 0; q < groups->n_quantities; q++) {
        struct group group = {.n = 0, .pos = hl_pos_none()};
        if (root_of(groups, q) == q)
            collect(arena, groups, q, &group);
        if (group.n < 2)
            continue;
        good = prepare(arena, groups, spec, &group, diag) && good;
        for (size_t i = 0; i < group.n; i++)
            groups->grouped[group.member[i]] = true;
        groups->group[groups->n_groups++] = group;
    }
    return good ? groups : NULL;
}

/* ---- drawing */

/* The members' scores of one subject, stride apart. */
static void draw_group(const struct hl_groups *groups, const struct group *group, uint64_t seed, uint64_t subject,
                       uint64_t draw, double *score, size_t stride)
{
    double z[group->n];
    for (size_t i = 0; i < group->n; i++)
        z[i] = hl_random_normal(seed, subject, groups->stream[group->member[i]], draw);
    for (size_t i = 0; i < group->n; i++) {
        double sum = 0.0;
        for (size_t j = 0; j <= i; j++)
            sum += group->l[i * group->n + j] * z[j];
        score[group->member[i] * stride] = sum;
    }
}

void hl_groups_scores(const struct hl_groups *groups, uint64_t seed, const uint64_t *subject, size_t n, double *score,
                      size_t stride)
{
    for (size_t q = 0; q < groups->n_quantities; q++)
        for (size_t k = 0; groups->random[q] && !groups->grouped[q] && k < n; k++)
            score[q * stride + k] = hl_random_normal(seed, subject[k], groups->stream[q], 0);
    for (size_t g = 0; g < groups->n_groups; g++)
        for (size_t k = 0; k < n; k++)
            draw_group(groups, &groups->group[g], seed, subject[k], 0, score + k, stride);
}

void hl_groups_occasion_scores(const struct hl_groups *groups, uint64_t seed, uint64_t subject, uint64_t occasion,
                               double *score)
{
    for (size_t q = 0; q < groups->n_quantities; q++)
        if (groups->occasion[q] && groups->random[q] && !groups->grouped[q])
            score[q] = hl_random_normal(seed, subject, groups->stream[q], occasion);
    for (size_t g = 0; g < groups->n_groups; g++)
        if (groups->group[g].occasion)
            draw_group(groups, &groups->group[g], seed, subject, occasion, score, 1);
}
