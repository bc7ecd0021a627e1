/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who the subjects are. Nearly always they are the same people with the same parameters in every arm, and then one
 * column says it; an arm that overrides a covariate or a parameter makes the column two-dimensional from there on. What
 * the earlier arms had is read back from the file, not kept in memory. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "store/inside.h"

static void create_column(struct hl_store *s, struct hl_subject_column *c)
{
    const struct hl_axis *axis[2] = {c->per_arm ? &s->arm : &s->subject, &s->subject};
    c->dataset = hl_writer_dataset(s->writer, "/subjects", c->name, c->type, c->per_arm ? 2 : 1, axis, NULL);
    if (!c->dataset)
        return;
    hl_writer_text(s->writer, c->dataset, "units", c->unit);
    hl_writer_text(s->writer, c->dataset, "long_name", c->long_name && *c->long_name ? c->long_name : c->source);
    hl_writer_text(s->writer, c->dataset, "source", c->source);
    if (c->n_flags > 0)
        hl_writer_flags(s->writer, c->dataset, c->first_flag, c->n_flags, c->flag);
}

static bool equals_stored(struct hl_writer *w, const struct hl_dataset *d, const void *values)
{
    const char *at = values;
    for (uint64_t b = 0; b < d->blocks.n; b++) {
        unsigned char digest[32];
        uint64_t n = hl_blocks_values(&d->blocks, b);
        if (!hl_block_digest(d->type, at, n, digest))
            hl_writer_fail(w, HL_ERR_MEMORY, "no memory for a digest");
        if (memcmp(digest, d->digest[b], sizeof digest) != 0)
            return false;
        at += (size_t)n * hl_hdf_size(d->type);
    }
    return true;
}

/* From (subject) to (arm, subject). */
static void spread_over_arms(struct hl_store *s, struct hl_subject_column *c)
{
    void *common = hl_alloc((size_t)hl_layout_subjects(s->study), hl_hdf_size(c->type));
    if (!common) {
        hl_writer_fail(s->writer, HL_ERR_MEMORY, "no memory for a column of subjects");
        return;
    }
    hl_writer_read(s->writer, c->dataset, common);
    hl_writer_remove(s->writer, c->dataset);
    c->per_arm = true;
    create_column(s, c);
    for (size_t arm = 0; arm < s->study->n_arms && s->writer->status == HL_OK; arm++)
        if (c->handed[arm])
            hl_writer_arm(s->writer, c->dataset, arm, common);
    hl_free(common);
}

static enum hl_status put_column(struct hl_store *s, struct hl_subject_column *c, size_t arm, const void *values)
{
    struct hl_writer *w = s->writer;
    if (w->status != HL_OK)
        return w->status;
    if (arm >= s->study->n_arms)
        return HL_ERR_INTERNAL;
    if (!c->dataset) {
        create_column(s, c);
        if (w->status == HL_OK)
            hl_writer_all(w, c->dataset, values);
    } else {
        if (!c->per_arm && !equals_stored(s->writer, c->dataset, values))
            spread_over_arms(s, c);
        if (c->per_arm && w->status == HL_OK)
            hl_writer_arm(w, c->dataset, arm, values);
    }
    c->handed[arm] = true;
    return w->status;
}

static enum hl_status put_numbers(struct hl_store *s, struct hl_subject_column *c, size_t arm, const double *values,
                                  double factor)
{
    size_t n = (size_t)hl_layout_subjects(s->study);
    double *own = hl_alloc(n, sizeof *own);
    if (!own)
        return HL_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        own[i] = hl_one_nan(values[i] / factor);
    enum hl_status status = put_column(s, c, arm, own);
    hl_free(own);
    return status;
}

static enum hl_status put_codes(struct hl_store *s, struct hl_subject_column *c, size_t arm, const double *values)
{
    size_t n = (size_t)hl_layout_subjects(s->study);
    signed char *code = hl_alloc(n, 1);
    if (!code)
        return HL_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        code[i] = values[i] >= 0.0 && values[i] < 127.0 ? (signed char)values[i] : -1;
    enum hl_status status = put_column(s, c, arm, code);
    hl_free(code);
    return status;
}

enum hl_status hl_store_subject_covariate(struct hl_store *s, size_t arm, size_t covariate, const double *values)
{
    if (covariate >= s->study->system->n_covariates)
        return HL_ERR_INTERNAL;
    struct hl_subject_column *c = &s->covariate[covariate];
    const struct hl_covariate *info = s->study->system->covariate[covariate].info;
    return c->type == HL_INT8 ? put_codes(s, c, arm, values) : put_numbers(s, c, arm, values, info->unit.factor);
}

enum hl_status hl_store_subject_individual(struct hl_store *s, size_t arm, size_t individual, const double *values)
{
    if (individual >= s->study->system->n_individuals)
        return HL_ERR_INTERNAL;
    return put_numbers(s, &s->individual[individual], arm, values, 1.0);
}

enum hl_status hl_store_subject_mixture(struct hl_store *s, size_t arm, size_t mixture, const double *values)
{
    if (mixture >= s->study->system->n_mixtures)
        return HL_ERR_INTERNAL;
    return put_codes(s, &s->mixture[mixture], arm, values);
}

enum hl_status hl_store_subject_parameter(struct hl_store *s, size_t arm, size_t parameter, const double *values)
{
    if (parameter >= s->study->system->n_parameters)
        return HL_ERR_INTERNAL;
    return put_numbers(s, &s->parameter[parameter], arm, values,
                       s->study->system->parameter[parameter].info->unit.factor);
}

/* IDs are whole numbers as a rule; R and Octave then show them as such. */
static bool all_whole(const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs(values[i]) <= INT_MAX && values[i] == floor(values[i]))) /* exactly whole: int32 keeps all of it */
            return false;
    return true;
}

enum hl_status hl_store_subject_id(struct hl_store *s, size_t arm, const double *values, const char *const *text)
{
    size_t n = (size_t)hl_layout_subjects(s->study);
    if (!s->study->data)
        return HL_ERR_INTERNAL;
    if (!s->id.dataset) {
        s->id.type = all_whole(values, n) ? HL_INT32 : HL_FLOAT64;
        s->id.n_flags = text ? n : 0;
        s->id.flag = text;
        s->id.first_flag = 1;
    }
    if (s->id.type == HL_FLOAT64)
        return put_numbers(s, &s->id, arm, values, 1.0);
    int *whole = hl_alloc(n, sizeof *whole);
    if (!whole)
        return HL_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        whole[i] = (int)values[i];
    enum hl_status status = put_column(s, &s->id, arm, whole);
    hl_free(whole);
    return status;
}

enum hl_status hl_store_subject_status(struct hl_store *s, size_t arm, const signed char *status)
{
    return put_column(s, &s->status, arm, status);
}
