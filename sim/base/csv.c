/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CSV after RFC 4180, one record in memory at a time. The file comes through a buffer of 64 KiB; its first line, looked
 * at before anything is taken, tells the separator: the most frequent of comma, semicolon and tab outside quotes. White
 * space around a field that isn't quoted is not part of it. Empty lines are skipped. A record with too many or too few
 * fields is a fault of its own and the next call goes on with the next record, so that one pass can report them all;
 * after a fault that makes the rest unreadable (an open quote, a NUL, a read error) there is no next record.
 *
 * Most fields of a data set are a few plain characters inside one buffer: a table tells which bytes need no thought,
 * and runs of them are copied at once. */
#include "base/csv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

#define BUFFER_SIZE ((size_t)65536)
#define LONGEST_RECORD ((size_t)1 << 20) /* an open quote must not read a data set of gigabytes into memory */

struct field {
    size_t start; /* of its text in csv->text */
    int line, column;
};

struct hl_csv {
    FILE *file;
    const char *path; /* the caller's, so that positions outlive the reader */
    struct hl_diag *diag;
    struct hl_csv_options options;
    char separator;
    bool plain[256];         /* by byte: belongs to a field and is one ASCII character */
    bool over;               /* nothing more can be read */
    enum hl_status fault;    /* of the record being read */
    unsigned char *buffer;
    size_t at, end;
    int line, column; /* of the next character */
    char *text;       /* the record's fields, each with a NUL */
    size_t n_text, text_capacity;
    struct field *fields;
    size_t n_fields, fields_capacity;
    size_t n_columns;
    char **names;
};

/* ---- Characters ---- */

static bool refill(struct hl_csv *csv)
{
    csv->at = 0;
    csv->end = fread(csv->buffer, 1, BUFFER_SIZE, csv->file);
    hl_digest_add(csv->options.digest, csv->buffer, csv->end);
    if (csv->end == 0 && ferror(csv->file)) {
        hl_diag_error(csv->diag, (struct hl_pos){csv->path, csv->line, 0}, "can't read: %s", strerror(errno));
        csv->fault = HL_ERR_IO;
        csv->over = true;
    }
    return csv->end > 0;
}

static inline int peek(struct hl_csv *csv)
{
    if (csv->at == csv->end && !refill(csv))
        return EOF;
    return csv->buffer[csv->at];
}

/* The next character, with CR LF and a lone CR as '\n', and the count of lines and columns carried on. */
static int take(struct hl_csv *csv)
{
    int c = peek(csv);
    if (c == EOF)
        return EOF;
    csv->at++;
    if (c == '\r') {
        if (peek(csv) == '\n')
            csv->at++;
        c = '\n';
    }
    if (c == '\n') {
        csv->line++;
        csv->column = 1;
    } else if ((c & 0xC0) != 0x80) {
        csv->column++;
    }
    return c;
}

static void fail(struct hl_csv *csv, enum hl_status status, int line, int column, const char *sentence)
{
    if (csv->fault == HL_OK)
        hl_diag_error(csv->diag, (struct hl_pos){csv->path, line, column}, "%s", sentence);
    csv->fault = status;
    csv->over = true;
}

/* ---- Fields ---- */

/* Room for n more characters of the record; false after a fault. */
static bool make_room(struct hl_csv *csv, size_t n)
{
    size_t larger = csv->text_capacity ? csv->text_capacity : 1024;
    while (larger < csv->n_text + n)
        larger *= 2;
    if (larger == csv->text_capacity)
        return true;
    char *text = larger <= 2 * LONGEST_RECORD ? hl_grow(csv->text, csv->n_text, larger, 1) : NULL;
    if (!text && larger > 2 * LONGEST_RECORD)
        fail(csv, HL_ERR_INPUT, csv->line, csv->column,
             "a record of more than a million characters; is a quotation mark left open above?");
    else if (!text)
        fail(csv, HL_ERR_MEMORY, csv->line, csv->column, "not enough memory to read this record");
    if (!text)
        return false;
    csv->text = text;
    csv->text_capacity = larger;
    return true;
}

static inline void keep_character(struct hl_csv *csv, char c)
{
    if (csv->n_text < csv->text_capacity || make_room(csv, 1))
        csv->text[csv->n_text++] = c;
}

/* Takes the plain characters that lie ahead in the buffer. */
static void take_run(struct hl_csv *csv)
{
    size_t n = 0, most = csv->end - csv->at;
    const unsigned char *from = csv->buffer + csv->at;
    while (n < most && csv->plain[from[n]])
        n++;
    if (n == 0 || (csv->n_text + n > csv->text_capacity && !make_room(csv, n)))
        return;
    for (size_t i = 0; i < n; i++) /* a few bytes: a call of memcpy would cost more */
        csv->text[csv->n_text + i] = (char)from[i];
    csv->n_text += n;
    csv->at += n;
    csv->column += (int)n;
}

static struct field *add_field(struct hl_csv *csv)
{
    if (csv->n_fields == csv->fields_capacity) {
        size_t larger = csv->fields_capacity ? 2 * csv->fields_capacity : 32;
        struct field *fields = hl_grow(csv->fields, csv->n_fields, larger, sizeof *fields);
        if (!fields) {
            fail(csv, HL_ERR_MEMORY, csv->line, csv->column, "not enough memory to read this record");
            return NULL;
        }
        csv->fields = fields;
        csv->fields_capacity = larger;
    }
    struct field *field = &csv->fields[csv->n_fields++];
    *field = (struct field){csv->n_text, csv->line, csv->column};
    return field;
}

static bool ends_field(const struct hl_csv *csv, int c)
{
    return c == EOF || c == '\n' || c == '\r' || c == csv->separator;
}

static bool is_blank(const struct hl_csv *csv, int c)
{
    return (c == ' ' || c == '\t') && c != csv->separator;
}

/* After the opening quote. */
static void take_quoted(struct hl_csv *csv, const struct field *field)
{
    int line = field->line, column = field->column;
    while (!csv->over) {
        int c = take(csv);
        if (c == EOF)
            fail(csv, HL_ERR_INPUT, line, column - 1, "a quotation mark is opened here and never closed");
        else if (c == '\0')
            fail(csv, HL_ERR_INPUT, csv->line, csv->column, "a NUL character; this is no text file");
        else if (c == '"' && peek(csv) != '"')
            break;
        else {
            if (c == '"')
                take(csv);
            keep_character(csv, (char)c);
        }
    }
    while (!csv->over && is_blank(csv, peek(csv)))
        take(csv);
    if (!csv->over && !ends_field(csv, peek(csv)))
        fail(csv, HL_ERR_INPUT, csv->line, csv->column,
             "text after a closing quotation mark; write a quotation mark inside a field twice (\"\")");
}

static void take_plain(struct hl_csv *csv, const struct field *field)
{
    size_t start = field->start;
    take_run(csv);
    while (!csv->over && !ends_field(csv, peek(csv))) {
        int c = take(csv);
        if (c == '\0')
            fail(csv, HL_ERR_INPUT, csv->line, csv->column - 1, "a NUL character; this is no text file");
        else
            keep_character(csv, (char)c);
        take_run(csv);
    }
    while (csv->n_text > start && is_blank(csv, csv->text[csv->n_text - 1]))
        csv->n_text--;
}

static void take_field(struct hl_csv *csv)
{
    while (is_blank(csv, peek(csv)))
        take(csv);
    bool quoted = peek(csv) == '"';
    if (quoted)
        take(csv);
    struct field *field = add_field(csv);
    if (field && quoted)
        take_quoted(csv, field);
    else if (field)
        take_plain(csv, field);
    keep_character(csv, '\0');
}

static bool is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Whether a line that begins with c is left out. */
static bool is_ignored(const struct hl_csv *csv, int c, bool header)
{
    const char *ignore = csv->options.ignore;
    if (!ignore || c == EOF || c == '\0')
        return false;
    if (is_letter(c))
        return !header && (strchr(ignore, c) || strchr(ignore, '@'));
    return strchr(ignore, c) != NULL;
}

/* Takes empty lines and those to be left out, and the white space before the first field that counts. */
static void skip_lines(struct hl_csv *csv, bool header)
{
    for (;;) {
        while (!csv->over && (peek(csv) == '\n' || peek(csv) == '\r' ||
                              (csv->options.ignore && is_blank(csv, peek(csv)))))
            take(csv);
        if (csv->over || !is_ignored(csv, peek(csv), header))
            return;
        while (!csv->over && peek(csv) != EOF && peek(csv) != '\n' && peek(csv) != '\r')
            take(csv);
    }
}

/* Reads one record into fields; false at the end of the file or after a fault. */
static bool take_record(struct hl_csv *csv, bool header)
{
    csv->n_text = csv->n_fields = 0;
    csv->fault = HL_OK;
    skip_lines(csv, header);
    if (csv->over || peek(csv) == EOF) {
        csv->over = true;
        return false;
    }
    do
        take_field(csv);
    while (!csv->over && peek(csv) == csv->separator && take(csv) != EOF);
    if (!csv->over)
        take(csv); /* the end of the line */
    return csv->fault == HL_OK;
}

/* ---- The header ---- */

/* Brings what is left of the buffer to its beginning and fills it up, so that the header line is in sight. */
static void bring_forward(struct hl_csv *csv)
{
    if (csv->at == 0)
        return;
    size_t left = csv->end - csv->at;
    memmove(csv->buffer, csv->buffer + csv->at, left);
    csv->at = 0;
    size_t more = fread(csv->buffer + left, 1, BUFFER_SIZE - left, csv->file);
    hl_digest_add(csv->options.digest, csv->buffer + left, more);
    csv->end = left + more;
}

/* Looks at the buffer's first line without taking it. */
static char find_separator(const struct hl_csv *csv)
{
    static const char separators[] = {',', ';', '\t'};
    size_t count[3] = {0, 0, 0}, best = 0, i = csv->at;
    bool quoted = false;
    while (i < csv->end && (csv->buffer[i] == '\n' || csv->buffer[i] == '\r'))
        i++;
    for (; i < csv->end && (quoted || (csv->buffer[i] != '\n' && csv->buffer[i] != '\r')); i++) {
        quoted ^= csv->buffer[i] == '"';
        for (size_t k = 0; k < 3; k++)
            count[k] += !quoted && csv->buffer[i] == (unsigned char)separators[k];
    }
    for (size_t k = 1; k < 3; k++)
        if (count[k] > count[best])
            best = k;
    return separators[best];
}

static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        int x = *a >= 'A' && *a <= 'Z' ? *a + 32 : *a, y = *b >= 'A' && *b <= 'Z' ? *b + 32 : *b;
        if (x != y)
            return false;
    }
    return *a == *b;
}

static char *copy_of(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = hl_alloc(bytes, 1);
    if (copy)
        memcpy(copy, text, bytes);
    return copy;
}

/* Every column has a name of its own. */
static enum hl_status check_names(const struct hl_csv *csv)
{
    enum hl_status status = HL_OK;
    for (size_t i = 0; i < csv->n_columns; i++) {
        struct hl_pos pos = hl_csv_pos(csv, i);
        int first = hl_csv_find(csv, csv->names[i]);
        if (!*csv->names[i])
            hl_diag_error(csv->diag, pos, "column %zu has no name in the header", i + 1);
        else if (first != (int)i)
            hl_diag_error(csv->diag, pos, "column name '%s' is repeated; column %d has it already", csv->names[i],
                          first + 1);
        if (!*csv->names[i] || first != (int)i)
            status = HL_ERR_INPUT;
    }
    return status;
}

static enum hl_status read_header(struct hl_csv *csv)
{
    if (peek(csv) != EOF && csv->end >= 3 && memcmp(csv->buffer, "\xEF\xBB\xBF", 3) == 0)
        csv->at = 3;
    skip_lines(csv, true);
    bring_forward(csv);
    csv->separator = find_separator(csv);
    for (int c = 1; c < 0x80; c++)
        csv->plain[c] = c != '\n' && c != '\r' && c != (unsigned char)csv->separator;
    if (csv->over || !take_record(csv, true)) {
        if (csv->fault == HL_OK)
            hl_diag_error(csv->diag, (struct hl_pos){csv->path, 1, 1},
                          "expected a header line with the columns' names");
        return csv->fault == HL_OK ? HL_ERR_INPUT : csv->fault;
    }
    csv->names = hl_alloc(csv->n_fields, sizeof *csv->names);
    for (size_t i = 0; csv->names && i < csv->n_fields; i++) {
        csv->names[i] = copy_of(hl_csv_text(csv, i));
        if (!csv->names[i])
            return HL_ERR_MEMORY;
        csv->n_columns = i + 1;
    }
    return csv->names ? check_names(csv) : HL_ERR_MEMORY;
}

/* ---- The public face ---- */

static enum hl_status open_file(struct hl_csv *csv, const char *path)
{
    bool input = strcmp(path, "-") == 0;
    csv->path = input ? "(standard input)" : path;
    csv->buffer = hl_alloc(BUFFER_SIZE, 1);
    if (!csv->buffer)
        return HL_ERR_MEMORY;
    csv->file = input ? stdin : fopen(path, "rb");
    if (!csv->file)
        hl_diag_error(csv->diag, (struct hl_pos){csv->path, 0, 0}, "can't open: %s", strerror(errno));
    return csv->file ? HL_OK : HL_ERR_IO;
}

enum hl_status hl_csv_open(const char *path, struct hl_csv **csv, struct hl_diag *diag)
{
    return hl_csv_open_with(path, &(struct hl_csv_options){0}, csv, diag);
}

enum hl_status hl_csv_open_with(const char *path, const struct hl_csv_options *options, struct hl_csv **csv,
                                struct hl_diag *diag)
{
    struct hl_csv *opened = hl_alloc(1, sizeof *opened);
    enum hl_status status = HL_ERR_MEMORY;
    if (opened) {
        opened->diag = diag;
        opened->options = *options;
        opened->line = opened->column = 1;
        status = open_file(opened, path);
        if (status == HL_OK)
            status = read_header(opened);
    }
    if (status == HL_OK) {
        *csv = opened;
        return HL_OK;
    }
    if (status == HL_ERR_MEMORY)
        hl_diag_error(diag, (struct hl_pos){path, 0, 0}, "not enough memory to read it");
    hl_csv_close(opened);
    return status;
}

void hl_csv_close(struct hl_csv *csv)
{
    if (!csv)
        return;
    if (csv->file && csv->file != stdin)
        fclose(csv->file);
    for (size_t i = 0; i < csv->n_columns; i++)
        hl_free(csv->names[i]);
    hl_free(csv->names);
    hl_free(csv->fields);
    hl_free(csv->text);
    hl_free(csv->buffer);
    hl_free(csv);
}

size_t hl_csv_columns(const struct hl_csv *csv)
{
    return csv->n_columns;
}

const char *hl_csv_name(const struct hl_csv *csv, size_t column)
{
    return csv->names[column];
}

int hl_csv_find(const struct hl_csv *csv, const char *name)
{
    for (size_t i = 0; i < csv->n_columns; i++)
        if (same_name(csv->names[i], name))
            return (int)i;
    return -1;
}

bool hl_csv_next(struct hl_csv *csv, enum hl_status *status)
{
    bool read = take_record(csv, false);
    *status = csv->fault;
    if (!read || csv->n_fields == csv->n_columns || csv->options.any_length)
        return read;
    /* too many: the first one that has no column; too few: the record's beginning */
    size_t place = csv->n_fields > csv->n_columns ? csv->n_columns : 0;
    hl_diag_error(csv->diag, hl_csv_pos(csv, place), "expected %zu fields as in the header, found %zu%s",
                  csv->n_columns, csv->n_fields,
                  csv->n_fields > csv->n_columns ? "; a field that contains the separator must stand in quotes" : "");
    *status = HL_ERR_INPUT;
    return false;
}

size_t hl_csv_fields(const struct hl_csv *csv)
{
    return csv->n_fields;
}

const char *hl_csv_text(const struct hl_csv *csv, size_t column)
{
    return csv->text + csv->fields[column].start;
}

struct hl_pos hl_csv_pos(const struct hl_csv *csv, size_t column)
{
    const struct field *field = &csv->fields[column];
    return (struct hl_pos){csv->path, field->line, field->column};
}
