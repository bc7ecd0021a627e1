/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A cohort brought through more or less memory: whole, in batches of any size, its columns divided over passes, with
 * too little room for its quantiles so that they must be looked for again. The payload is always the same. */
#include "study_sample.h"

#include <omp.h>

#include "run_arm.h"
#include "store/hdf.h"

/* Linear and integrated parts, steady state, a taper's doses, metrics, quantiles, a CSV: every room is visited. */
static const char small_study[] =
    "study: small\n"
    "drugs: {clonazepam: alpha, fentanyl: delta}\n"
    "interactions: {overlap: beta}\n"
    "cohort: {subjects: 333, seed: 11, csv: people.csv, correlations: [{between: [clonazepam.eta_CL, fentanyl.eta_CL], "
    "r: 0.31}]}\n"
    "arms:\n"
    "  - name: both\n"
    "    clonazepam: [{steady_state: {oral: 1.7 mg, every: 12 h}}, {oral: 2.9 mg, every: 12 h, for: 2 d}]\n"
    "    fentanyl: [{oral: 0.31 mg}]\n"
    "  - name: alone\n"
    "    clonazepam: [{oral: 2.3 mg, every: 24 h, for: 2 d}]\n"
    "times: [{until: 3 d, every: 6 h}]\n"
    "outputs: [clonazepam.Cp, fentanyl.Cp, overlap.depth]\n"
    "metrics:\n"
    "  - {of: clonazepam.Cp, list: [Cmax, AUC, Ctrough, half_life]}\n"
    "  - {of: overlap.depth, above: \"0.5\", list: [hours_above, first_time]}\n"
    "quantiles: [5 %, 50 %, 95 %]\n"
    "thresholds: {clonazepam.Cp: [10 ug/L, 30 ug/L]}\n"
    "store: [trajectories, summaries, observations]\n";

static char payload[65];

/* One run the way that room says; its payload digest. */
static void run_through(const struct hl_room *room, int threads, size_t block, enum hl_status expected)
{
    char study[512], output[512];
    const char *directory = sample_folder;
    snprintf(study, sizeof study, "%s/study.yaml", sample_folder);
    snprintf(output, sizeof output, "%s/result.h5", sample_folder);
    struct hl_study_options options = {.model_directory = &directory, .n_model_directories = 1};
    struct hl_provenance provenance = {.command_line = "test", .threads = threads};
    struct hl_diag *diag = hl_diag_create();
    struct hl_prepared p;
    struct hl_store *store;
    volatile sig_atomic_t stop = expected == HL_ERR_INTERRUPTED;
    uint64_t failed = 0;
    omp_set_num_threads(threads);
    if (hl_prepare(study, &options, &p, diag) != HL_OK)
        hl_diag_print(diag, stderr);
    enum hl_status status = hl_store_create(output, true, p.study, (const struct hl_regimen *const *)p.regimen,
                                            &provenance, &store, diag);
    assert_int_equal(status, HL_OK);
    for (size_t a = 0; status == HL_OK && a < p.study->n_arms; a++) {
        struct hl_room own = hl_room_plan(&p, a, threads, 1e9);
        status = hl_run_arm(&p, a, room ? room : &own, block, store, NULL, &stop, &failed);
    }
    assert_int_equal(status, expected);
    if (status != HL_OK)
        hl_store_abandon(store);
    else
        assert_int_equal(hl_store_finish(store, 1, failed, diag), HL_OK);
    hl_prepared_clear(&p);
    hl_diag_free(diag);
    if (status != HL_OK)
        return;
    struct hl_arena *arena = hl_arena_create();
    hid_t file = H5Fopen(output, H5F_ACC_RDONLY, H5P_DEFAULT);
    snprintf(payload, sizeof payload, "%s", hl_hdf_text(arena, file, "payload_sha256"));
    H5Fclose(file);
    hl_arena_free(arena);
    assert_int_equal(unlink(output), 0);
}

static void any_room_gives_the_same(void **state)
{
    (void)state;
    /* strips, columns of 39, values kept per column, and columns looked at again */
    static const struct { struct hl_room room; int threads; size_t block; } ways[] = {
        {{.strips = 6, .columns = 39, .capacity = 333, .missed = 39}, 1, 64},
        {{.strips = 1, .columns = 39, .capacity = 333, .missed = 39}, 2, 64},
        {{.strips = 1, .columns = 39, .capacity = 256, .missed = 39}, 1, 24},
        {{.strips = 2, .columns = 7, .capacity = 256, .missed = 39}, 3, 8},
        {{.strips = 2, .columns = 39, .capacity = 64, .missed = 39}, 2, 40},
        {{.strips = 5, .columns = 38, .capacity = 64, .missed = 5}, 2, 64},
    };
    char expected[65];
    run_through(NULL, 2, 64, HL_OK);
    memcpy(expected, payload, sizeof expected);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        run_through(&ways[i].room, ways[i].threads, ways[i].block, HL_OK);
        assert_string_equal(payload, expected);
    }
}

static void stopping_is_noticed(void **state)
{
    (void)state;
    run_through(NULL, 2, 64, HL_ERR_INTERRUPTED);
}

/* What the plan says for more and less memory. */
static void plans_fit(void **state)
{
    (void)state;
    char study[512];
    const char *directory = sample_folder;
    struct hl_prepared p;
    struct hl_diag *diag = hl_diag_create();
    snprintf(study, sizeof study, "%s/study.yaml", sample_folder);
    struct hl_study_options options = {.model_directory = &directory, .n_model_directories = 1, .has_subjects = true,
                                       .subjects = 3000000};
    assert_int_equal(hl_prepare(study, &options, &p, diag), HL_OK);
    struct hl_room roomy = hl_room_plan(&p, 0, 2, 64e9), tight = hl_room_plan(&p, 0, 2, 1.1e9),
                   less = hl_room_plan(&p, 0, 2, 1e8);
    assert_int_equal(roomy.columns, 39);
    assert_int_equal(roomy.passes, 1);
    assert_true(tight.bytes <= 1.1e9 && tight.bytes > 0.3e9);
    assert_true(tight.strips <= roomy.strips);
    assert_int_equal(less.columns, 0);
    assert_true(less.least > 1e8);
    struct hl_room enough = hl_room_plan(&p, 0, 2, less.least);
    assert_true(enough.columns >= 1 && enough.bytes <= less.least && enough.passes >= 39 / enough.columns);
    hl_prepared_clear(&p);
    hl_diag_free(diag);
}

static int start(void **state)
{
    if (sample_start(state) != 0)
        return -1;
    sample_write("delta.yaml", sample_delta);
    sample_write("study.yaml", small_study);
    sample_write("people.csv", "WT [kg],AGE\n61.3,37\n83.9,52\n70.2,44\n");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_room_gives_the_same),
        cmocka_unit_test(stopping_is_noticed),
        cmocka_unit_test(plans_fit),
    };
    return cmocka_run_group_tests(tests, start, sample_stop);
}
