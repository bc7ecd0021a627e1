/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random effects. An eta is normal with mean 0; its spread is written as
 *     variance  omega^2
 *     sd        omega, on the scale of eta
 *     cv        of exp(eta): omega^2 = ln(1 + cv^2)
 * and etas of a block are jointly normal, with a covariance matrix, or with spreads and a correlation matrix:
 * cov_ij = r_ij omega_i omega_j, both on the scale of eta whatever the spreads are written as. Spreads alone are a
 * block without correlations. A matrix is written whole, or as its lower triangle, row by row. A member whose variance
 * is 0 is switched off: what is said of its correlations has no meaning, and isn't judged. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "model/matrix.h"
#include "model/model_read.h"

static bool is_block_key(const char *key)
{
    return strcmp(key, "block") == 0 || strcmp(key, "blocks") == 0;
}

/* Block number i of random: ("block:" holds one, "blocks:" a list), or NULL after the last. */
static const struct hl_yaml *nth_block(const struct hl_yaml *random, size_t i)
{
    const struct hl_yaml *one = hl_yaml_get(random, "block"), *many = hl_yaml_get(random, "blocks");
    if (one && i-- == 0)
        return one;
    return many && many->kind == HL_YAML_SEQUENCE && i < many->n ? many->item[i] : NULL;
}

static bool names_eta(const struct hl_reader *r, const char *name)
{
    const struct hl_symbol *s = hl_model_symbol(r->model, name);
    return s && s->kind == HL_SYM_ETA;
}

void hl_read_eta_names(struct hl_reader *r)
{
    const struct hl_yaml *random = hl_read_section(r, "random"), *block;
    size_t n = 0;
    for (size_t i = 0; random && i < random->n; i++)
        if (!is_block_key(random->key[i]->text))
            hl_read_declare(r, random->key[i], HL_SYM_ETA, n++);
    for (size_t i = 0; random && (block = nth_block(random, i)) != NULL; i++) {
        const struct hl_yaml *of = hl_yaml_get(block, "of");
        for (size_t k = 0; of && k < of->n; k++)
            if (of->item[k]->kind == HL_YAML_SCALAR && !names_eta(r, of->item[k]->text))
                hl_read_declare(r, of->item[k], HL_SYM_ETA, n++);
    }
}

/* The standard deviation that a scalar under variance:, sd: or cv: stands for. */
static bool read_spread(struct hl_reader *r, const char *how, const struct hl_yaml *node, double *sd)
{
    double value;
    if (!hl_read_fraction(r, node, how, &value))
        return false;
    if (value < 0.0) {
        hl_diag_error(r->diag, node->pos, "a spread is not negative, found %s", node->text);
        return false;
    }
    *sd = strcmp(how, "variance") == 0 ? sqrt(value) : strcmp(how, "cv") == 0 ? sqrt(log1p(value * value)) : value;
    return true;
}

static const char *const spreads[] = {"variance", "sd", "cv"};

/* Which of variance, sd and cv the mapping has; NULL when none, reported when several. */
static const char *which_spread(struct hl_reader *r, const struct hl_yaml *map)
{
    const char *found = NULL;
    for (size_t i = 0; i < 3; i++) {
        if (!hl_yaml_get(map, spreads[i]))
            continue;
        if (found)
            hl_diag_error(r->diag, hl_yaml_key(map, spreads[i])->pos, "both %s and %s; one says it all", found,
                          spreads[i]);
        found = found ? found : spreads[i];
    }
    return found;
}

/* Whether level: is stated, and then which. */
static bool read_level(struct hl_reader *r, const struct hl_yaml *map, bool *occasion)
{
    static const char *const levels[] = {"subject", "occasion"};
    const struct hl_yaml *level = hl_yaml_get(map, "level");
    const char *text = level ? hl_yaml_text(level, "subject or occasion", r->diag) : NULL;
    char near[64];
    if (text && strcmp(text, "occasion") != 0 && strcmp(text, "subject") != 0)
        hl_diag_error(r->diag, level->pos, "unknown level '%s'%s: subject (the default) or occasion", text,
                      hl_text_did_you_mean(text, levels, 2, near, sizeof near));
    *occasion = text && strcmp(text, "occasion") == 0;
    return text != NULL;
}

static void read_eta(struct hl_reader *r, const struct hl_yaml *map, struct hl_eta *eta)
{
    static const char *const known[] = {"variance", "sd", "cv", "level", "grade", "mark", "provisional", "source",
                                        "note", "label", NULL};
    const char *what = hl_arena_printf(r->arena, "random effect '%s'", eta->name);
    if (!hl_read_keys(r, map, what, known))
        return;
    const char *how = which_spread(r, map);
    eta->level_stated = read_level(r, map, &eta->occasion);
    hl_read_evidence(r, map, what, false, NULL, &eta->evidence);
    if (how)
        read_spread(r, how, hl_yaml_get(map, how), &eta->sd);
    else
        hl_diag_error(r->diag, eta->pos, "%s has no spread; add variance:, sd: or cv:", what);
}

/* ---- Blocks ---- */

static bool read_members(struct hl_reader *r, const struct hl_yaml *of, struct hl_eta_block *block)
{
    block->eta = hl_arena_alloc(r->arena, of->n, sizeof *block->eta);
    for (size_t i = 0; i < of->n; i++) {
        const char *name = hl_yaml_text(of->item[i], "the name of a random effect", r->diag);
        const struct hl_symbol *s = name ? hl_model_symbol(r->model, name) : NULL;
        if (!s || s->kind != HL_SYM_ETA)
            return false; /* declaring it has reported why */
        for (size_t k = 0; k < block->n; k++)
            if (block->eta[k] == s->index) {
                hl_diag_error(r->diag, of->item[i]->pos, "'%s' stands twice in this block", name);
                return false;
            }
        block->eta[block->n++] = s->index;
    }
    return true;
}

/* Rows of n numbers, or of 1, 2, .. n of them. */
static bool has_rows(const struct hl_yaml *node, size_t n, bool lower)
{
    bool good = node->kind == HL_YAML_SEQUENCE && node->n == n;
    for (size_t i = 0; good && i < n; i++)
        good = node->item[i]->kind == HL_YAML_SEQUENCE && node->item[i]->n == (lower ? i + 1 : n);
    return good;
}

/* The node in which element (i, j) of a matrix stands. */
static const struct hl_yaml *element(const struct hl_yaml *node, size_t i, size_t j)
{
    return j < node->item[i]->n ? node->item[i]->item[j] : node->item[j]->item[i];
}

/* An n x n list of lists, or its lower triangle. */
static bool read_matrix(struct hl_reader *r, const struct hl_yaml *node, size_t n, double *m)
{
    bool lower = n > 1 && has_rows(node, n, true), good = true;
    if (!lower && !has_rows(node, n, false)) {
        hl_diag_error(r->diag, node->pos,
                      "expected a matrix of %zu rows of %zu numbers, [[1, 0.3], [0.3, 1]], or its lower triangle, "
                      "[[1], [0.3, 1]]",
                      n, n);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < node->item[i]->n; j++)
            good = hl_read_fraction(r, node->item[i]->item[j], "a number", &m[i * n + j]) && good;
    for (size_t i = 0; lower && i < n; i++)
        for (size_t j = 0; j < i; j++)
            m[j * n + i] = m[i * n + j];
    for (size_t i = 0; good && i < n; i++)
        for (size_t j = 0; good && j < i; j++)
            if (fabs(m[i * n + j] - m[j * n + i]) > 1e-12 * fabs(m[i * n + j])) {
                hl_diag_error(r->diag, node->item[i]->item[j]->pos,
                              "the matrix is not symmetric: %g here, %g at row %zu, column %zu", m[i * n + j],
                              m[j * n + i], j + 1, i + 1);
                good = false;
            }
    return good;
}

/* Spreads of the members: the list in the block, else what they declared themselves. */
static bool read_spreads(struct hl_reader *r, const struct hl_yaml *map, const struct hl_eta_block *block, double *sd)
{
    const char *how = which_spread(r, map);
    const struct hl_yaml *list = how ? hl_yaml_get(map, how) : NULL;
    if (list && (list->kind != HL_YAML_SEQUENCE || list->n != block->n)) {
        hl_diag_error(r->diag, list->pos, "expected a list of %zu values, one for each name in of:", block->n);
        return false;
    }
    for (size_t i = 0; i < block->n; i++) {
        const struct hl_eta *eta = &r->model->eta[block->eta[i]];
        sd[i] = eta->sd;
        if (list && !read_spread(r, how, list->item[i], &sd[i]))
            return false;
        if (!list && isnan(sd[i])) {
            hl_diag_error(r->diag, map->pos, "no spread for '%s'; add variance:, sd: or cv: to the block", eta->name);
            return false;
        }
    }
    return true;
}

static bool check_correlations(struct hl_reader *r, const struct hl_yaml *node, const double *m, size_t n)
{
    for (size_t i = 0; i < n * n; i++) {
        struct hl_pos pos = element(node, i / n, i % n)->pos;
        if (i / n == i % n && m[i] != 1.0) { /* written as 1, so exact */
            hl_diag_error(r->diag, pos, "the diagonal of a correlation matrix is 1, found %g", m[i]);
            return false;
        }
        if (fabs(m[i]) > 1.0) {
            hl_diag_error(r->diag, pos, "a correlation lies between -1 and 1, found %g", m[i]);
            return false;
        }
    }
    return true;
}

/* Reports a correlation matrix that no random vector can have. The members with a spread are judged; covariance says
 * that the remedy is to be written as one. */
static void check_definite(struct hl_reader *r, const struct hl_yaml *node, const double *corr, const double *sd,
                           size_t n, bool covariance)
{
    double smallest = 1.0, *living = hl_arena_alloc(r->arena, n * n, sizeof *living);
    double *nearest = hl_arena_alloc(r->arena, n * n, sizeof *nearest);
    size_t *member = hl_arena_alloc(r->arena, n, sizeof *member), m = 0;
    for (size_t i = 0; i < n; i++)
        if (sd[i] > 0.0)
            member[m++] = i;
    for (size_t i = 0; i < m * m; i++)
        living[i] = corr[member[i / m] * n + member[i % m]];
    enum hl_status status = m > 0 ? hl_correlation_check(living, m, &smallest, nearest) : HL_OK;
    if (status != HL_OK)
        hl_diag_error(r->diag, node->pos, "this matrix can't be checked: %s", hl_status_sentence(status));
    if (status != HL_OK || smallest > HL_SMALLEST_EIGENVALUE)
        return;
    double *whole = hl_arena_alloc(r->arena, n * n, sizeof *whole);
    for (size_t i = 0; i < n * n; i++)
        whole[i] = corr[i];
    for (size_t i = 0; i < m * m; i++)
        whole[member[i / m] * n + member[i % m]] = nearest[i];
    for (size_t i = 0; covariance && i < n * n; i++)
        whole[i] *= sd[i / n] * sd[i % n];
    hl_diag_error(r->diag, node->pos,
                  "the %s matrix is not positive definite: its correlation matrix has the eigenvalue "
                  "%.4g; the nearest valid matrix is %s",
                  covariance ? "covariance" : "correlation", smallest, hl_matrix_text(r->arena, whole, n));
}

/* A variance is not negative, and nothing varies together with what doesn't vary. */
static bool check_variances(struct hl_reader *r, const struct hl_yaml *node, const double *m, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (m[i * n + i] < 0.0) {
            hl_diag_error(r->diag, element(node, i, i)->pos, "a variance is not negative, found %g", m[i * n + i]);
            return false;
        }
    for (size_t i = 0; i < n * n; i++)
        if (m[i] != 0.0 && !(m[i / n * n + i / n] > 0.0 && m[i % n * n + i % n] > 0.0)) { /* a zero is written so */
            hl_diag_error(r->diag, element(node, i / n, i % n)->pos,
                          "a covariance of %g stands beside a variance of 0; set it to 0 too", m[i]);
            return false;
        }
    return true;
}

static void read_covariance(struct hl_reader *r, const struct hl_yaml *node, struct hl_eta_block *block)
{
    size_t n = block->n;
    double *m = hl_arena_alloc(r->arena, n * n, sizeof *m), *corr = hl_arena_alloc(r->arena, n * n, sizeof *corr);
    double *sd = hl_arena_alloc(r->arena, n, sizeof *sd);
    if (!read_matrix(r, node, n, m) || !check_variances(r, node, m, n))
        return;
    for (size_t i = 0; i < n; i++)
        sd[i] = sqrt(m[i * n + i]);
    for (size_t i = 0; i < n * n; i++) {
        double scale = sd[i / n] * sd[i % n];
        corr[i] = i / n == i % n ? 1.0 : scale > 0.0 ? m[i] / scale : 0.0;
        block->covariance[i] = m[i];
    }
    check_definite(r, node, corr, sd, n, true);
}

/* Spreads with a correlation matrix; without one (node NULL) the members are independent. */
static void read_correlation(struct hl_reader *r, const struct hl_yaml *map, const struct hl_yaml *node,
                             struct hl_eta_block *block)
{
    size_t n = block->n;
    double *corr = hl_arena_alloc(r->arena, n * n, sizeof *corr), *sd = hl_arena_alloc(r->arena, n, sizeof *sd);
    if (!read_spreads(r, map, block, sd))
        return;
    if (node && (!read_matrix(r, node, n, corr) || !check_correlations(r, node, corr, n)))
        return;
    if (node)
        check_definite(r, node, corr, sd, n, false);
    for (size_t i = 0; i < n * n; i++)
        block->covariance[i] = i / n == i % n ? sd[i / n] * sd[i / n] : corr[i] * sd[i / n] * sd[i % n];
}

/* A block is drawn once per subject or once per occasion, all of it. */
static void settle_level(struct hl_reader *r, const struct hl_yaml *map, const struct hl_eta_block *block)
{
    bool occasion, stated = read_level(r, map, &occasion);
    const struct hl_eta *first = &r->model->eta[block->eta[0]];
    for (size_t i = 0; i < block->n; i++) {
        struct hl_eta *eta = &r->model->eta[block->eta[i]];
        if (stated && eta->level_stated && eta->occasion != occasion)
            hl_diag_error(r->diag, hl_yaml_get(map, "level")->pos,
                          "'%s' is between %ss where it is declared and between %ss in this block; keep one", eta->name,
                          eta->occasion ? "occasion" : "subject", occasion ? "occasion" : "subject");
        if (stated)
            eta->occasion = occasion;
        else if (eta->occasion != first->occasion)
            hl_diag_error(r->diag, block->pos,
                          "a block can't mix '%s' (between %ss) with '%s' (between %ss); give each level its own block",
                          first->name, first->occasion ? "occasion" : "subject", eta->name,
                          eta->occasion ? "occasion" : "subject");
    }
}

/* What the block says of its members holds for them. */
static void pass_to_members(struct hl_reader *r, const struct hl_yaml *map, const struct hl_eta_block *block)
{
    struct hl_evidence evidence;
    settle_level(r, map, block);
    hl_read_evidence(r, map, "a block", false, NULL, &evidence);
    for (size_t i = 0; i < block->n; i++) {
        struct hl_eta *eta = &r->model->eta[block->eta[i]];
        double sd = sqrt(block->covariance[i * block->n + i]);
        if (!isnan(eta->sd) && fabs(eta->sd - sd) > 1e-9 * sd)
            hl_diag_note(r->diag, eta->pos, "'%s' has standard deviation %.4g here and %.4g in its block, which holds",
                         eta->name, eta->sd, sd);
        eta->sd = sd;
        if (eta->evidence.grade == HL_GRADE_NONE)
            eta->evidence = evidence;
    }
}

static void read_block(struct hl_reader *r, const struct hl_yaml *map, struct hl_eta_block *block)
{
    static const char *const known[] = {"of", "covariance", "correlation", "sd", "cv", "variance", "level", "grade",
                                        "mark", "provisional", "source", "note", NULL};
    if (!hl_read_keys(r, map, "a block of random effects", known))
        return;
    const struct hl_yaml *of = hl_yaml_get(map, "of"), *covariance = hl_yaml_get(map, "covariance");
    const struct hl_yaml *correlation = hl_yaml_get(map, "correlation");
    if (!of || of->kind != HL_YAML_SEQUENCE || of->n == 0) {
        hl_diag_error(r->diag, of ? of->pos : map->pos, "a block needs of: [NAME, NAME], its random effects");
        return;
    }
    if (!read_members(r, of, block))
        return;
    block->covariance = hl_arena_alloc(r->arena, block->n * block->n, sizeof *block->covariance);
    const char *spread = correlation ? NULL : which_spread(r, map);
    if (covariance && (correlation || spread))
        hl_diag_error(r->diag, covariance->pos, "a covariance matrix says it all; leave out %s:",
                      correlation ? "correlation" : spread);
    else if (!covariance && !correlation && !spread)
        hl_diag_error(r->diag, map->pos,
                      "a block needs either covariance: or correlation: (with sd:, cv: or variance:)");
    else if (covariance)
        read_covariance(r, covariance, block);
    else
        read_correlation(r, map, correlation, block);
    if (spread && !covariance)
        hl_diag_note(r->diag, map->pos, "a block without correlation: its random effects are independent");
    pass_to_members(r, map, block);
}

/* An eta in two blocks would have two covariances. */
static void check_disjoint(struct hl_reader *r)
{
    const struct hl_model *m = r->model;
    for (size_t i = 0; i < m->n_blocks; i++)
        for (size_t j = 0; j < i; j++)
            for (size_t a = 0; a < m->block[i].n; a++)
                for (size_t b = 0; b < m->block[j].n; b++)
                    if (m->block[i].eta[a] == m->block[j].eta[b])
                        hl_diag_error(r->diag, m->block[i].pos, "'%s' is in two blocks; join them into one",
                                      m->eta[m->block[i].eta[a]].name);
}

void hl_read_random(struct hl_reader *r)
{
    const struct hl_yaml *random = hl_read_section(r, "random"), *block;
    struct hl_model *m = r->model;
    size_t capacity = 0;
    m->eta = hl_arena_alloc(r->arena, r->parts->n_symbols, sizeof *m->eta);
    for (size_t i = 0; i < r->parts->n_symbols; i++)
        if (r->parts->symbol[i].kind == HL_SYM_ETA)
            m->eta[m->n_etas++] = (struct hl_eta){
                .name = r->parts->symbol[i].name, .pos = r->parts->symbol[i].pos, .sd = NAN};
    for (size_t i = 0, k = 0; random && i < random->n; i++)
        if (!is_block_key(random->key[i]->text))
            read_eta(r, random->item[i], &m->eta[k++]);
    for (size_t i = 0; random && (block = nth_block(random, i)) != NULL; i++) {
        m->block = hl_arena_push(r->arena, m->block, m->n_blocks, &capacity, sizeof *m->block);
        m->block[m->n_blocks] = (struct hl_eta_block){.pos = block->pos};
        read_block(r, block, &m->block[m->n_blocks++]);
    }
    check_disjoint(r);
    for (size_t i = 0; i < m->n_etas; i++)
        if (isnan(m->eta[i].sd))
            m->eta[i].sd = 0.0; /* already reported */
}
