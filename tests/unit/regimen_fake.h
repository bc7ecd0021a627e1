/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two drugs made by hand, with every kind of route, for the tests of sim/regimen: they need no model file.
 *
 *   clonazepam  oral      gut, F 0.9, lag 0.25 h (individual)         iv   central          drops  gut
 *               slow      gut, F 0.9, lag 0.25 h (individual), released by its own course
 *   fentanyl    iv        central                                     sc   depot, modelled rate 0.037 mg/h, F 0.8
 *               lozenge   0.22 zero order over 0.25 h + 0.25 at once with lag 0.1 h
 *               patch     content 168 h * nominal, release 0.0103 then (from 30 h) 0.02, lag 2 h
 *               tape      content 0.64 * nominal [mg], release 0.0297, lag 2 h, wear 24 h
 *               reservoir nominal rate in two parts 0.67 and 0.33, lag 1.5 h */
#ifndef HL_TEST_REGIMEN_FAKE_H
#define HL_TEST_REGIMEN_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "model/ops.h"
#include "regimen/regimen.h"
#include "printed.h"

#define LANES 4

enum { GUT, CENTRAL, F_CENTRAL, F_DEPOT, F_MOUTH, F_PATCH1, F_PATCH2, F_TAPE, F_SKIN1, F_SKIN2, N_STATES };
enum { ORAL, IV, DROPS, SLOW, F_IV, F_SC, F_LOZENGE, F_PATCH, F_TAPE_ROUTE, F_RESERVOIR, N_ROUTES };
enum {
    R_F,
    R_LAG,
    R_SC_F,
    R_SC_RATE,
    R_TM,
    R_GI,
    R_D,
    R_GI_LAG,
    R_REL1,
    R_REL2,
    R_UNTIL,
    R_PLAG,
    R_RELT,
    R_NOM,
    R_CONTENT,
    R_168,
    R_064,
    R_FAST,
    R_SLOW,
    R_RLAG,
    R_ETA,
    R_TVLAG,
    N_REGS
};

static struct hl_arena *arena;
static struct hl_diag *diag;
static struct hl_system fake_system;
static const struct hl_release fake_release;
static struct hl_study fake_study;
static double fake_time[2] = {0, 1000};
static double fake_regs[N_REGS * LANES];

static struct hl_route_part part_of(int state)
{
    return (struct hl_route_part){
        .state = state, .fraction_reg = -1, .bioavailability_reg = -1, .lag_reg = -1, .input_reg = -1};
}

static void make_routes(void)
{
    static struct hl_route_part oral[1], iv[1], drops[1], slow[1], fiv[1], sc[1], lozenge[2], reservoir[2];
    static struct hl_patch_phase patch[2], tape[1];
    static struct hl_instruction patch_content, tape_content;
    static struct hl_route route[N_ROUTES];
    oral[0] = drops[0] = part_of(GUT);
    oral[0].bioavailability_reg = R_F;
    oral[0].lag_reg = R_LAG;
    slow[0] = oral[0];
    slow[0].input = HL_INPUT_RELEASE;
    slow[0].release = &fake_release;
    iv[0] = part_of(CENTRAL);
    fiv[0] = part_of(F_CENTRAL);
    sc[0] = part_of(F_DEPOT);
    sc[0].input = HL_INPUT_RATE;
    sc[0].input_reg = R_SC_RATE;
    sc[0].bioavailability_reg = R_SC_F;
    lozenge[0] = part_of(F_MOUTH);
    lozenge[0].fraction_reg = R_TM;
    lozenge[0].input = HL_INPUT_ZERO_ORDER;
    lozenge[0].input_reg = R_D;
    lozenge[1] = part_of(F_DEPOT);
    lozenge[1].fraction_reg = R_GI;
    lozenge[1].lag_reg = R_GI_LAG;
    reservoir[0] = part_of(F_SKIN1);
    reservoir[0].fraction_reg = R_FAST;
    reservoir[1] = part_of(F_SKIN2);
    reservoir[1].fraction_reg = R_SLOW;
    patch[0] = (struct hl_patch_phase){.state = F_PATCH1, .release_reg = R_REL1, .until_reg = R_UNTIL};
    patch[1] = (struct hl_patch_phase){.state = F_PATCH2, .release_reg = R_REL2, .until_reg = -1};
    tape[0] = (struct hl_patch_phase){.state = F_TAPE, .release_reg = R_RELT, .until_reg = -1};
    patch_content = (struct hl_instruction){.op = HL_OP_MUL, .dst = R_CONTENT, .a = R_168, .b = R_NOM, .c = -1};
    tape_content = (struct hl_instruction){.op = HL_OP_MUL, .dst = R_CONTENT, .a = R_064, .b = R_NOM, .c = -1};
    struct hl_dim mg = hl_dim_of("mg"), rate = hl_dim_of("mg/h");
    route[ORAL] = (struct hl_route){.name = "oral", .instance = 0, .n_parts = 1, .part = oral, .dose_dim = mg};
    route[IV] = (struct hl_route){.name = "iv", .instance = 0, .n_parts = 1, .part = iv, .dose_dim = mg};
    route[DROPS] = (struct hl_route){.name = "drops", .instance = 0, .n_parts = 1, .part = drops, .dose_dim = mg};
    route[SLOW] = (struct hl_route){.name = "slow", .instance = 0, .n_parts = 1, .part = slow, .dose_dim = mg};
    route[F_IV] = (struct hl_route){.name = "iv", .instance = 1, .n_parts = 1, .part = fiv, .dose_dim = mg};
    route[F_SC] = (struct hl_route){.name = "sc", .instance = 1, .n_parts = 1, .part = sc, .dose_dim = mg};
    route[F_LOZENGE] =
        (struct hl_route){.name = "lozenge", .instance = 1, .n_parts = 2, .part = lozenge, .dose_dim = mg};
    route[F_PATCH] = (struct hl_route){.name = "patch",
                                       .instance = 1,
                                       .is_patch = true,
                                       .n_phases = 2,
                                       .phase = patch,
                                       .nominal_reg = R_NOM,
                                       .nominal_dim = rate,
                                       .dose_dim = rate,
                                       .content = {1, &patch_content},
                                       .content_reg = R_CONTENT,
                                       .rate_reg = -1,
                                       .lag_reg = R_PLAG,
                                       .default_wear = 72};
    route[F_TAPE_ROUTE] = (struct hl_route){.name = "tape",
                                            .instance = 1,
                                            .is_patch = true,
                                            .n_phases = 1,
                                            .phase = tape,
                                            .nominal_reg = R_NOM,
                                            .nominal_dim = mg,
                                            .dose_dim = mg,
                                            .content = {1, &tape_content},
                                            .content_reg = R_CONTENT,
                                            .rate_reg = -1,
                                            .lag_reg = R_PLAG,
                                            .default_wear = 24};
    route[F_RESERVOIR] = (struct hl_route){.name = "reservoir",
                                           .instance = 1,
                                           .is_patch = true,
                                           .n_parts = 2,
                                           .part = reservoir,
                                           .nominal_reg = R_NOM,
                                           .nominal_dim = rate,
                                           .dose_dim = rate,
                                           .content_reg = -1,
                                           .rate_reg = R_NOM,
                                           .lag_reg = R_RLAG};
    fake_system.n_routes = N_ROUTES;
    fake_system.route = route;
}

static void make_system(void)
{
    static struct hl_model model = {.name = "clonazepam_fake", .molar_mass = 315.72e-6};
    static struct hl_system_instance instance[2];
    static struct hl_system_eta eta[1];
    static struct hl_instruction individual;
    static struct hl_register reg[N_REGS];
    instance[0] =
        (struct hl_system_instance){.alias = "clonazepam", .model = &model, .is_drug = true, .default_route = ORAL};
    instance[1] = (struct hl_system_instance){.alias = "fentanyl", .model = NULL, .is_drug = true, .default_route = -1};
    eta[0] = (struct hl_system_eta){.name = "clonazepam.eta_lag", .reg = R_ETA, .sd = 0.3};
    individual = (struct hl_instruction){.op = HL_OP_MUL, .dst = R_LAG, .a = R_TVLAG, .b = R_ETA, .c = -1};
    fake_system = (struct hl_system){.n_regs = N_REGS,
                                     .reg = reg,
                                     .n_instances = 2,
                                     .instance = instance,
                                     .n_states = N_STATES,
                                     .n_etas = 1,
                                     .eta = eta,
                                     .individual = {1, &individual}};
    make_routes();
    fake_study =
        (struct hl_study){.name = "fake", .origin = 8, .system = &fake_system, .n_times = 2, .time = fake_time};
}

/* Lane 2 holds the numbers above; the others would give different events. */
static void set_registers(void)
{
    static const double value[N_REGS] = {
        [R_F] = 0.9,       [R_LAG] = 0.25,   [R_SC_F] = 0.8,    [R_SC_RATE] = 0.037, [R_TM] = 0.22,   [R_GI] = 0.25,
        [R_D] = 0.25,      [R_GI_LAG] = 0.1, [R_REL1] = 0.0103, [R_REL2] = 0.02,     [R_UNTIL] = 30,  [R_PLAG] = 2,
        [R_RELT] = 0.0297, [R_168] = 168,    [R_064] = 0.64,    [R_FAST] = 0.67,     [R_SLOW] = 0.33, [R_RLAG] = 1.5,
    };
    for (size_t r = 0; r < N_REGS; r++)
        for (size_t lane = 0; lane < LANES; lane++)
            fake_regs[r * LANES + lane] = value[r] * (lane == 2 ? 1 : 1.7);
}

static int begin(void **state)
{
    (void)state;
    arena = hl_arena_create();
    diag = hl_diag_create();
    make_system();
    set_registers();
    return arena && diag ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    hl_diag_free(diag);
    hl_arena_free(arena);
    return 0;
}

static int units_on(void **state)
{
    (void)state;
    return hl_units_start() ? 0 : -1;
}

static int units_off(void **state)
{
    (void)state;
    hl_units_stop();
    return 0;
}

static const char *messages(void)
{
    return printed(diag);
}

/* The regimen of an arm that gives these items of either drug (NULL: none); NULL with messages in diag. */
__attribute__((unused)) static struct hl_regimen *tried(const char *clonazepam, const char *fentanyl)
{
    const struct hl_yaml *prescription[2] = {NULL, NULL};
    if (clonazepam)
        prescription[0] = hl_yaml_load_text(arena, "s.yaml", clonazepam, diag);
    if (fentanyl)
        prescription[1] = hl_yaml_load_text(arena, "s.yaml", fentanyl, diag);
    if ((clonazepam && !prescription[0]) || (fentanyl && !prescription[1]))
        fail_msg("%s", messages());
    struct hl_arm arm = {.name = "arm", .system = &fake_system, .prescription = prescription};
    return hl_regimen_compile(arena, &fake_study, &arm, diag);
}

/* The same for items that must be right. */
__attribute__((unused)) static struct hl_regimen *compiled(const char *clonazepam, const char *fentanyl)
{
    struct hl_regimen *regimen = tried(clonazepam, fentanyl);
    if (!regimen || hl_diag_count(diag, HL_ERROR) > 0)
        fail_msg("%s%s\n%s", clonazepam ? clonazepam : "", fentanyl ? fentanyl : "", messages());
    return regimen;
}

static void assert_near(const char *what, double found, double expected, double tolerance)
{
    if (!(found >= expected - tolerance && found <= expected + tolerance))
        fail_msg("%s is %.17g, expected %.17g within %g", what, found, expected, tolerance);
}

/* That the messages have this one, at this place: "2:14: error: ...". Several texts may be asked for in turn. */
__attribute__((unused)) static void assert_said(const char *said, const char *part)
{
    if (!strstr(said, part))
        fail_msg("expected to read\n  %s\nbut the messages are\n%s", part, said);
}

#endif
