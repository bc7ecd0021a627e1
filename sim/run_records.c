/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Three batches of individuals are on the way at any time: while one is solved by all threads, one task writes the
 * batch before it and reads the one after it. Rows come out in the order of the file, whoever solved them; an
 * individual's rows depend on nothing but itself. A batch holds about BATCH_RECORDS records, so memory is bounded by
 * that, or by the longest individual. What is kept per individual is what /subjects shows. */
#include "run_records.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "cohort/cohort.h"
#include "record_table.h"

#define BATCH_RECORDS 16384
#define BATCH_PEOPLE 1024
#define FAULTS_SHOWN 10

struct batch {
    size_t n, n_records;
    struct hl_individual *who[BATCH_PEOPLE];
    size_t first[BATCH_PEOPLE];           /* row of each one's first record */
    struct hl_course_fault fault[BATCH_PEOPLE];
    double *values;                       /* [column][n_records] */
    size_t capacity;
};

/* What a thread keeps from individual to individual. */
struct walker { struct hl_course *course; double *value; size_t capacity; };

struct records_run {
    const struct hl_prepared *p;
    const struct hl_record_table *table;
    size_t arm, most_people;
    int n_walkers;
    struct walker *walker;                /* by thread */
    struct batch *batch[3];
    struct hl_store *store;               /* NULL: nothing is kept */
    struct hl_progress *progress;
    struct hl_diag *diag;
    uint64_t failed;
    double *ID, *covariate, *individual, *mixture; /* [quantity][subject], for /subjects */
    char **id_text;                       /* [subject]; NULL when IDs are numbers */
    signed char *status;
    bool more;
    bool told_lag, told_sum;
};

/* ---- Reading */

static enum hl_status make_room(const struct records_run *run, struct batch *b)
{
    size_t needed = run->table->n * b->n_records;
    if (needed <= b->capacity)
        return HL_OK;
    hl_free(b->values);
    b->capacity = 0;
    if (!(b->values = hl_alloc(needed, sizeof *b->values)))
        return HL_ERR_MEMORY;
    b->capacity = needed;
    return HL_OK;
}

static void forget(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        hl_individual_free(b->who[i]);
    b->n = b->n_records = 0;
}

static enum hl_status read_batch(struct records_run *run, struct batch *b)
{
    enum hl_status status = HL_OK;
    forget(b);
    while (run->more && b->n < run->most_people && b->n_records < BATCH_RECORDS) {
        const struct hl_individual *next = hl_data_next(run->p->data, &status, run->diag);
        run->more = next != NULL;
        if (!next)
            break;
        if (!(b->who[b->n] = hl_individual_copy(run->p->data, next)))
            return HL_ERR_MEMORY;
        b->first[b->n++] = b->n_records;
        b->n_records += next->n;
    }
    return status == HL_OK ? make_room(run, b) : status;
}

/* ---- Solving */

static void keep_subject(struct records_run *run, const struct hl_individual *who, const double *regs,
                         enum hl_subject_status status)
{
    const struct hl_arm *arm = &run->p->study->arm[run->arm];
    const struct hl_system *system = arm->system;
    size_t n = (size_t)arm->cohort->subjects, k = (size_t)who->number - 1;
    if (k >= n)
        return;
    run->ID[k] = who->ID;
    size_t length = strlen(who->id_text) + 1;
    if (run->id_text && (run->id_text[k] = hl_alloc(length, 1)))
        memcpy(run->id_text[k], who->id_text, length);
    run->status[k] = (signed char)status;
    for (size_t c = 0; c < system->n_covariates; c++)
        run->covariate[c * n + k] = regs[system->covariate[c].reg];
    for (size_t i = 0; i < system->n_individuals; i++)
        run->individual[i * n + k] = regs[system->individual_value[i].reg];
    for (size_t m = 0; m < system->n_mixtures; m++)
        run->mixture[m * n + k] = regs[system->mixture[m].reg];
}

static enum hl_status solve_one(struct records_run *run, struct batch *b, size_t i)
{
    const struct hl_study *study = run->p->study;
    const struct hl_individual *who = b->who[i];
    struct walker *w = &run->walker[omp_get_thread_num()];
    size_t needed = who->n * study->n_outputs;
    if (needed > w->capacity) {
        hl_free(w->value);
        w->capacity = 0;
        if (!(w->value = hl_alloc(needed, sizeof *w->value)))
            return HL_ERR_MEMORY;
        w->capacity = needed;
    }
    enum hl_status status =
        hl_course_run(w->course, who, study->output, study->n_outputs, w->value, &b->fault[i], NULL);
    if (status != HL_OK)
        return status;
    keep_subject(run, who, hl_course_registers(w->course), b->fault[i].status);
    if (run->store)
        hl_record_table_fill(run->table, run->arm, run->p->cohort[run->arm], who, w->value, b->values, b->n_records,
                             b->first[i]);
    return HL_OK;
}

/* ---- Writing */

/* Notes are given once per run, at the first record that deserves them. */
static void report_oddities(struct records_run *run, const struct hl_individual *who,
                            const struct hl_course_fault *fault)
{
    struct hl_pos pos = {.file = run->p->study->data->path, .column = 1};
    if (fault->long_lag != SIZE_MAX && !run->told_lag) {
        pos.line = (int)who->record[fault->long_lag].row;
        hl_diag_note(run->diag, pos, "steady state with a lag of at least II (ID %s): the doses still on their way are "
                     "counted; NONMEM's answer before TIME + lag depends on version and ADVAN", who->id_text);
        run->told_lag = true;
    }
    if (fault->bent_sum != SIZE_MAX && !run->told_sum) {
        pos.line = (int)who->record[fault->bent_sum].row;
        hl_diag_warning(run->diag, pos,
                        "SS 2 adds a steady state to what is there (ID %s), which means little in a model "
                        "that isn't linear; write the doses out, or use SS 1",
                        who->id_text);
        run->told_sum = true;
    }
}

static void report_faults(struct records_run *run, const struct batch *b)
{
    const char *file = run->p->study->data->path;
    for (size_t i = 0; i < b->n; i++) {
        report_oddities(run, b->who[i], &b->fault[i]);
        if (b->fault[i].status == HL_SUBJECT_GOOD)
            continue;
        const struct hl_individual *who = b->who[i];
        struct hl_pos pos = {.file = file, .line = (int)who->record[b->fault[i].record].row, .column = 1};
        if (++run->failed <= FAULTS_SHOWN)
            hl_diag_add(run->diag, run->store ? HL_WARNING : HL_ERROR, pos, "ID %s at TIME %.10g: %s", who->id_text,
                        who->record[b->fault[i].record].TIME, b->fault[i].text);
    }
}

static enum hl_status write_batch(struct records_run *run, const struct batch *b)
{
    if (b->n == 0)
        return HL_OK;
    report_faults(run, b);
    enum hl_status status = run->store ? hl_store_records(run->store, b->n_records, b->values) : HL_OK;
    hl_progress_add(run->progress, b->n);
    return status;
}

/* ---- One arm */

static void worsen(enum hl_status *status, enum hl_status other)
{
    if (other != HL_OK) {
#pragma omp critical(hl_records_status)
        *status = *status == HL_OK ? other : *status;
    }
}

/* Solves now while the one before is written and the one after is read. */
static enum hl_status turn(struct records_run *run, struct batch *before, struct batch *now, struct batch *after)
{
    enum hl_status status = HL_OK;
#pragma omp parallel
#pragma omp single
    {
#pragma omp task
        {
            enum hl_status mine = write_batch(run, before);
            worsen(&status, mine == HL_OK ? read_batch(run, after) : mine);
        }
        for (size_t i = 0; i < now->n; i++) {
#pragma omp task firstprivate(i)
            worsen(&status, solve_one(run, now, i));
        }
    }
    return status;
}

static enum hl_status solve_arm(struct records_run *run, const volatile sig_atomic_t *stop)
{
    run->more = true;
    enum hl_status status = hl_data_rewind(run->p->data, run->diag);
    if (status == HL_OK)
        status = read_batch(run, run->batch[1]);
    for (size_t k = 0; status == HL_OK && (run->batch[1]->n > 0 || run->batch[0]->n > 0); k++) {
        status = stop && *stop ? HL_ERR_INTERRUPTED : turn(run, run->batch[0], run->batch[1], run->batch[2]);
        struct batch *done = run->batch[0];
        run->batch[0] = run->batch[1];
        run->batch[1] = run->batch[2];
        run->batch[2] = done;
        forget(done);
    }
    return status;
}

static enum hl_status store_subjects(struct records_run *run)
{
    const struct hl_arm *arm = &run->p->study->arm[run->arm];
    const struct hl_system *system = arm->system;
    size_t n = (size_t)arm->cohort->subjects;
    for (size_t k = 0; run->id_text && k < n; k++)
        if (!run->id_text[k])
            return HL_ERR_MEMORY;
    enum hl_status status = hl_store_subject_status(run->store, run->arm, run->status);
    if (status == HL_OK)
        status = hl_store_subject_id(run->store, run->arm, run->ID, (const char *const *)run->id_text);
    for (size_t c = 0; status == HL_OK && c < system->n_covariates; c++)
        status = hl_store_subject_covariate(run->store, run->arm, c, run->covariate + c * n);
    for (size_t i = 0; status == HL_OK && i < system->n_individuals; i++)
        status = hl_store_subject_individual(run->store, run->arm, i, run->individual + i * n);
    for (size_t m = 0; status == HL_OK && m < system->n_mixtures; m++)
        status = hl_store_subject_mixture(run->store, run->arm, m, run->mixture + m * n);
    return status;
}

/* ---- All arms */

static bool ids_are_texts(const struct hl_data_facts *facts)
{
    for (size_t i = 0; i < facts->n_columns; i++)
        if (facts->column[i].item && strcmp(facts->column[i].item, "ID") == 0)
            return facts->column[i].kind == HL_COLUMN_TEXT;
    return false;
}

static enum hl_status run_init(struct records_run *run, size_t arm)
{
    const struct hl_study *study = run->p->study;
    const struct hl_system *system = study->arm[arm].system;
    size_t n = (size_t)study->arm[arm].cohort->subjects;
    run->arm = arm;
    run->n_walkers = omp_get_max_threads();
    run->walker = hl_alloc((size_t)run->n_walkers, sizeof *run->walker);
    bool good = run->walker != NULL;
    for (int i = 0; good && i < run->n_walkers; i++)
        good = (run->walker[i].course = hl_course_create(run->p->plan[arm], run->p->cohort[arm], study->data)) != NULL;
    for (size_t i = 0; i < 3; i++)
        good = (run->batch[i] = hl_alloc(1, sizeof *run->batch[i])) && good;
    run->ID = hl_alloc(n, sizeof *run->ID);
    if (ids_are_texts(hl_data_facts(run->p->data)))
        good = (run->id_text = hl_alloc(n, sizeof *run->id_text)) != NULL && good;
    run->covariate = hl_alloc(n * system->n_covariates, sizeof *run->covariate);
    run->individual = hl_alloc(n * system->n_individuals, sizeof *run->individual);
    run->mixture = hl_alloc(n * system->n_mixtures, sizeof *run->mixture);
    run->status = hl_alloc(n, 1);
    return good && run->ID && run->covariate && run->individual && run->mixture && run->status ? HL_OK : HL_ERR_MEMORY;
}

static void run_clear(struct records_run *run)
{
    for (int i = 0; run->walker && i < run->n_walkers; i++) {
        hl_course_free(run->walker[i].course);
        hl_free(run->walker[i].value);
    }
    for (size_t i = 0; i < 3; i++)
        if (run->batch[i]) {
            forget(run->batch[i]);
            hl_free(run->batch[i]->values);
            hl_free(run->batch[i]);
        }
    size_t n = run->id_text ? (size_t)run->p->study->arm[run->arm].cohort->subjects : 0;
    for (size_t k = 0; k < n; k++)
        hl_free(run->id_text[k]);
    void *part[] = {run->id_text, run->walker, run->ID, run->covariate, run->individual, run->mixture, run->status};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        hl_free(part[i]);
}

static enum hl_status run_arm(const struct records_run *common, size_t arm, const volatile sig_atomic_t *stop,
                              uint64_t *failed)
{
    struct records_run run = *common;
    enum hl_status status = run_init(&run, arm);
    if (status == HL_OK)
        status = solve_arm(&run, stop);
    if (status == HL_OK && run.store)
        status = store_subjects(&run);
    *failed += run.failed;
    run_clear(&run);
    return status;
}

enum hl_status hl_run_records(const struct hl_prepared *p, size_t block, struct hl_store *store,
                              struct hl_progress *progress, const volatile sig_atomic_t *stop, uint64_t *failed,
                              struct hl_diag *diag)
{
    const struct hl_data_facts *facts = hl_data_facts(p->data);
    struct hl_record_table *table = hl_record_table_create(p->arena, p->study, facts);
    struct records_run common = {.p = p, .table = table, .store = store, .progress = progress, .diag = diag,
                                 .most_people = block > 0 && block < BATCH_PEOPLE ? block : BATCH_PEOPLE};
    *failed = 0;
    enum hl_status status = hl_store_records_begin(store, table->n, table->column);
    for (size_t a = 0; status == HL_OK && a < p->study->n_arms; a++)
        status = run_arm(&common, a, stop, failed);
    if (*failed > FAULTS_SHOWN)
        hl_diag_note(diag, hl_pos_none(), "%llu individuals in all could not be finished; /subjects/status says which",
                     (unsigned long long)*failed);
    return status;
}

enum hl_status hl_try_records(const struct hl_prepared *p, uint64_t *failed, struct hl_diag *diag)
{
    struct hl_record_table *table = hl_record_table_create(p->arena, p->study, hl_data_facts(p->data));
    struct records_run common = {.p = p, .table = table, .diag = diag, .most_people = BATCH_PEOPLE};
    enum hl_status status = HL_OK;
    *failed = 0;
    for (size_t a = 0; status == HL_OK && a < p->study->n_arms; a++)
        status = run_arm(&common, a, NULL, failed);
    return status;
}
