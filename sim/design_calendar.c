/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person would take home of a designed taper: a calendar as text, and the same as pages of A4. */
#include <errno.h>
#include <string.h>

#include "build_info.h"
#include "design_parts.h"
#include "taper/calendar.h"
#include "taper/sheet.h"

static enum hl_status close_file(struct hl_design *design, FILE *file, const char *path, enum hl_status status)
{
    bool closed = fclose(file) == 0;
    if (status == HL_OK && closed)
        return HL_OK;
    hl_diag_error(design->diag, hl_pos_none(), "'%s' can't be written: %s", path, strerror(errno));
    return HL_ERR_IO;
}

static FILE *open_file(struct hl_design *design, const char *path)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        hl_diag_error(design->diag, hl_pos_none(), "'%s' can't be written: %s", path, strerror(errno));
    return file;
}

enum hl_status hl_design_write_calendar(struct hl_design *design)
{
    const struct hl_study *study = design->study;
    struct hl_calendar *calendar;
    if (design->result.schedule.n == 0) /* stopped at once: nothing to take home */
        return HL_OK;
    struct hl_calendar_options options = {
        .title = "Designed taper", .origin = study->origin, .end = design->end,
        .identity = hl_arena_printf(design->arena, "%s · seed %llu · halflife %s", study->title,
                                    (unsigned long long)study->seed, HL_VERSION),
        .dated = design->options->dated, .start = design->options->start};
    enum hl_status status = hl_calendar_of_schedule(design->arena, design->problem, &design->result.schedule, &options,
                                                    &calendar, design->diag);
    FILE *text = status == HL_OK ? open_file(design, design->calendar_file) : NULL;
    FILE *pages = text ? open_file(design, design->pages_file) : NULL;
    if (status == HL_OK && (!text || !pages))
        status = HL_ERR_IO;
    if (text)
        status = close_file(design, text, design->calendar_file,
                            status == HL_OK ? hl_calendar_write_text(calendar, text) : status);
    if (pages)
        status = close_file(design, pages, design->pages_file,
                            status == HL_OK ? hl_sheet_write_pdf(hl_calendar_pages(design->arena, calendar), pages)
                                            : status);
    return status;
}
