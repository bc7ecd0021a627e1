/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a data set hands out: items in the engine's units, derived items, columns, individuals; a second reading that
 * starts anew, notices changes and agrees with a simple one. */
#include <math.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/memory.h"
#include "data_sample.h"

static void close_to(double found, double wanted, const char *what)
{
    if (!(fabs(found - wanted) <= 1e-13 * fabs(wanted)))
        fail_msg("%s is %.17g, expected %.17g", what, found, wanted);
}

/* No message, or a test is wrong. */
static struct sample silent(const char *text)
{
    struct sample s = sample_read(text);
    sample_says(&s, 0, NULL);
    assert_non_null(s.set);
    return s;
}

/* ---- Items ---- */

static void every_item(void **state)
{
    (void)state;
    struct sample s = silent("ID,TIME,EVID,AMT,RATE,CMT,ADDL,II,SS,MDV,DV,DVID,OCC,X\n"
                             "3,1.5,4,100,12.5,2,3,24,1,1,.,7,2,0.5\n"
                             "3,2.25,0,,.,central,.,0,0,0,4.75,1,2,.\n"
                             "3,2.25,2,0,0,-3,0,0,0,0,,.,-1,8\n");
    const struct hl_individual *x = sample_next(&s);
    assert_int_equal(x->n, 3);
    assert_true(x->ID == 3.0 && x->number == 1);
    assert_string_equal(x->id_text, "3");
    const struct hl_record *r = x->record;
    assert_true(r[0].row == 2 && r[0].TIME == 1.5 && r[0].EVID == 4 && r[0].AMT == 100.0 && r[0].RATE == 12.5);
    assert_true(r[0].CMT == 2 && r[0].compartment == 1 && !r[0].off && r[0].ADDL == 3 && r[0].II == 24.0);
    assert_true(r[0].SS == 1 && r[0].MDV == 1 && isnan(r[0].DV) && r[0].DVID == 7 && r[0].OCC == 2.0 &&
                r[0].DUR == 0.0);
    assert_true(r[1].row == 3 && r[1].EVID == 0 && r[1].AMT == 0.0 && r[1].RATE == 0.0 && r[1].CMT == 2);
    assert_true(r[1].compartment == 1 && r[1].MDV == 0 && r[1].DV == 4.75 && r[1].DVID == 1);
    assert_true(r[2].EVID == 2 && r[2].CMT == -3 && r[2].compartment == 2 && r[2].off && r[2].MDV == 1);
    assert_true(r[2].DVID == 0 && r[2].OCC == -1.0);
    const struct hl_data_facts *f = hl_data_facts(s.set);
    assert_true(f->records == 3 && f->individuals == 1 && f->observations == 1 && f->doses == 1 && f->longest == 3);
    assert_true(f->dosed[1] && !f->dosed[0] && !f->dosed[2] && !f->default_dosed);
    assert_true(f->observed[1] && !f->observed[0] && !f->observed[2]);
    assert_true(!f->has_covariate_column && f->has_occasions && f->n_columns == 14);
    assert_true(x->column[0] == 3.0 && x->column[13] == 0.5 && isnan(x->column[14 + 13]) && x->column[28 + 13] == 8.0);
    enum hl_status status;
    assert_null(hl_data_next(s.set, &status, s.diag));
    assert_int_equal(status, HL_OK);
    assert_null(hl_data_next(s.set, &status, s.diag));
    sample_free(&s);
}

static void events_are_derived(void **state)
{
    (void)state;
    struct sample s = silent("time,amt,rate,ss,addl,ii,dv,Id\n"
                             "0,100,0,0,0,0,.,1\n"
                             "1,0,0,0,0,0,.,1\n"
                             "2,.,7,1,.,.,.,1\n"
                             "3,,,,,,0.5,1\n"
                             "4,0,0,0,1,24,3,1\n");
    static const int EVID[] = {1, 0, 1, 0, 1}, MDV[] = {1, 1, 1, 0, 1};
    const struct hl_individual *x = sample_next(&s);
    for (size_t i = 0; i < 5; i++)
        if (x->record[i].EVID != EVID[i] || x->record[i].MDV != MDV[i])
            fail_msg("record %zu: EVID %d, MDV %d", i, x->record[i].EVID, x->record[i].MDV);
    assert_true(hl_data_facts(s.set)->default_dosed);
    assert_int_equal(hl_data_facts(s.set)->doses, 3);
    assert_true(x->record[0].compartment == -1);
    sample_free(&s);
    s = silent("ID,TIME,AMT\n1,0,0\n1,1,3\n"); /* without DV nothing says that an observation is missing */
    x = sample_next(&s);
    assert_true(x->record[0].MDV == 0 && x->record[1].MDV == 1);
    sample_free(&s);
}

static void given_durations(void **state)
{
    (void)state;
    struct sample s = silent("ID,TIME,AMT,DUR,RATE\n1,0,100,3,0\n1,1,100,1:30,.\n1,2,100,0.7,142.9\n1,3,100,0,50\n"
                             "1,4,50,.,.\n");
    static const double DUR[] = {3.0, 1.5, 0.7, 0.0, 0.0}, RATE[] = {100.0 / 3.0, 100.0 / 1.5, 100.0 / 0.7, 50.0, 0.0};
    const struct hl_individual *x = sample_next(&s);
    for (size_t i = 0; i < 5; i++) {
        close_to(x->record[i].DUR, DUR[i], "DUR");
        close_to(x->record[i].RATE, RATE[i], "RATE");
    }
    assert_true(x->column[5 + 3] == 1.5);
    sample_free(&s);
}

/* ---- Units ---- */

static const char units_text[] = "ID,TIME [min],AMT [ug],RATE,II,ADDL,DUR,DV [ng/mL],SS,CMT\n"
                                 "1,90,2385,-2,0,0,0,12,0,2\n1,90,2385,30,60,1,.,.,0,2\n1,120,60,0,0,0,45,.,0,2\n";

static void units_in_the_header(void **state)
{
    (void)state;
    struct sample s = silent(units_text);
    static const char *const units[] = {NULL, "min", "ug", "ug/min", "min", NULL, "min", "ng/mL", NULL, NULL};
    static const char *const items[] = {"ID", "TIME", "AMT", "RATE", "II", "ADDL", "DUR", "DV", "SS", "CMT"};
    for (size_t i = 0; i < 10; i++) {
        const struct hl_data_column_info *c = &hl_data_facts(s.set)->column[i];
        assert_string_equal(c->item, items[i]);
        if (units[i])
            assert_string_equal(c->unit_text, units[i]);
        else
            assert_null(c->unit_text);
    }
    assert_string_equal(hl_data_facts(s.set)->column[2].name, "AMT");
    const struct hl_individual *x = sample_next(&s);
    const struct hl_record *r = x->record;
    assert_true(r[0].TIME == 1.5 && r[0].RATE == -2.0 && r[0].II == 0.0 && r[0].DV == 12.0);
    close_to(r[0].AMT, 2.385, "AMT");
    close_to(r[1].RATE, 30 * 0.001 * 60, "RATE");
    close_to(r[1].II, 1.0, "II");
    close_to(r[2].DUR, 0.75, "DUR");
    close_to(r[2].RATE, 0.06 / 0.75, "RATE of DUR");
    assert_true(x->column[1] == 90.0 && x->column[2] == 2385.0);
    sample_free(&s);
}

static void columns_of_the_study(void **state)
{
    (void)state;
    struct sample s = sample_study(sample_drug, NULL);
    struct hl_data_column column[] = {{.item = "AMT", .column = "dose", .unit_text = "g", .pos = {"s.yaml", 3, 4}},
                                      {.item = "TIME", .column = "hours"},
                                      {.item = "WT", .column = "weight"},
                                      {.item = "AGE", .column = "amt"},
                                      {.item = "RATE", .column = NULL, .unit_text = "mg/d"}};
    s.spec->column = column;
    s.spec->n_columns = 5;
    sample_open(&s, "ID,Hours,Dose [mg],AMT,WEIGHT,rate,II\n1,2,0.25,37,81,480,0\n");
    sample_says(&s, 0, NULL);
    const struct hl_individual *x = sample_next(&s);
    close_to(x->record[0].AMT, 250.0, "AMT"); /* what the study says counts, not the header */
    close_to(x->record[0].RATE, 20.0, "RATE");
    assert_true(x->record[0].TIME == 2.0 && x->covariate[0] == 81.0 && x->covariate[1] == 37.0);
    assert_true(isnan(x->covariate[2])); /* SEX comes from the cohort */
    const struct hl_data_column_info *c = hl_data_facts(s.set)->column;
    assert_true(c[2].covariate == -1 && c[3].covariate == 1 && c[4].covariate == 0 && c[3].item == NULL);
    assert_string_equal(c[2].unit_text, "g");
    assert_string_equal(c[4].unit_text, "kg");
    assert_true(hl_data_facts(s.set)->has_covariate_column);
    sample_free(&s);
}

static void statements_that_lead_nowhere(void **state)
{
    (void)state;
    static const struct {
        struct hl_data_column column;
        const char *message;
    } cases[] = {
        {{.item = "AMT", .column = "DOSSE", .pos = {"s.yaml", 3, 4}}, "s.yaml:3:4: error: /tmp/test_data"},
        {{.item = "AMT", .column = "DOSSE", .pos = {"s.yaml", 3, 4}}, "has no column 'DOSSE'; did you mean 'DOSE'?"},
        {{.item = "ATM", .column = "DOSE", .pos = {"s.yaml", 3, 4}},
         "s.yaml:3:4: error: 'ATM' is neither a data item nor a covariate of the models; did you mean 'AMT'?"},
        {{.item = "AMT", .column = "DOSE", .unit_text = "h", .pos = {"s.yaml", 3, 4}},
         "s.yaml:3:4: error: AMT can't be in 'h'; expected a unit of amount"},
        {{.item = "WT", .column = "DOSE", .unit_text = "mg", .pos = {"s.yaml", 3, 4}},
         "s.yaml:3:4: error: WT can't be in 'mg'; its model has it in kg"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sample s = sample_study(sample_drug, NULL);
        struct hl_data_column column = cases[i].column;
        s.spec->column = &column;
        s.spec->n_columns = 1;
        sample_open(&s, "ID,TIME,DOSE,RATE\n1,0,71,0\n");
        assert_null(s.set);
        if (!strstr(s.messages, cases[i].message))
            fail_msg("expected \"%s\" in\n%s", cases[i].message, s.messages);
        sample_free(&s);
    }
}

/* Moles are weighed by the drug that receives them. */
static void moles(void **state)
{
    (void)state;
    struct sample s = silent("ID,TIME,AMT [umol],RATE,CMT\n1,0,3.5,0.7,2\n1,9,3.5,.,.\n");
    const struct hl_individual *x = sample_next(&s);
    close_to(x->record[0].AMT, 3.5 * 0.31572, "AMT");
    close_to(x->record[0].RATE, 0.7 * 0.31572, "RATE");
    close_to(x->record[1].AMT, 3.5 * 0.31572, "AMT");
    sample_free(&s);
    s = sample_study(sample_drug, sample_other);
    sample_open(&s, "ID,TIME,AMT [nmol],CMT\n1,0,3500,1\n1,0,3500,4\n1,0,3500,beta.central\n");
    sample_says(&s, 1, ":3:5: error: AMT is in nmol, but the model states no molar_mass to turn moles into mg");
    assert_null(s.set);
    sample_free(&s);
}

/* ---- Compartments ---- */

static void two_drugs(void **state)
{
    (void)state;
    struct sample s = sample_study(sample_drug, sample_other);
    sample_open(&s, "ID,TIME,AMT,CMT\n1,0,5,4\n1,0,5,beta.central\n1,0,5,gut\n1,0,5,.\n1,1,0,alpha.central\n1,1,0,4\n");
    sample_says(&s, 0, NULL);
    const struct hl_individual *x = sample_next(&s);
    static const int compartment[] = {3, 3, 0, -1, 1, 3}, CMT[] = {4, 4, 1, 0, 2, 4};
    for (size_t i = 0; i < 6; i++)
        assert_true(x->record[i].compartment == compartment[i] && x->record[i].CMT == CMT[i]);
    const struct hl_data_facts *f = hl_data_facts(s.set);
    assert_true(f->dosed[0] && !f->dosed[1] && !f->dosed[2] && f->dosed[3] && f->default_dosed);
    assert_true(!f->observed[0] && f->observed[1] && !f->observed[2] && f->observed[3]);
    assert_int_equal(f->column[3].kind, HL_COLUMN_TEXT);
    sample_free(&s);
    s = sample_study(sample_drug, sample_other);
    sample_open(&s, "ID,TIME,AMT,CMT\n1,0,5,central\n");
    sample_says(&s, 1, ":2:7: error: several drugs have a compartment 'central'; write it with its drug");
    sample_free(&s);
}

/* Numbers that observe: speaks of may be outside the model. */
static void observed_numbers(void **state)
{
    (void)state;
    struct sample s = sample_study(sample_drug, NULL);
    struct hl_data_shown shown = {.number = 7, .output = 0};
    s.spec->shown = &shown;
    s.spec->n_shown = 1;
    sample_open(&s, "ID,TIME,AMT,CMT\n1,0,.,7\n1,0,.,6\n");
    sample_says(&s, 1, ":3:7: error: CMT '6' is outside the model");
    sample_free(&s);
    s = sample_study(sample_drug, NULL);
    s.spec->shown = &shown;
    s.spec->n_shown = 1;
    sample_open(&s, "ID,TIME,AMT,CMT\n1,0,9,7\n");
    sample_says(&s, 1, ":2:7: error: CMT '7' is outside the model");
    sample_free(&s);
}

static const char patch_drug[] =
    "model: alpha\ntitle: a patch by default\nparameters:\n  V: {value: 21.7 L, grade: assumption}\n"
    "  k: {value: 0.1 1/h, grade: assumption}\ncompartments:\n  skin: {}\n  central: {volume: V, default: observe}\n"
    "flows:\n  - skin -> central: k\n  - central -> out: k\nroutes:\n"
    "  patch: {patch: {content: \"72 h * nominal\", release: k, into: [skin], fractions: [1]}, default: dose}\n"
    "outputs:\n  Cp: {value: central / V, unit: ng/mL, label: plasma concentration}\n";

static const char split_drug[] =
    "model: alpha\ntitle: two ways in\nparameters:\n  V: {value: 21.7 L, grade: assumption}\n"
    "  k: {value: 0.1 1/h, grade: assumption}\n  D: {value: 3 h, grade: assumption}\ncompartments:\n  gut: {}\n"
    "  central: {volume: V, default: observe}\nflows:\n  - gut -> central: k\n  - central -> out: k\nroutes:\n"
    "  oral:\n    - {into: gut, fraction: 0.3, default: dose}\n    - {into: central, fraction: 0.7, zero_order: D}\n"
    "outputs:\n  Cp: {value: central / V, unit: ng/mL, label: plasma concentration}\n";

static void default_routes(void **state)
{
    (void)state;
    struct sample s = sample_study(patch_drug, NULL);
    sample_open(&s, "ID,TIME,AMT,CMT\n1,0,25,.\n1,1,25,0\n1,1,.,.\n1,2,25,skin\n");
    sample_says(&s, 1, ":2:8: error: a dose without CMT goes by the model's default route 'patch', which is a patch");
    sample_free(&s);
    s = sample_study(split_drug, NULL);
    sample_open(&s, "ID,TIME,EVID,AMT,CMT,RATE\n1,0,1,25,.,0\n1,1,8,25,.,0\n1,1,8,0,1,0\n1,2,1,5,.,-2\n");
    sample_says(&s, 2, ":3:10: error: EVID 8 without CMT; a dose without CMT enters this model in several places");
    if (!strstr(s.messages,
                ":5:11: error: RATE -2 takes the duration from the model, but its default route oral states none"))
        fail_msg("%s", s.messages);
    sample_free(&s);
    s = silent("ID,TIME,EVID,AMT\n1,0,8,25\n"); /* one place only */
    assert_true(hl_data_facts(s.set)->default_dosed && hl_data_facts(s.set)->doses == 0);
    sample_free(&s);
}

/* ---- Individuals ---- */

static void individuals(void **state)
{
    (void)state;
    struct sample s = sample_read("ID,TIME,AMT\n7,0,1\n7.0,1,0\nP-01,0,1\nP-01,1,0\np-01,0,1\n8,5,1\n7,9,1\n");
    sample_says(&s, 1, ":8:1: warning: ID 7 comes back");
    static const char *const ids[] = {"7", "P-01", "p-01", "8", "7"};
    static const size_t n[] = {2, 2, 1, 1, 1};
    for (size_t i = 0; i < 5; i++) {
        const struct hl_individual *x = sample_next(&s);
        assert_string_equal(x->id_text, ids[i]);
        assert_true(x->n == n[i] && x->number == i + 1 && x->ID == (double)(i + 1)); /* some IDs are texts */
        assert_true(x->column[0] == (double)((size_t[]){0, 2, 3, 4, 0})[i]);
    }
    const struct hl_data_column_info *c = hl_data_facts(s.set)->column;
    assert_int_equal(c[0].kind, HL_COLUMN_TEXT);
    assert_int_equal(c[0].n_texts, 5);
    assert_string_equal(c[0].text[1], "7.0");
    sample_free(&s);
    s = sample_read("TIME,AMT\n0,5\n1,0\n");
    const struct hl_individual *x = sample_next(&s);
    assert_true(x->n == 2 && x->ID == 1.0 && x->number == 1);
    assert_string_equal(x->id_text, "1");
    sample_free(&s);
}

/* ---- Columns ---- */

static void columns(void **state)
{
    (void)state;
    struct sample s =
        silent("ID,TIME,AMT,whole,gaps,big,text,mixed\n"
               "1,0.0,1,3,3,1e10,drug A,1\n1,1,1,-4,.,2,,2.0\n1,2.0,1,5.0,4,3,drug B,x\n1,3,1,7,8,1,drug A,1\n");
    static const enum hl_column_kind kind[] = {HL_COLUMN_WHOLE,  HL_COLUMN_WHOLE,  HL_COLUMN_WHOLE, HL_COLUMN_WHOLE,
                                               HL_COLUMN_NUMBER, HL_COLUMN_NUMBER, HL_COLUMN_TEXT,  HL_COLUMN_TEXT};
    static const double text[] = {0, NAN, 1, 0}, mixed[] = {0, 1, 2, 0};
    const struct hl_data_column_info *c = hl_data_facts(s.set)->column;
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(c[i].kind, kind[i]);
    assert_true(c[6].n_texts == 2 && c[7].n_texts == 3 && c[7].item == NULL);
    assert_string_equal(c[6].text[1], "drug B");
    assert_string_equal(c[7].text[1], "2.0");
    const struct hl_individual *x = sample_next(&s);
    for (size_t i = 0; i < 4; i++) {
        double t = x->column[8 * i + 6];
        assert_true(isnan(text[i]) ? isnan(t) : t == text[i]);
        assert_true(x->column[8 * i + 7] == mixed[i]);
    }
    sample_free(&s);
}

/* More texts than are kept: a warning, and no values; IDs go by their number. */
static void too_many_texts(void **state)
{
    (void)state;
    char *text;
    size_t n;
    for (int most = 256; most <= 257; most++) {
        FILE *f = open_memstream(&text, &n);
        fputs("ID,TIME,AMT,remark\n", f);
        for (int i = 0; i < most; i++)
            fprintf(f, "P%d,0,1,remark %d\n", i, i);
        fclose(f);
        struct sample s = sample_read(text);
        sample_says(&s, most > 256,
                    most > 256 ? ":1:13: warning: column 'remark' has more than 256 different texts" : NULL);
        assert_int_equal(hl_data_facts(s.set)->column[3].n_texts, most > 256 ? 0 : 256);
        assert_int_equal(hl_data_facts(s.set)->column[0].n_texts, most > 256 ? 0 : 256);
        for (int i = 0; i < most; i++) {
            const struct hl_individual *x = sample_next(&s);
            assert_true(x->ID == i + 1.0 && x->column[0] == (most > 256 ? i + 1.0 : i));
            assert_true(most > 256 ? isnan(x->column[3]) : x->column[3] == i);
        }
        sample_free(&s);
        free(text);
    }
}

/* ---- Files ---- */

static void ways_of_writing(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "ID,TIME,AMT,X\n1,0,5,a\n1,1,,b\n2,0,5,a\n",
        "ID,TIME,AMT,X\r\n1,0,5,a\r\n1,1,,b\r\n2,0,5,a\r\n",
        "\xEF\xBB\xBFID;TIME;AMT;X\n1;0;5;a\n1;1;;b\n2;0;5;a\n",
        "id\ttime\tamt\tx\n1\t0\t5\ta\n1\t1\t\tb\n2\t0\t5\ta",
        "\"ID\",\"TIME\",\"AMT\",\"X\"\r\n\"1\",\"0\",\"5\",\"a\"\r\n 1 , 1 ,.,\"b\"\r\n2,0,5,a\r\n",
        ("# a comment, with commas\n\nID,TIME,AMT,X\n#1,9,9,9,9,9\n1,0,5,a\n   \n,,,\n1,1,,b\n  # "
         "more\n2,0,5,a\n,,,\n\n")};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct sample s = silent(texts[i]);
        const struct hl_individual *x = sample_next(&s);
        assert_true(x->n == 2 && x->record[0].AMT == 5.0 && x->record[1].TIME == 1.0 && x->column[4 + 3] == 1.0);
        x = sample_next(&s);
        assert_true(x->n == 1 && x->ID == 2.0 && x->record[0].AMT == 5.0);
        char wanted[65];
        hl_digest_hex(texts[i], strlen(texts[i]), wanted);
        assert_string_equal(hl_data_facts(s.set)->sha256, wanted);
        sample_free(&s);
    }
}

static void missing_and_ignored(void **state)
{
    (void)state;
    static const char *missing[] = {"NA", "-99", "BLQ"};
    struct sample s = sample_study(sample_drug, NULL);
    s.spec->missing = missing;
    s.spec->n_missing = 3;
    s.spec->ignore = "@!";
    sample_open(
        &s, "ID,TIME,AMT,DV,X,WT\n! no, row\nID,TIME,AMT,DV,X,WT\n1,0,NA,-99.0,NA,70\n1,1,0,BLQ,3,70\n1,2,0,1,4,-99\n");
    sample_says(&s, 1,
                ":6:11: note: 1 missing value of WT in 1 individual: filled with the next known one of the "
                "individual, else the last");
    const struct hl_individual *x = sample_next(&s);
    assert_true(x->n == 3 && isnan(x->record[0].DV) && isnan(x->record[1].DV) && x->record[2].DV == 1.0);
    assert_true(x->record[0].EVID == 0 && x->record[1].MDV == 1 && x->covariate[6] == 70.0);
    assert_true(isnan(x->column[4]) && hl_data_facts(s.set)->column[4].kind == HL_COLUMN_NUMBER);
    sample_free(&s);
}

/* A thousand faulty rows: a hundred are shown, the rest is counted. */
static void many_faults(void **state)
{
    (void)state;
    char *text;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    fputs("ID,TIME,AMT\n", f);
    for (int i = 0; i < 1000; i++)
        fprintf(f, "1,%d,x\n", i);
    fclose(f);
    struct sample s = sample_read(text);
    sample_says(&s, 101, ":1001: error: this data set has 1000 faults; the first 100 are shown");
    assert_null(s.set);
    assert_non_null(strstr(s.messages, ":101:6: error:"));
    assert_null(strstr(s.messages, ":102:6: error:"));
    sample_free(&s);
    free(text);
}

static void files_that_are_none(void **state)
{
    (void)state;
    static const struct {
        const char *path, *message;
    } cases[] = {{"no/such/file.csv", "no/such/file.csv: error: can't open: No such file"},
                 {"-", "error: a data set is read twice, which standard input can't be; save it to a file first"},
                 {"/dev/null", "error: a data set is read twice, which /dev/null can't be"},
                 {"/tmp", "error: can't read: Is a directory"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sample s = {.diag = hl_diag_create()};
        assert_null(hl_data_open_alone(cases[i].path, s.diag));
        sample_take_messages(&s);
        if (!strstr(s.messages, cases[i].message))
            fail_msg("expected \"%s\" in\n%s", cases[i].message, s.messages);
        sample_free(&s);
    }
}

/* Nothing is said of what only a model knows. */
static void a_file_alone(void **state)
{
    (void)state;
    struct sample s =
        sample_alone("ID,TIME,AMT,CMT,RATE,WT,OCC,SEX\n1,0,5,99,-2,.,1,female\n1,1,.,centre,.,7,.,male\n");
    sample_says(&s, 0, NULL);
    const struct hl_data_facts *f = hl_data_facts(s.set);
    assert_true(f->records == 2 && !f->has_covariate_column && f->column[5].covariate == -1 && f->has_occasions);
    const struct hl_individual *x = sample_next(&s);
    assert_true(x->record[0].CMT == 99 && x->record[0].compartment == -1 && x->record[1].CMT == 0);
    sample_free(&s);
}

/* ---- The second reading ---- */

/* One individual of many records between short ones; rewinding; a copy that outlives the rest. */
static void long_individuals_and_copies(void **state)
{
    (void)state;
    char *text;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    fputs("ID,TIME,AMT,WT\n1,0,2.5,70\n", f);
    for (int i = 0; i < 20000; i++)
        fprintf(f, "2,%d.5,%d,%d\n", i, i % 7, 60 + i % 11);
    fputs("3,0,2.5,70\n3,1,0,71\n", f);
    fclose(f);
    struct sample s = silent(text);
    struct hl_individual *copy = NULL;
    assert_int_equal(hl_data_facts(s.set)->longest, 20000);
    assert_true(hl_data_facts(s.set)->varies[0]);
    for (int pass = 0; pass < 3; pass++) {
        const struct hl_individual *x = sample_next(&s);
        assert_true(x->n == 1 && x->number == 1);
        x = sample_next(&s);
        assert_true(x->n == 20000 && x->record[19999].TIME == 19999.5 && x->record[8].AMT == 1.0);
        assert_true(x->covariate[3 * 12] == 61.0 && x->column[4 * 19999 + 3] == 60 + 19999 % 11);
        if (pass == 0)
            copy = hl_individual_copy(s.set, x);
        if (pass == 1) { /* in the middle of the file */
            assert_int_equal(hl_data_rewind(s.set, s.diag), HL_OK);
            continue;
        }
        x = sample_next(&s);
        assert_true(x->n == 2 && x->number == 3);
        enum hl_status status;
        assert_null(hl_data_next(s.set, &status, s.diag));
        assert_int_equal(status, HL_OK);
        assert_int_equal(hl_data_rewind(s.set, s.diag), HL_OK);
    }
    hl_memory_fail_after(1);
    assert_null(hl_individual_copy(s.set, copy));
    hl_memory_fail_after(0);
    sample_free(&s);
    assert_true(copy->n == 20000 && copy->record[19999].row == 20002 && copy->covariate[3 * 12] == 61.0);
    assert_string_equal(copy->id_text, "2");
    hl_individual_free(copy);
    hl_individual_free(NULL);
    free(text);
}

/* The file changes between the readings: at the latest its digest tells. */
static void a_file_that_changes(void **state)
{
    (void)state;
    static const char first[] = "ID,TIME,AMT\n1,0,5\n1,1,0\n2,0,5\n2,1,0\n";
    static const struct {
        const char *text;
        size_t good;
    } later[] = {{"ID,TIME,AMT\n1,0,5\n1,1,0\n2,0,6\n2,1,0\n", 2},
                 {"ID,TIME,AMT\n1,0,5\n1,1,0\n", 1},
                 {"ID,TIME,AMT\n1,0,5\n1,1,0\n2,0,6\n2,x,0\n", 1},
                 {"ID,TIME,AMT\n1,0,5\n1,1,0\n1,2,0\n2,1,0\n", 0},
                 {"ID,TIME,AMT\n1,0,5\n1,1,0\n2,0,6\n2,1,0\n2,2,0\n2,3,0\n", 1},
                 {"ID,TIME\n1,0\n", 0},
                 {"", 0}};
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        struct sample s = silent(first);
        enum hl_status status = HL_OK;
        size_t good = 0;
        sample_write(later[i].text, strlen(later[i].text));
        while (hl_data_next(s.set, &status, s.diag))
            good++;
        sample_take_messages(&s);
        if (good != later[i].good || (status != HL_ERR_IO && *later[i].text) || status == HL_OK)
            fail_msg("case %zu: %zu individuals, status %d\n%s", i, good, (int)status, s.messages);
        if (*later[i].text && !strstr(s.messages, "the data set has changed since it was checked"))
            fail_msg("case %zu: %s", i, s.messages);
        sample_free(&s);
    }
    struct sample s = silent(first);
    enum hl_status status;
    unlink(sample_path);
    assert_null(hl_data_next(s.set, &status, s.diag));
    assert_int_equal(status, HL_ERR_IO);
    sample_free(&s);
}

/* ---- A simple second reading ---- */

static uint64_t seed;

static unsigned draw(unsigned below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((seed >> 33) % below);
}

/* A table of records that no rule forbids, with missing cells and gaps in the weight. */
static void random_table(FILE *f)
{
    fputs("ID,TIME,EVID,AMT,RATE,CMT,ADDL,II,SS,DV,WT\n", f);
    int individuals = 1 + (int)draw(6);
    for (int i = 0; i < individuals; i++) {
        double time = draw(30) / 7.0;
        int records = 1 + (int)draw(12), known = (int)draw((unsigned)records);
        for (int k = 0; k < records; k++, time += draw(4) ? draw(1000) / 131.0 : 0.0) {
            static const char *const nothing[] = {"0", ".", "", "0.0"};
            const char *no = nothing[draw(4)];
            bool dose = draw(3) == 0, series = draw(2), steady = draw(2);
            fprintf(f, "%d,%.9g,%s,", i + 1, time, dose ? draw(2) ? "1" : "4" : draw(2) ? "0" : "2");
            if (dose)
                fprintf(f, "%.5g,%s,%u,%s,%s,%s,", 1 + draw(5000) / 17.0, draw(2) ? "0" : "12.25", draw(4),
                        series ? "3" : no, series || steady ? "12" : "0", steady ? "1" : no);
            else
                fprintf(f, "%s,%s,%u,%s,%s,%s,", no, no, draw(4), no, no, no);
            fprintf(f, "%s,", draw(2) ? "." : "3.25");
            if (k == known || draw(2))
                fprintf(f, "%u.5\n", 40 + draw(60));
            else
                fprintf(f, "%s\n", draw(2) ? "." : "");
        }
    }
}

/* Fields of a line by position; missing ones are NaN. */
static void plain_fields(char *line, double *value)
{
    for (int c = 0; c < 11; c++) {
        char *end = line + strcspn(line, ",\n"), separator = *end;
        *end = '\0';
        value[c] = *line == '\0' || strcmp(line, ".") == 0 ? (double)NAN : strtod(line, NULL);
        *end = separator;
        line = end + 1;
    }
}

static double or_zero(double value)
{
    return isnan(value) ? 0.0 : value;
}

static void compare_record(const struct hl_record *r, const double *v, size_t line)
{
    bool same = r->row == line && r->TIME == v[1] && r->EVID == (int)v[2] && r->AMT == or_zero(v[3]) &&
                r->RATE == or_zero(v[4]) && r->CMT == (int)v[5] && r->compartment == (int)v[5] - 1 &&
                (double)r->ADDL == or_zero(v[6]) && r->II == or_zero(v[7]) && r->SS == (int)or_zero(v[8]) &&
                (isnan(v[9]) ? isnan(r->DV) : r->DV == v[9]) && r->MDV == (v[2] != 0.0 || isnan(v[9]));
    if (!same)
        fail_msg("line %zu differs (HL_SEED leads to this table)", line);
}

static void random_tables(void **state)
{
    (void)state;
    const char *given = getenv("HL_SEED");
    seed = given ? strtoull(given, NULL, 10) : 20211009;
    print_message("HL_SEED=%llu\n", (unsigned long long)seed);
    for (int round = 0; round < 300; round++) {
        char *text;
        size_t n;
        FILE *f = open_memstream(&text, &n);
        random_table(f);
        fclose(f);
        char *at = strchr(text, '\n') + 1;
        struct sample s = sample_read(text);
        if (!s.set || strstr(s.messages, "warning"))
            fail_msg("round %d: %s\n%s", round, s.messages, text);
        enum hl_status status;
        const struct hl_individual *x;
        size_t line = 2;
        while ((x = hl_data_next(s.set, &status, s.diag)) != NULL)
            for (size_t i = 0; i < x->n; i++, line++) {
                double v[11], next[11];
                plain_fields(at, v);
                compare_record(&x->record[i], v, line);
                assert_true(x->ID == v[0] && x->column[11 * i] == v[0]);
                double wanted = v[10]; /* the next one of the individual, else the last */
                char *ahead = at;
                for (size_t k = i; isnan(wanted) && k < x->n; k++, ahead = strchr(ahead, '\n') + 1) {
                    plain_fields(ahead, next);
                    wanted = next[10];
                }
                if (isnan(wanted))
                    wanted = x->covariate[3 * (i - 1)];
                assert_true(x->covariate[3 * i] == wanted);
                at = strchr(at, '\n') + 1;
            }
        assert_int_equal(status, HL_OK);
        assert_true(*at == '\0' && line == hl_data_facts(s.set)->records + 2);
        sample_free(&s);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item),
        cmocka_unit_test(events_are_derived),
        cmocka_unit_test(given_durations),
        cmocka_unit_test(units_in_the_header),
        cmocka_unit_test(columns_of_the_study),
        cmocka_unit_test(statements_that_lead_nowhere),
        cmocka_unit_test(moles),
        cmocka_unit_test(two_drugs),
        cmocka_unit_test(observed_numbers),
        cmocka_unit_test(default_routes),
        cmocka_unit_test(individuals),
        cmocka_unit_test(columns),
        cmocka_unit_test(too_many_texts),
        cmocka_unit_test(ways_of_writing),
        cmocka_unit_test(missing_and_ignored),
        cmocka_unit_test(many_faults),
        cmocka_unit_test(files_that_are_none),
        cmocka_unit_test(a_file_alone),
        cmocka_unit_test(long_individuals_and_copies),
        cmocka_unit_test(a_file_that_changes),
        cmocka_unit_test(random_tables),
    };
    return cmocka_run_group_tests(tests, sample_start, sample_stop);
}
