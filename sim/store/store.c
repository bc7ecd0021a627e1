/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The contract of store.h, put together from its parts: writer.c makes a file that is whole or not at all, layout.c
 * says which variables there are, provenance.c where they come from; strip.c, metrics.c, subjects.c, doses.c and
 * records.c bring the numbers. Conversion from the engine's units happens here, at the door. */
#include "store/store.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "store/inside.h"
#include "store/provenance.h"

/* Levels of deflate behind the words: 1 costs a tenth of what 6 does and gives most of it. */
static int level_of(const char *compression)
{
    return strcmp(compression, "none") == 0 ? 0 : strcmp(compression, "small") == 0 ? 6 : 1;
}

static bool is_storable(const struct hl_study *study, struct hl_diag *diag)
{
    unsigned long long subjects = study->n_arms ? hl_layout_subjects(study) : 0;
    if (subjects == 0 || (study->n_times == 0 && !study->data)) {
        hl_diag_error(diag, hl_pos_none(),
                      "a result needs at least one arm, one subject and one time, but has %zu, %llu and %zu",
                      study->n_arms, subjects, study->n_times);
        return false;
    }
    if (subjects > INT_MAX || study->n_arms > INT_MAX) {
        hl_diag_error(diag, hl_pos_none(),
                      "a result holds at most %d subjects and arms, but the study has %llu and %zu; divide it", INT_MAX,
                      subjects, study->n_arms);
        return false;
    }
    return true;
}

enum hl_status hl_store_create(const char *path, bool force, const struct hl_study *study,
                               const struct hl_regimen *const *regimen, const struct hl_provenance *provenance,
                               struct hl_store **store, struct hl_diag *diag)
{
    struct hl_writer *writer;
    if (!is_storable(study, diag))
        return HL_ERR_INPUT;
    enum hl_status status = hl_writer_create(path, force, level_of(study->compression), &writer, diag);
    if (status != HL_OK)
        return status;
    struct hl_store *s = hl_arena_alloc(writer->arena, 1, sizeof *s);
    *s = (struct hl_store){
        .writer = writer, .study = study, .threads = provenance->threads > 0 ? provenance->threads : 1};
    hl_provenance_begin(writer, study, provenance);
    if (writer->status == HL_OK)
        hl_layout_create(s, regimen);
    if (writer->status == HL_OK && !study->data && hl_strips_begin(s) != HL_OK)
        hl_writer_fail(writer, HL_ERR_MEMORY, "no memory for its trajectories");
    if (writer->status != HL_OK) {
        status = writer->status;
        hl_store_abandon(s);
        return status;
    }
    *store = s;
    return HL_OK;
}

/* One arm of a summary in the output's unit. */
static void put_summary(struct hl_store *s, struct hl_dataset *d, size_t arm, size_t n, const double *values,
                        double factor)
{
    if (!d || !values || s->writer->status != HL_OK)
        return;
    double *own = hl_alloc(n, sizeof *own);
    if (!own) {
        hl_writer_fail(s->writer, HL_ERR_MEMORY, "no memory for a summary");
        return;
    }
    for (size_t i = 0; i < n; i++)
        own[i] = hl_one_nan(values[i] / factor);
    hl_writer_arm(s->writer, d, arm, own);
    hl_free(own);
}

enum hl_status hl_store_summary(struct hl_store *s, size_t arm, size_t output, const double *quantiles,
                                const double *mean, const double *sd, const int *count, const double *fraction)
{
    const struct hl_study *study = s->study;
    if (s->writer->status != HL_OK)
        return s->writer->status;
    if (study->data || arm >= study->n_arms || output >= study->n_outputs)
        return HL_ERR_INTERNAL;
    const struct hl_output_variables *v = &s->output[output];
    double factor = hl_layout_output(study, output)->unit.factor;
    size_t n = study->n_times;
    put_summary(s, v->quantiles, arm, study->n_quantiles * n, quantiles, factor);
    put_summary(s, v->mean, arm, n, mean, factor);
    put_summary(s, v->sd, arm, n, sd, factor);
    if (v->fraction)
        put_summary(s, v->fraction, arm, (size_t)v->fraction->blocks.dims[1] * n, fraction, 1.0);
    if (count && v->count)
        hl_writer_arm(s->writer, v->count, arm, count);
    return s->writer->status;
}

void hl_store_verify_all(struct hl_store *s)
{
    s->writer->verify_all = true;
}

enum hl_status hl_store_finish(struct hl_store *s, double wall_seconds, uint64_t subjects_failed, struct hl_diag *diag)
{
    struct hl_writer *w = s->writer;
    if (diag)
        w->diag = diag;
    (void)hl_store_drain(s);
    hl_queue_free(s->queue);
    hl_metrics_clear(s);
    hl_log_finish(s->writer, &s->doses);
    hl_log_finish(s->writer, &s->reviews);
    hl_records_finish(s);
    hl_layout_design(s);
    hl_provenance_end(w, wall_seconds, subjects_failed);
    hl_log_clear(&s->doses);
    hl_log_clear(&s->reviews);
    hl_records_clear(s);
    return hl_writer_finish(w);
}

void hl_store_abandon(struct hl_store *s)
{
    if (!s)
        return;
    hl_queue_free(s->queue);
    hl_metrics_clear(s);
    hl_log_clear(&s->doses);
    hl_log_clear(&s->reviews);
    hl_records_clear(s);
    hl_writer_abandon(s->writer);
}

/* /subjects, and the texts. */
static uint64_t estimate_people(const struct hl_study *study)
{
    uint64_t columns = study->system->n_covariates + study->system->n_individuals + 2;
    return hl_layout_subjects(study) * 8 * columns + (1u << 16);
}

#define DOSE_BYTES   63 /* a row of /doses, of /reviews */
#define REVIEW_BYTES 54

/* Doses and reviews of an arm's subjects: as many as there can be. */
static uint64_t estimate_given(const struct hl_study *study, const struct hl_regimen *regimen)
{
    uint64_t doses = regimen->n_doses * (regimen->adherence ? study->subjects : 1) + regimen->recorded.n, reviews = 0;
    for (size_t i = 0; i < regimen->n_reviewed; i++) {
        doses += study->subjects * hl_regimen_most_doses(regimen, study->system, regimen->reviewed[i].instance);
        reviews += study->subjects * hl_review_most(&regimen->reviewed[i]);
    }
    return DOSE_BYTES * doses + REVIEW_BYTES * reviews;
}

uint64_t hl_store_estimate(const struct hl_study *study, const struct hl_regimen *const *regimen)
{
    uint64_t arms = study->n_arms, subjects = study->subjects, times = study->n_times;
    if (study->data)
        return estimate_people(study);
    uint64_t size = strcmp(study->precision, "double") == 0 ? 8 : 4;
    uint64_t variables = study->store_trajectories ? study->n_outputs : 0;
    for (size_t i = 0; i < study->n_outputs; i++)
        variables += hl_study_is_observed(study, i);
    uint64_t bytes = variables * arms * subjects * times * size;
    bytes += study->n_outputs * arms * times * (study->n_quantiles * 8 + 8 + 8 + 4);
    bytes += study->n_thresholds * arms * times * 8;
    for (size_t i = 0; i < study->n_metrics; i++)
        for (size_t arm = 0; arm < study->n_arms; arm++)
            bytes += subjects * hl_metric_width(study, regimen[arm], i) * 8;
    for (size_t arm = 0; arm < study->n_arms; arm++)
        bytes += estimate_given(study, regimen[arm]);
    return bytes + estimate_people(study);
}
