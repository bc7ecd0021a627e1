/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a result says about itself and its variables, as a table of texts: variable ("/" for the file), attribute,
 * value. Beside the attributes it counts arms and subjects and names the arms. Scripts that cannot open HDF5 take
 * titles, units and the run's identity from here. */
#include <string.h>

#include "store/export.h"
#include "store/result.h"

struct listing {
    const struct hl_result *result;
    FILE *stream;
    char separator;
    const char *variable;
};

/* One cell: no separator and no line break inside; a CSV's comma or quote puts the cell into quotes. */
static void put_cell(const struct listing *l, const char *text, char end)
{
    bool quotes = l->separator == ',' && strpbrk(text, ",\"") != NULL;
    if (quotes)
        putc('"', l->stream);
    for (; *text; text++) {
        if (quotes && *text == '"')
            putc('"', l->stream);
        putc(*text == '\t' || *text == '\n' || *text == '\r' ? ' ' : *text, l->stream);
    }
    if (quotes)
        putc('"', l->stream);
    putc(end, l->stream);
}

static void put_line(const struct listing *l, const char *variable, const char *attribute, const char *value)
{
    put_cell(l, variable, l->separator);
    put_cell(l, attribute, l->separator);
    put_cell(l, value, '\n');
}

/* Those of HDF5's dimension scales mean nothing to people. */
static herr_t put_attribute(hid_t object, const char *name, const H5A_info_t *info, void *data)
{
    static const char *const inner[] = {"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST"};
    const struct listing *l = data;
    (void)info;
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++)
        if (strcmp(name, inner[i]) == 0)
            return 0;
    const char *text = hl_hdf_text(l->result->arena, object, name);
    if (text)
        put_line(l, l->variable, name, text);
    return 0;
}

static void put_object(struct listing *l, const char *path)
{
    hid_t object = H5Oopen(l->result->file, path, H5P_DEFAULT);
    l->variable = path[1] ? path + 1 : path;
    if (object < 0)
        return;
    (void)H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, put_attribute, l);
    (void)H5Oclose(object);
}

enum hl_status hl_export_attributes(const struct hl_result *result, char separator, FILE *stream)
{
    struct listing l = {.result = result, .stream = stream, .separator = separator};
    char number[32];
    put_line(&l, "variable", "attribute", "value");
    put_object(&l, "/");
    snprintf(number, sizeof number, "%llu", (unsigned long long)result->n_arms);
    put_line(&l, "/", "arms", number);
    snprintf(number, sizeof number, "%llu", (unsigned long long)result->n_subjects);
    put_line(&l, "/", "subjects", number);
    snprintf(number, sizeof number, "%llu", (unsigned long long)result->n_records);
    if (result->n_records > 0)
        put_line(&l, "/", "records", number);
    for (uint64_t i = 0; i < result->n_arms; i++) {
        snprintf(number, sizeof number, "%llu", (unsigned long long)i);
        put_line(&l, "arm_name", number, result->arm_name[i]);
    }
    for (size_t i = 0; i < result->n_variables; i++)
        if (!result->variable[i].is_scale || *result->variable[i].group == '\0') /* groups repeat the root's scales */
            put_object(&l, result->variable[i].path);
    return fflush(stream) == 0 ? HL_OK : HL_ERR_IO;
}
