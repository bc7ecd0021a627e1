/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Metrics across the cohort by the same functions that made the stored quantiles (Hyndman-Fan type 7; sample standard
 * deviation), over the subjects whose metric is defined. Of a metric with many dosing intervals the text shows the
 * first and the last, JSON all. */
#include "store/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "measure/measure.h"
#include "store/provenance.h"
#include "store/export_records.h"
#include "store/summary_records.h"

#define MOST_FAILURES 10 /* shown as text; JSON has all */

struct across { double low, median, high, mean, sd; int n; };

static const char *attribute(const struct hl_result *r, const char *name)
{
    const char *text = hl_result_attribute(r, NULL, name);
    return text ? text : "";
}

static bool is_output(const struct hl_result_variable *v)
{
    return *v->group == '\0' && !v->is_scale && v->output && (!v->statistic || strcmp(v->statistic, "mean") == 0);
}

/* The mean stands for an output whose trajectories were not kept. */
static bool is_listed(const struct hl_result *r, const struct hl_result_variable *v)
{
    if (!is_output(v))
        return false;
    for (size_t i = 0; v->statistic && i < r->n_variables; i++)
        if (is_output(&r->variable[i]) && !r->variable[i].statistic && strcmp(r->variable[i].output, v->output) == 0)
            return false;
    return true;
}

static bool is_metric(const struct hl_result_variable *v)
{
    return strcmp(v->group, "/metrics") == 0 && !v->is_scale && v->rank >= 2 && strcmp(v->axis[1], "subject") == 0;
}

static uint64_t width_of(const struct hl_result_variable *v)
{
    return v->rank == 3 ? v->dims[2] : 1;
}

/* The w-th value of each subject of an arm, put together. */
static enum hl_status across_cohort(const struct hl_result *r, const struct hl_result_variable *v, uint64_t arm,
                                    uint64_t w, struct across *a, struct hl_diag *diag)
{
    static const double probability[] = {0.05, 0.5, 0.95};
    double q[3], *values = hl_alloc((size_t)v->dims[1], sizeof *values);
    if (!values)
        return HL_ERR_MEMORY;
    const uint64_t start[3] = {arm, 0, w}, count[3] = {1, v->dims[1], 1};
    enum hl_status status = hl_result_read(r, v, start, count, values, diag);
    hl_cohort_moments(values, (size_t)v->dims[1], &a->mean, &a->sd, &a->n);
    hl_quantiles(values, (size_t)v->dims[1], probability, 3, q);
    a->low = q[0];
    a->median = q[1];
    a->high = q[2];
    hl_free(values);
    return status;
}

/* ---- Text. */

static void print_outputs(const struct hl_result *r, FILE *stream)
{
    fprintf(stream, "\n  %-36s %-10s %s\n", "output", "unit", "what it is");
    for (size_t i = 0; i < r->n_variables; i++)
        if (is_listed(r, &r->variable[i]))
            fprintf(stream, "  %-36s %-10s %s\n", r->variable[i].output,
                    r->variable[i].unit ? r->variable[i].unit : "1",
                    r->variable[i].long_name ? r->variable[i].long_name : "");
}

static void print_head(const struct hl_result *r, FILE *stream)
{
    fprintf(stream, "%s\n\n", attribute(r, "title"));
    fprintf(stream, "  status     %s, %s s, threads: %s\n", attribute(r, "status"), attribute(r, "wall_seconds"),
            attribute(r, "threads"));
    fprintf(stream, "  seed       %s\n", attribute(r, "seed"));
    fprintf(stream, "  subjects   %llu, failed: %s\n", (unsigned long long)r->n_subjects,
            attribute(r, "subjects_failed"));
    if (r->time && r->n_times > 0)
        fprintf(stream, "  times      %llu, %.6g h to %.6g h\n", (unsigned long long)r->n_times, r->time[0],
                r->time[r->n_times - 1]);
    fprintf(stream, "  arms       %llu\n", (unsigned long long)r->n_arms);
    fprintf(stream, "  made by    %.70s\n  created    %s\n", attribute(r, "source"), attribute(r, "date_created"));
}

static void print_cell(char *text, size_t size, double value)
{
    if (isnan(value))
        snprintf(text, size, "-");
    else
        snprintf(text, size, "%.4g", value);
}

static void print_metric(const struct hl_result *r, const struct hl_result_variable *v, uint64_t w,
                         const struct across *a, FILE *stream)
{
    char name[120], low[32], median[32], high[32], mean[32], sd[32], band[110];
    const double *number = v->rank == 3 ? hl_result_axis(r, v, 2) : NULL;
    if (number)
        snprintf(name, sizeof name, "%s, %s %.0f", v->name, v->axis[2], number[w]);
    else
        snprintf(name, sizeof name, "%s", v->name);
    print_cell(low, sizeof low, a->low);
    print_cell(median, sizeof median, a->median);
    print_cell(high, sizeof high, a->high);
    print_cell(mean, sizeof mean, a->mean);
    print_cell(sd, sizeof sd, a->sd);
    snprintf(band, sizeof band, "%s [%s, %s]", median, low, high);
    fprintf(stream, "  %-40s %-9s %-28s %10s %10s %8d\n", name, v->unit ? v->unit : "1", band, mean, sd, a->n);
}

/* What sums up reviews is in every file that has some, also for arms without. */
static bool is_of_reviews(const struct hl_result *r, const struct hl_result_variable *v)
{
    const char *statistic = hl_result_attribute(r, v->path, "statistic");
    return statistic && strcmp(statistic, "reviews") == 0;
}

static enum hl_status print_arm(const struct hl_result *r, uint64_t arm, FILE *stream, struct hl_diag *diag)
{
    fprintf(stream, "\n%s\n  %-40s %-9s %-28s %10s %10s %8s\n", r->arm_name[arm], "metric", "unit",
            "median [5 %, 95 %]", "mean", "sd", "n");
    for (size_t i = 0; i < r->n_variables; i++) {
        const struct hl_result_variable *v = &r->variable[i];
        uint64_t width = is_metric(v) ? width_of(v) : 0;
        bool is_short = width <= 3 || strncmp(v->axis[2], "window", 6) == 0;
        for (uint64_t w = 0; w < width; w += is_short || width < 2 ? 1 : width - 1) {
            struct across a;
            enum hl_status status = across_cohort(r, v, arm, w, &a, diag);
            if (status != HL_OK)
                return status;
            if (a.n > 0 || !is_of_reviews(r, v))
                print_metric(r, v, w, &a, stream);
        }
    }
    return HL_OK;
}

static bool has_metrics(const struct hl_result *r)
{
    for (size_t i = 0; i < r->n_variables; i++)
        if (is_metric(&r->variable[i]))
            return true;
    return false;
}

/* ---- Text of a data-set run. */

static void print_record_counts(const struct hl_result *r, const struct hl_record_facts *f, FILE *stream)
{
    const char *file = hl_result_attribute(r, "/provenance/data", "path"),
               *digest = hl_result_attribute(r, "/provenance/data", "sha256");
    fprintf(stream, "  data set   %s, sha256 %.16s\n", file ? file : "of unknown name", digest ? digest : "unknown");
    fprintf(stream, "  records    %llu: %llu observations, %llu dose records", (unsigned long long)f->records,
            (unsigned long long)f->observations, (unsigned long long)f->doses);
    if (f->additional > 0.0)
        fprintf(stream, " with %.0f additional doses", f->additional);
    if (f->resets > 0)
        fprintf(stream, ", %llu resets", (unsigned long long)f->resets);
    if (f->others > 0)
        fprintf(stream, ", %llu other events", (unsigned long long)f->others);
    fprintf(stream, "\n  TIME       %.6g h to %.6g h\n", f->first_time, f->last_time);
    fprintf(stream, "  covariates %s\n", attribute(r, "covariate_rule"));
    fprintf(stream, "  F scales   the %s of an infusion\n", attribute(r, "bioavailability_scales"));
}

static void print_failures(const struct hl_result *r, const struct hl_record_facts *f, FILE *stream)
{
    if (f->n_failures > 0)
        fprintf(stream, "\n  failed\n");
    for (size_t i = 0; i < f->n_failures && i < MOST_FAILURES; i++) {
        const struct hl_record_failure *e = &f->failure[i];
        fprintf(stream, "  subject %llu (ID %s)%s%s: %s\n", (unsigned long long)e->subject, e->ID,
                r->n_arms > 1 ? " in " : "", r->n_arms > 1 ? r->arm_name[e->arm] : "", e->why);
    }
    if (f->n_failures > MOST_FAILURES)
        fprintf(stream, "  and %zu more; /subjects/status has all\n", f->n_failures - MOST_FAILURES);
}

static void print_ranges(const struct hl_result *r, const struct hl_record_facts *f, uint64_t arm, FILE *stream)
{
    if (r->n_arms > 1)
        fprintf(stream, "\n%s", r->arm_name[arm]);
    fprintf(stream, "\n  %-28s %-9s %12s %12s %9s  %s\n", "column", "unit", "lowest", "highest", "missing",
            "what it is");
    for (size_t i = 0; i < f->n_columns; i++) {
        const struct hl_record_range *e = &f->range[arm * f->n_columns + i];
        char low[32], high[32];
        print_cell(low, sizeof low, e->n ? e->low : (double)NAN);
        print_cell(high, sizeof high, e->n ? e->high : (double)NAN);
        fprintf(stream, "  %-28s %-9s %12s %12s %9llu  %s\n", e->variable->name, e->variable->unit ? e->variable->unit
                : "1", low, high, (unsigned long long)e->missing, e->variable->long_name ? e->variable->long_name : "");
    }
}

static enum hl_status print_records(const struct hl_result *r, FILE *stream, struct hl_diag *diag)
{
    struct hl_record_facts facts;
    enum hl_status status = hl_record_facts_read(r, &facts, diag);
    if (status != HL_OK)
        return status;
    print_record_counts(r, &facts, stream);
    print_failures(r, &facts, stream);
    for (uint64_t arm = 0; arm < r->n_arms; arm++)
        print_ranges(r, &facts, arm, stream);
    return HL_OK;
}

static enum hl_status print_text(const struct hl_result *r, FILE *stream, struct hl_diag *diag)
{
    enum hl_status status = HL_OK;
    print_head(r, stream);
    if (hl_records_exist(r))
        status = print_records(r, stream, diag);
    else
        print_outputs(r, stream);
    for (uint64_t arm = 0; arm < r->n_arms && has_metrics(r) && status == HL_OK; arm++)
        status = print_arm(r, arm, stream, diag);
    fprintf(stream, "\nFor %s.\n", HL_NOT_FOR_DOSING);
    return status;
}

/* ---- JSON (RFC 8259). */

static void json_number(FILE *stream, const char *name, double value)
{
    char text[40];
    if (isfinite(value))
        fprintf(stream, ", \"%s\": %s", name, hl_text_shortest(value, text, sizeof text));
    else
        fprintf(stream, ", \"%s\": null", name);
}

static void json_head(const struct hl_result *r, FILE *stream)
{
    static const char *const names[] = {"title",   "study",           "status",        "seed",
                                        "solver",  "source",          "date_created",  "wall_seconds",
                                        "threads", "subjects_failed", "payload_sha256"};
    fputs("{", stream);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        fprintf(stream, "%s\n  \"%s\": ", i ? "," : "", names[i]);
        hl_text_json(stream, attribute(r, names[i]));
    }
    fprintf(stream, ",\n  \"subjects\": %llu,\n  \"times\": %llu,\n  \"arms\": [", (unsigned long long)r->n_subjects,
            (unsigned long long)r->n_times);
    for (uint64_t arm = 0; arm < r->n_arms; arm++) {
        fputs(arm ? ", " : "", stream);
        hl_text_json(stream, r->arm_name[arm]);
    }
    fputs("],\n  \"outputs\": [", stream);
    bool started = false;
    for (size_t i = 0; i < r->n_variables; i++) {
        const struct hl_result_variable *v = &r->variable[i];
        if (!is_listed(r, v))
            continue;
        fprintf(stream, "%s\n    {\"name\": ", started ? "," : "");
        hl_text_json(stream, v->output);
        fputs(", \"unit\": ", stream);
        hl_text_json(stream, v->unit ? v->unit : "1");
        fputs(", \"long_name\": ", stream);
        hl_text_json(stream, v->long_name);
        fputs("}", stream);
        started = true;
    }
    fputs("],\n  \"metrics\": [", stream);
}

static void json_metric(const struct hl_result *r, const struct hl_result_variable *v, uint64_t arm, uint64_t w,
                        const struct across *a, FILE *stream)
{
    const double *number = v->rank == 3 ? hl_result_axis(r, v, 2) : NULL;
    fputs("\n    {\"arm\": ", stream);
    hl_text_json(stream, r->arm_name[arm]);
    fputs(", \"name\": ", stream);
    hl_text_json(stream, v->name);
    fputs(", \"unit\": ", stream);
    hl_text_json(stream, v->unit ? v->unit : "1");
    if (number)
        json_number(stream, strncmp(v->axis[2], "window", 6) == 0 ? "window" : "interval", number[w]);
    fprintf(stream, ", \"n\": %d", a->n);
    json_number(stream, "median", a->median);
    json_number(stream, "q05", a->low);
    json_number(stream, "q95", a->high);
    json_number(stream, "mean", a->mean);
    json_number(stream, "sd", a->sd);
    fputs("}", stream);
}

/* ---- JSON of a data-set run: members that other results don't have. */

static void json_count(FILE *stream, const char *name, double n)
{
    fprintf(stream, ", \"%s\": %.0f", name, n);
}

static void json_columns(const struct hl_result *r, const struct hl_record_facts *f, FILE *stream)
{
    for (size_t i = 0; i < (size_t)r->n_arms * f->n_columns; i++) {
        const struct hl_record_range *e = &f->range[i];
        fprintf(stream, "%s\n    {\"arm\": ", i ? "," : "");
        hl_text_json(stream, r->arm_name[i / f->n_columns]);
        fputs(", \"name\": ", stream);
        hl_text_json(stream, e->variable->name);
        fputs(", \"unit\": ", stream);
        hl_text_json(stream, e->variable->unit ? e->variable->unit : "1");
        json_count(stream, "n", (double)e->n);
        json_count(stream, "missing", (double)e->missing);
        json_number(stream, "lowest", e->low);
        json_number(stream, "highest", e->high);
        fputs("}", stream);
    }
}

static void json_failures(const struct hl_result *r, const struct hl_record_facts *f, FILE *stream)
{
    for (size_t i = 0; i < f->n_failures; i++) {
        const struct hl_record_failure *e = &f->failure[i];
        fprintf(stream, "%s\n    {\"arm\": ", i ? "," : "");
        hl_text_json(stream, r->arm_name[e->arm]);
        json_count(stream, "subject", (double)e->subject);
        fputs(", \"ID\": ", stream);
        if (e->is_text)
            hl_text_json(stream, e->ID);
        else
            fputs(e->ID, stream);
        fputs(", \"status\": ", stream);
        hl_text_json(stream, e->why);
        fputs("}", stream);
    }
}

static enum hl_status json_records(const struct hl_result *r, FILE *stream, struct hl_diag *diag)
{
    struct hl_record_facts facts;
    enum hl_status status = hl_record_facts_read(r, &facts, diag);
    if (status != HL_OK)
        return status;
    fputs("],\n  \"data_set\": {\"path\": ", stream);
    hl_text_json(stream, hl_result_attribute(r, "/provenance/data", "path"));
    fputs(", \"sha256\": ", stream);
    hl_text_json(stream, hl_result_attribute(r, "/provenance/data", "sha256"));
    fputs(", \"covariate_rule\": ", stream);
    hl_text_json(stream, attribute(r, "covariate_rule"));
    fputs(", \"bioavailability_scales\": ", stream);
    hl_text_json(stream, attribute(r, "bioavailability_scales"));
    json_count(stream, "individuals", (double)r->n_subjects);
    json_count(stream, "records", (double)facts.records);
    json_count(stream, "observations", (double)facts.observations);
    json_count(stream, "doses", (double)facts.doses);
    json_count(stream, "additional_doses", facts.additional);
    json_count(stream, "resets", (double)facts.resets);
    json_count(stream, "other_events", (double)facts.others);
    json_number(stream, "first_time", facts.first_time);
    json_number(stream, "last_time", facts.last_time);
    fputs("},\n  \"columns\": [", stream);
    json_columns(r, &facts, stream);
    fputs("],\n  \"failed\": [", stream);
    json_failures(r, &facts, stream);
    return HL_OK;
}

static enum hl_status print_json(const struct hl_result *r, FILE *stream, struct hl_diag *diag)
{
    bool started = false;
    json_head(r, stream);
    enum hl_status status = hl_records_exist(r) ? json_records(r, stream, diag) : HL_OK;
    if (status != HL_OK)
        return status;
    for (uint64_t arm = 0; arm < r->n_arms; arm++)
        for (size_t i = 0; i < r->n_variables; i++)
            for (uint64_t w = 0; is_metric(&r->variable[i]) && w < width_of(&r->variable[i]); w++) {
                struct across a;
                status = across_cohort(r, &r->variable[i], arm, w, &a, diag);
                if (status != HL_OK)
                    return status;
                fputs(started ? "," : "", stream);
                json_metric(r, &r->variable[i], arm, w, &a, stream);
                started = true;
            }
    fprintf(stream, "],\n  \"note\": \"%s\"\n}\n", HL_NOT_FOR_DOSING);
    return HL_OK;
}

enum hl_status hl_summary(const char *path, bool json, FILE *stream, struct hl_diag *diag)
{
    struct hl_result *r;
    enum hl_status status = hl_result_open(path, &r, diag);
    if (status != HL_OK)
        return status;
    status = json ? print_json(r, stream, diag) : print_text(r, stream, diag);
    hl_result_close(r);
    return status;
}
