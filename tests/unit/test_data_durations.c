/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stated duration from the table to the pump: DUR holds whatever F is and whichever of rate and duration F scales,
 * while a stated RATE follows bioavailability_scales. */
#include <math.h>

#include "data_sample.h"
#include "regimen/intake.h"

static const char half_drug[] =
    "model: alpha\ntitle: bioavailability 0.37, by two parts\nparameters:\n  V: {value: 21.7 L, grade: assumption}\n"
    "  k: {value: 0.1 1/h, grade: assumption}\n  F: {value: 0.37, grade: assumption}\ncompartments:\n"
    "  central: {volume: V, default: observe}\n  depot: {}\nflows:\n  - central -> out: k\n  - depot -> central: "
    "k\nroutes:\n"
    "  sc:\n    - {into: depot, bioavailability: F, fraction: 0.6, default: dose}\n"
    "    - {into: depot, bioavailability: F, fraction: 0.4}\n"
    "outputs:\n  Cp: {value: central / V, unit: ng/mL, label: plasma concentration}\n";

static void close_to(double found, double wanted, const char *what)
{
    if (!(fabs(found - wanted) <= 1e-14 * fabs(wanted)))
        fail_msg("%s is %.17g, expected %.17g", what, found, wanted);
}

static void a_stated_duration_holds(void **state)
{
    (void)state;
    struct sample s = sample_study(half_drug, NULL);
    sample_open(&s, "ID,TIME,AMT,RATE,DUR\n1,0,113,.,2.3\n1,0,113,49.13043478,.\n");
    sample_says(&s, 0, NULL);
    const struct hl_individual *x = sample_next(&s);
    double *regs = hl_arena_alloc(s.arena, s.study.system->n_regs, sizeof *regs);
    hl_system_reset(s.study.system, regs, 1);
    struct hl_intake *intake = hl_arena_alloc(s.arena, hl_intake_most(s.study.system), sizeof *intake);
    for (int scales_rate = 0; scales_rate < 2; scales_rate++)
        for (size_t k = 0; k < 2; k++) {
            char fault[160] = "";
            size_t n;
            assert_true(
                hl_intake_read(s.study.system, regs, &x->record[k], k, scales_rate, intake, &n, fault, sizeof fault));
            assert_int_equal(n, 2);
            for (size_t part = 0; part < 2; part++) {
                double fraction = part ? 0.4 : 0.6, F = 0.37;
                bool holds = k == 0 || scales_rate; /* the time holds, and F changes the rate */
                double rate = k == 0 ? 113.0 / 2.3 : 49.13043478, time = k == 0 ? 2.3 : 113.0 / 49.13043478;
                close_to(intake[part].amount, F * fraction * 113.0, "amount");
                close_to(intake[part].rate, (holds ? F : 1.0) * fraction * rate, "rate");
                close_to(intake[part].duration, (holds ? 1.0 : F) * time, "duration");
                assert_true(k == 1 || intake[part].duration == 2.3); /* to the last bit */
            }
        }
    sample_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stated_duration_holds),
    };
    return cmocka_run_group_tests(tests, sample_start, sample_stop);
}
