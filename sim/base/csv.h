/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CSV with a header line, read row by row in bounded memory: quoted fields (RFC 4180), CRLF, a byte-order mark,
 * comma, semicolon or tab (found from the header). Every field knows its line and column. */
#ifndef HL_BASE_CSV_H
#define HL_BASE_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/digest.h"
#include "base/status.h"

struct hl_csv;

/* Opens path ("-" is standard input) and reads the header. HL_ERR_IO or HL_ERR_INPUT with a message in diag. Positions
 * point to the caller's path, which must outlive them. */
enum hl_status hl_csv_open(const char *path, struct hl_csv **csv, struct hl_diag *diag);

/* How else a file may be read. */
struct hl_csv_options {
    const char *ignore;       /* lines that begin with one of these characters (after white space) are left out; '@'
                                 also stands for every letter. The header may begin with any letter. NULL: none */
    bool any_length;          /* records with too many or too few fields are handed out: see hl_csv_fields */
    struct hl_digest *digest; /* gets every byte of the file, the last ones before hl_csv_next ends well; or NULL */
};
enum hl_status hl_csv_open_with(const char *path, const struct hl_csv_options *options, struct hl_csv **csv,
                                struct hl_diag *diag);
void hl_csv_close(struct hl_csv *csv);

size_t hl_csv_columns(const struct hl_csv *csv);
const char *hl_csv_name(const struct hl_csv *csv, size_t column);

/* Column index by name (case-insensitive), or -1. */
int hl_csv_find(const struct hl_csv *csv, const char *name);

/* Reads the next row. false at the end (*status HL_OK), or after a fault (then *status says which and diag has the
 * message). A row with too many or too few fields is such a fault; calling again goes on with the row after it. Any
 * other fault ends the file: the next call returns false with HL_OK. */
bool hl_csv_next(struct hl_csv *csv, enum hl_status *status);

/* How many fields the current row has; only those may be asked for. */
size_t hl_csv_fields(const struct hl_csv *csv);

/* Field of the current row as text (valid until the next row), and its place. */
const char *hl_csv_text(const struct hl_csv *csv, size_t column);
struct hl_pos hl_csv_pos(const struct hl_csv *csv, size_t column);

#endif
