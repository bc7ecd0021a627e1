/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine without memory. A whole small run is repeated with the first allocation failing, then the second, and so on
 * until one succeeds (in strides, unless HL_TEST_STRIDE=1 asks for every single one: a minute). Each try is a process of
 * its own, because an arena that runs dry ends it: the process must end by itself (no signal, no leak under a
 * sanitizer), say that memory was the reason, and leave no file behind. */
#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

#include "study_sample.h"

#include "run.h"

#define MOST_ALLOCATIONS 20000 /* far more than a run makes */

enum { ENDED_WELL = 64, NO_MEMORY, OTHER_STATUS = 80 /* + status */ };

/* Linear and integrated parts, steady state, a taper's doses, metrics, quantiles, a CSV: every room is visited. */
static const char small_study[] =
    "study: small\n"
    "drugs: {clonazepam: alpha, fentanyl: delta}\n"
    "interactions: {overlap: beta}\n"
    "cohort: {subjects: 3, seed: 11, csv: people.csv, correlations: [{between: [clonazepam.eta_CL, fentanyl.eta_CL], "
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
    "store: [trajectories, summaries, observations]\n";

/* A run whose n-th allocation fails (0: none does), in a child; the way it ended goes to its exit status. */
static void run_once(size_t n, int threads)
{
    char study[512], output[512];
    const char *directory = sample_folder;
    snprintf(study, sizeof study, "%s/study.yaml", sample_folder);
    snprintf(output, sizeof output, "%s/small.h5", sample_folder);
    struct hl_run_options options = {.study_path = study,
                                     .study = {.model_directory = &directory, .n_model_directories = 1},
                                     .output = output,
                                     .threads = threads,
                                     .quiet = true,
                                     .progress = HL_PROGRESS_NONE,
                                     .command_line = "test"};
    struct hl_diag *diag = hl_diag_create();
    hl_memory_fail_after(n);
    enum hl_status status = hl_run(&options, diag);
    hl_memory_fail_after(0);
    if (status == HL_OK)
        exit(ENDED_WELL);
    hl_diag_print(diag, stderr);
    hl_diag_free(diag);
    exit(status == HL_ERR_MEMORY ? NO_MEMORY : OTHER_STATUS + (int)status);
}

/* How the try ended, and what it wrote to standard error. */
static int try(size_t n, int threads, char *said, size_t size)
{
    int way[2], state = 0;
    assert_int_equal(pipe(way), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(way[0]);
        dup2(way[1], STDERR_FILENO);
        for (int i = 0; i < 5; i++) /* a crash here is the parent's to report */
            signal((int[]){SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL}[i], SIG_DFL);
        run_once(n, threads);
    }
    close(way[1]);
    size_t got = 0;
    for (ssize_t part; (part = read(way[0], said + got, size - 1 - got)) > 0;)
        got += (size_t)part;
    said[got] = '\0';
    close(way[0]);
    assert_int_equal(waitpid(child, &state, 0), child);
    if (!WIFEXITED(state))
        fail_msg("without its allocation %zu the run died of signal %d:\n%s", n, WTERMSIG(state), said);
    return WEXITSTATUS(state);
}

/* What the folder holds. */
static size_t files_of_folder(void)
{
    size_t n = 0;
    DIR *dir = opendir(sample_folder);
    assert_non_null(dir);
    for (struct dirent *d; (d = readdir(dir)) != NULL;)
        n += strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
    closedir(dir);
    return n;
}

/* Tries n, n + step, ... until a run succeeds; gives how many didn't. */
static size_t try_all(size_t step, int threads)
{
    char said[65536], result[512];
    size_t before = files_of_folder(), failed = 0;
    for (size_t n = 1; n < MOST_ALLOCATIONS; n += step) {
        int end = try(n, threads, said, sizeof said);
        if (end == ENDED_WELL) {
            snprintf(result, sizeof result, "%s/small.h5", sample_folder);
            assert_int_equal(unlink(result), 0);
            return failed;
        }
        failed++;
        bool told = strstr(said, "not enough memory"); /* a file that can't be held counts as one that can't be read */
        if (end != NO_MEMORY && !((end == 1 || end == OTHER_STATUS + HL_ERR_INPUT) && told))
            fail_msg("without its allocation %zu the run ended with %d:\n%s", n, end, said);
        if (files_of_folder() != before)
            fail_msg("without its allocation %zu the run left a file behind:\n%s", n, said);
    }
    fail_msg("the run allocates more than %d times", MOST_ALLOCATIONS);
    return 0;
}

static size_t stride(size_t usual)
{
    const char *asked = getenv("HL_TEST_STRIDE");
    return asked && atoi(asked) > 0 ? (size_t)atoi(asked) : usual;
}

static void one_thread(void **state)
{
    (void)state;
    assert_true(try_all(stride(7), 1) > 100);
}

static void two_threads(void **state)
{
    (void)state;
    assert_true(try_all(stride(19), 2) > 50);
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
        cmocka_unit_test(one_thread),
        cmocka_unit_test(two_threads),
    };
    return cmocka_run_group_tests(tests, start, sample_stop);
}
