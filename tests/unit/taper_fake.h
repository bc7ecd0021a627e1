/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tapers made from text, for the tests of their schedules. */
#ifndef HL_UNIT_TAPER_FAKE_H
#define HL_UNIT_TAPER_FAKE_H

#include "regimen/taper.h"
#include "unit/regimen_fake.h"

/* What `taper:` says; NULL with messages. Text that is no YAML fails the test. */
static struct hl_taper *tapered(const char *text)
{
    struct hl_yaml *node = hl_yaml_load_text(arena, "s.yaml", text, diag);
    if (!node)
        fail_msg("%s", messages());
    return hl_taper_make(arena, node, diag);
}

/* The same; a fault in it fails the test. */
static struct hl_taper *made(const char *text)
{
    struct hl_taper *taper = tapered(text);
    if (!taper)
        fail_msg("%s\n%s", text, messages());
    return taper;
}

#endif
