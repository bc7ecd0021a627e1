/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sheets of A4: boxes, lines and words placed in millimetres from the top left corner, kept page by page and written as
 * SVG or PDF, which look the same. Type is Helvetica, or a face of the same widths (Arial, Liberation Sans, Nimbus). */
#ifndef HL_TAPER_SHEET_H
#define HL_TAPER_SHEET_H

#include <stdbool.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/status.h"

#define HL_SHEET_WIDE 210.0 /* mm */
#define HL_SHEET_HIGH 297.0

#define HL_SHEET_NONE (-1) /* no colour: not drawn */

struct hl_sheet;

enum hl_sheet_side { HL_SHEET_LEFT, HL_SHEET_MIDDLE, HL_SHEET_RIGHT };

/* How words look: height of the type [mm], colour as 0xRRGGBB. */
struct hl_sheet_type { double size; bool bold; int colour; };

/* No pages yet. title: of the document. */
struct hl_sheet *hl_sheet_create(struct hl_arena *arena, const char *title);

/* A new page; everything goes to the last one. */
void hl_sheet_add_page(struct hl_sheet *sheet);
size_t hl_sheet_pages(const struct hl_sheet *sheet);

/* A rectangle with its upper left corner at x, y; a line's width in mm. */
void hl_sheet_box(struct hl_sheet *sheet, double x, double y, double wide, double high, int fill, int line,
                  double line_width);

/* One line of words whose baseline is at y; x is its left end, middle or right end. */
void hl_sheet_words(struct hl_sheet *sheet, double x, double y, enum hl_sheet_side side, struct hl_sheet_type type,
                    const char *words);

/* How long words are [mm]. */
double hl_sheet_length(const char *words, struct hl_sheet_type type);

/* The type, made smaller where words would be longer than wide. */
struct hl_sheet_type hl_sheet_fit(const char *words, struct hl_sheet_type type, double wide);

/* Pages first .. first + n - 1 as one drawing, below one another. HL_ERR_IO. */
enum hl_status hl_sheet_write_svg(const struct hl_sheet *sheet, size_t first, size_t n, FILE *stream);

/* All pages as one document. Letters that Windows-1252 lacks are written as question marks. HL_ERR_IO. */
enum hl_status hl_sheet_write_pdf(const struct hl_sheet *sheet, FILE *stream);

#endif
