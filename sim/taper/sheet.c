/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two small writers of the same drawing. SVG 1.1 in millimetres, with a viewBox in which a unit is one. PDF 1.4 without
 * compression: a catalogue, the pages, the standard fonts Helvetica and Helvetica-Bold, which every reader has; there y
 * runs upwards and lengths are points, 1/72 inch.
 *
 * Widths of letters are those of Adobe's metrics of Helvetica (Core 14 AFM files), in thousandths of the type's size.
 * Numbers are written with two decimals, so that equal calendars are equal files. */
#include "taper/sheet.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

enum kind { BOX, WORDS };

struct item {
    enum kind kind;
    double x, y, wide, high, line_width;
    int fill, line;
    enum hl_sheet_side side;
    struct hl_sheet_type type;
    const char *words;
};

struct page { size_t n, capacity; struct item *item; };

struct hl_sheet {
    struct hl_arena *arena;
    const char *title;
    size_t n, capacity; struct page *page;
};

struct hl_sheet *hl_sheet_create(struct hl_arena *arena, const char *title)
{
    struct hl_sheet *sheet = hl_arena_alloc(arena, 1, sizeof *sheet);
    *sheet = (struct hl_sheet){.arena = arena, .title = title};
    return sheet;
}

void hl_sheet_add_page(struct hl_sheet *sheet)
{
    sheet->page = hl_arena_push(sheet->arena, sheet->page, sheet->n, &sheet->capacity, sizeof *sheet->page);
    sheet->page[sheet->n++] = (struct page){0};
}

size_t hl_sheet_pages(const struct hl_sheet *sheet)
{
    return sheet->n;
}

static void add(struct hl_sheet *sheet, struct item item)
{
    struct page *page = &sheet->page[sheet->n - 1];
    page->item = hl_arena_push(sheet->arena, page->item, page->n, &page->capacity, sizeof *page->item);
    page->item[page->n++] = item;
}

void hl_sheet_box(struct hl_sheet *sheet, double x, double y, double wide, double high, int fill, int line,
                  double line_width)
{
    add(sheet, (struct item){.kind = BOX, .x = x, .y = y, .wide = wide, .high = high, .fill = fill, .line = line,
                             .line_width = line_width});
}

void hl_sheet_words(struct hl_sheet *sheet, double x, double y, enum hl_sheet_side side, struct hl_sheet_type type,
                    const char *words)
{
    add(sheet, (struct item){.kind = WORDS, .x = x, .y = y, .side = side, .type = type,
                             .words = hl_arena_strdup(sheet->arena, words)});
}

/* ---- Letters. */

/* The next code point of UTF-8; U+FFFD for what is none. */
static uint32_t next_letter(const unsigned char **at)
{
    uint32_t first = *(*at)++;
    int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;
    if (first < 0x80)
        return first;
    uint32_t letter = first & (0x3Fu >> more);
    for (int i = 0; i < more; i++) {
        if ((**at & 0xC0) != 0x80)
            return 0xFFFD;
        letter = letter << 6 | (*(*at)++ & 0x3Fu);
    }
    return more ? letter : 0xFFFD;
}

/* Its place in Windows-1252, which has Latin-1 and some signs of print; '?' for what it lacks. */
static unsigned char narrow_letter(uint32_t letter)
{
    static const struct { uint32_t letter; unsigned char code; } signs[] = {
        {0x2013, 0x96}, {0x2014, 0x97}, {0x2018, 0x91}, {0x2019, 0x92}, {0x201C, 0x93}, {0x201D, 0x94},
        {0x2022, 0x95}, {0x2026, 0x85}, {0x20AC, 0x80}, {0x3BC, 0xB5},
    };
    if ((letter >= 0x20 && letter < 0x7F) || (letter >= 0xA0 && letter <= 0xFF))
        return (unsigned char)letter;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (signs[i].letter == letter)
            return signs[i].code;
    return '?';
}

static const short plain_width[95] = {
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778,
    722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278,
    278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584};
static const short bold_width[95] = {
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778,
    722, 278, 556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333,
    278, 333, 584, 556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611,
    611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584};

static int letter_width(unsigned char code, bool bold)
{
    /* accented letters are as wide as plain ones */
    static const char plain_of[] = "AAAAAAACEEEEIIIIDNOOOOO+OUUUUYPBaaaaaaaceeeeiiiidnooooo+ouuuuypy";
    if (code >= 0xC0)
        code = (unsigned char)plain_of[code - 0xC0];
    if (code >= 0x20 && code < 0x7F)
        return bold ? bold_width[code - 0x20] : plain_width[code - 0x20];
    return code == 0xBC || code == 0xBD || code == 0xBE ? 834 : code == 0x97 || code == 0x85 ? 1000
         : code == 0xB7 || code == 0x91 || code == 0x92 || code == 0xA0 ? 278 : code == 0xB5 ? 576 : 556;
}

double hl_sheet_length(const char *words, struct hl_sheet_type type)
{
    long sum = 0;
    for (const unsigned char *at = (const unsigned char *)words; *at;)
        sum += letter_width(narrow_letter(next_letter(&at)), type.bold);
    return (double)sum * type.size / 1000;
}

struct hl_sheet_type hl_sheet_fit(const char *words, struct hl_sheet_type type, double wide)
{
    double length = hl_sheet_length(words, type);
    if (length > wide)
        type.size *= wide / length;
    return type;
}

/* ---- SVG. */

static void svg_letters(const char *words, FILE *stream)
{
    for (; *words; words++)
        switch (*words) {
        case '<': fputs("&lt;", stream); break;
        case '>': fputs("&gt;", stream); break;
        case '&': fputs("&amp;", stream); break;
        default:
            if ((unsigned char)*words >= ' ')
                putc(*words, stream);
        }
}

static void svg_colour(const char *name, int colour, FILE *stream)
{
    if (colour == HL_SHEET_NONE)
        fprintf(stream, " %s=\"none\"", name);
    else
        fprintf(stream, " %s=\"#%06X\"", name, (unsigned)colour);
}

static void svg_item(const struct item *item, FILE *stream)
{
    static const char *const anchor[] = {"start", "middle", "end"};
    if (item->kind == BOX) {
        fprintf(stream, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"", item->x, item->y, item->wide,
                item->high);
        svg_colour("fill", item->fill, stream);
        svg_colour("stroke", item->line, stream);
        fprintf(stream, " stroke-width=\"%.2f\"/>\n", item->line_width);
        return;
    }
    fprintf(stream, "<text x=\"%.2f\" y=\"%.2f\" font-size=\"%.2f\" text-anchor=\"%s\"%s stroke=\"none\"", item->x,
            item->y, item->type.size, anchor[item->side], item->type.bold ? " font-weight=\"bold\"" : "");
    svg_colour("fill", item->type.colour, stream);
    putc('>', stream);
    svg_letters(item->words, stream);
    fputs("</text>\n", stream);
}

enum hl_status hl_sheet_write_svg(const struct hl_sheet *sheet, size_t first, size_t n, FILE *stream)
{
    double high = HL_SHEET_HIGH * (double)n;
    fprintf(stream,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" "
            "width=\"%gmm\" height=\"%gmm\" viewBox=\"0 0 %g %g\" "
            "font-family=\"Helvetica, Arial, 'Liberation Sans', sans-serif\">\n<title>",
            HL_SHEET_WIDE, high, HL_SHEET_WIDE, high);
    svg_letters(sheet->title, stream);
    fprintf(stream, "</title>\n<rect width=\"%g\" height=\"%g\" fill=\"#FFFFFF\"/>\n", HL_SHEET_WIDE, high);
    for (size_t p = first; p < first + n; p++) {
        fprintf(stream, "<g class=\"page\" transform=\"translate(0 %g)\">\n", HL_SHEET_HIGH * (double)(p - first));
        for (size_t i = 0; i < sheet->page[p].n; i++)
            svg_item(&sheet->page[p].item[i], stream);
        fputs("</g>\n", stream);
    }
    fputs("</svg>\n", stream);
    return fflush(stream) != 0 || ferror(stream) ? HL_ERR_IO : HL_OK;
}

/* ---- PDF. */

#define POINTS (72 / 25.4)

/* What has been written, and where each object begins. */
struct pdf { FILE *stream; long at; size_t n_objects; long *object; };

static void pdf_write(struct pdf *pdf, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void pdf_write(struct pdf *pdf, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int n = vfprintf(pdf->stream, format, list);
    va_end(list);
    pdf->at += n > 0 ? n : 0;
}

static void pdf_begin(struct pdf *pdf)
{
    pdf->object[pdf->n_objects++] = pdf->at;
    pdf_write(pdf, "%zu 0 obj\n", pdf->n_objects);
}

/* A text in parentheses, Windows-1252, into the arena. */
static const char *pdf_text(struct hl_arena *arena, const char *words)
{
    char *text = hl_arena_alloc(arena, 2 * strlen(words) + 3, 1), *to = text;
    *to++ = '(';
    for (const unsigned char *at = (const unsigned char *)words; *at;) {
        unsigned char code = narrow_letter(next_letter(&at));
        if (code == '(' || code == ')' || code == '\\')
            *to++ = '\\';
        *to++ = (char)code;
    }
    *to++ = ')';
    return text;
}

static const char *pdf_colour(struct hl_arena *arena, int colour, const char *operator)
{
    return hl_arena_printf(arena, "%.3f %.3f %.3f %s", ((colour >> 16) & 255) / 255.0, ((colour >> 8) & 255) / 255.0,
                           (colour & 255) / 255.0, operator);
}

static const char *pdf_box(struct hl_arena *arena, const struct item *item)
{
    const char *fill = item->fill != HL_SHEET_NONE ? pdf_colour(arena, item->fill, "rg\n") : "",
               *line = item->line != HL_SHEET_NONE ? pdf_colour(arena, item->line, "RG\n") : "";
    const char *paint = !*line ? "f" : !*fill ? "S" : "B";
    if (!*fill && !*line)
        return "";
    return hl_arena_printf(arena, "%s%s%.2f w\n%.2f %.2f %.2f %.2f re %s\n", fill, line, item->line_width * POINTS,
                           item->x * POINTS, (HL_SHEET_HIGH - item->y - item->high) * POINTS, item->wide * POINTS,
                           item->high * POINTS, paint);
}

static const char *pdf_words(struct hl_arena *arena, const struct item *item)
{
    double length = hl_sheet_length(item->words, item->type);
    double x = item->x - (item->side == HL_SHEET_LEFT ? 0 : item->side == HL_SHEET_MIDDLE ? length / 2 : length);
    return hl_arena_printf(arena, "BT /F%d %.2f Tf %s %.2f %.2f Td %s Tj ET\n", item->type.bold ? 2 : 1,
                           item->type.size * POINTS, pdf_colour(arena, item->type.colour, "rg"), x * POINTS,
                           (HL_SHEET_HIGH - item->y) * POINTS, pdf_text(arena, item->words));
}

/* Object numbers: catalogue, pages, two fonts, about the document, then of each page itself and its drawing. */
enum { CATALOGUE = 1, PAGES, PLAIN, BOLD, ABOUT, FIRST_PAGE };

static void pdf_frame(struct pdf *pdf, const struct hl_sheet *sheet, struct hl_arena *arena)
{
    pdf_write(pdf, "%%PDF-1.4\n");
    pdf_begin(pdf);
    pdf_write(pdf, "<< /Type /Catalog /Pages %d 0 R >>\nendobj\n", PAGES);
    pdf_begin(pdf);
    pdf_write(pdf, "<< /Type /Pages /Count %zu /Kids [", sheet->n);
    for (size_t p = 0; p < sheet->n; p++)
        pdf_write(pdf, "%zu 0 R ", FIRST_PAGE + 2 * p);
    pdf_write(pdf, "] >>\nendobj\n");
    for (int bold = 0; bold < 2; bold++) {
        pdf_begin(pdf);
        pdf_write(pdf, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica%s /Encoding /WinAnsiEncoding >>\nendobj\n",
                  bold ? "-Bold" : "");
    }
    pdf_begin(pdf);
    pdf_write(pdf, "<< /Title %s /Creator (halflife) >>\nendobj\n", pdf_text(arena, sheet->title));
}

static void pdf_page(struct pdf *pdf, const struct page *page, struct hl_arena *arena)
{
    size_t n = 0;
    const char **drawn = hl_arena_alloc(arena, page->n + 1, sizeof *drawn);
    for (size_t i = 0; i < page->n; i++) {
        drawn[i] = page->item[i].kind == BOX ? pdf_box(arena, &page->item[i]) : pdf_words(arena, &page->item[i]);
        n += strlen(drawn[i]);
    }
    pdf_begin(pdf);
    pdf_write(pdf,
              "<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %.2f %.2f] /Contents %zu 0 R\n"
              "/Resources << /Font << /F1 %d 0 R /F2 %d 0 R >> >> >>\nendobj\n",
              PAGES, HL_SHEET_WIDE * POINTS, HL_SHEET_HIGH * POINTS, pdf->n_objects + 1, PLAIN, BOLD);
    pdf_begin(pdf);
    pdf_write(pdf, "<< /Length %zu >>\nstream\n", n);
    for (size_t i = 0; i < page->n; i++)
        pdf_write(pdf, "%s", drawn[i]);
    pdf_write(pdf, "endstream\nendobj\n");
}

enum hl_status hl_sheet_write_pdf(const struct hl_sheet *sheet, FILE *stream)
{
    struct hl_arena *arena = hl_arena_create();
    if (!arena)
        return HL_ERR_MEMORY;
    struct pdf pdf = {.stream = stream};
    pdf.object = hl_arena_alloc(arena, FIRST_PAGE + 2 * sheet->n, sizeof *pdf.object);
    pdf_frame(&pdf, sheet, arena);
    for (size_t p = 0; p < sheet->n; p++)
        pdf_page(&pdf, &sheet->page[p], arena);
    long xref = pdf.at;
    pdf_write(&pdf, "xref\n0 %zu\n0000000000 65535 f \n", pdf.n_objects + 1);
    for (size_t i = 0; i < pdf.n_objects; i++)
        pdf_write(&pdf, "%010ld 00000 n \n", pdf.object[i]);
    pdf_write(&pdf, "trailer\n<< /Size %zu /Root %d 0 R /Info %d 0 R >>\nstartxref\n%ld\n%%%%EOF\n", pdf.n_objects + 1,
              CATALOGUE, ABOUT, xref);
    hl_arena_free(arena);
    return fflush(stream) != 0 || ferror(stream) ? HL_ERR_IO : HL_OK;
}
