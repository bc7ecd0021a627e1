/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading what layout.c wrote, by what the file says about itself: axes by their dimension scales, units and meanings
 * by attributes. Nothing here knows which study it was, so files of later versions with more variables open too. */
#include "store/result.h"

#include <errno.h>
#include <hdf5_hl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

/* ---- What is in the file. */

static herr_t take_scale_name(hid_t dataset, unsigned dim, hid_t scale, void *context)
{
    (void)dataset;
    (void)dim;
    char *name = context;
    return H5DSget_scale_name(scale, name, 100) > 0 ? 1 : 0;
}

static void read_axes(struct hl_result *r, struct hl_result_variable *v, hid_t id)
{
    v->is_scale = H5DSis_scale(id) > 0;
    for (int i = 0; i < v->rank; i++) {
        char name[100] = "";
        if (!v->is_scale)
            (void)H5DSiterate_scales(id, (unsigned)i, NULL, take_scale_name, name);
        v->axis[i] = v->is_scale ? v->name : hl_arena_strdup(r->arena, name);
    }
}

static void read_flags(struct hl_result *r, struct hl_result_variable *v, hid_t id)
{
    const char *text = hl_hdf_text(r->arena, id, "flag_meanings");
    size_t capacity = 0;
    while (text && *text) {
        size_t n = strcspn(text, " ");
        v->flag = hl_arena_push(r->arena, (void *)v->flag, v->n_flags, &capacity, sizeof *v->flag);
        v->flag[v->n_flags++] = hl_arena_strndup(r->arena, text, n);
        text += n + strspn(text + n, " ");
    }
    double first = 0.0;
    if (v->n_flags > 0 && hl_hdf_first_number(r->arena, id, "flag_values", &first))
        v->first_flag = (int)first;
}

/* False for what isn't a variable of ours (a foreign type, too many axes). */
static bool read_variable(struct hl_result *r, const char *group, const char *name, struct hl_result_variable *v)
{
    *v = (struct hl_result_variable){.group = group, .name = hl_arena_strdup(r->arena, name)};
    v->path = hl_arena_printf(r->arena, "%s/%s", group, name);
    hid_t id = H5Dopen2(r->file, v->path, H5P_DEFAULT);
    if (id < 0)
        return false;
    hid_t space = H5Dget_space(id);
    hsize_t dims[32];
    v->type = hl_hdf_dataset_type(id);
    v->rank = H5Sget_simple_extent_ndims(space);
    bool good = v->rank >= 1 && v->rank <= HL_MAX_RANK && v->type != HL_OTHER_TYPE &&
                H5Sget_simple_extent_dims(space, dims, NULL) == v->rank;
    for (int i = 0; good && i < v->rank; i++)
        v->dims[i] = dims[i];
    if (good) {
        read_axes(r, v, id);
        read_flags(r, v, id);
        v->unit = hl_hdf_text(r->arena, id, "units");
        v->long_name = hl_hdf_text(r->arena, id, "long_name");
        v->output = hl_hdf_text(r->arena, id, "output");
        v->statistic = hl_hdf_text(r->arena, id, "statistic");
    }
    H5Sclose(space);
    H5Dclose(id);
    return good;
}

/* The name of member number i of a group, and whether it is a group itself. */
static bool member(hid_t group, H5_index_t index, hsize_t i, char *name, size_t size, bool *is_group)
{
    H5O_info_t info;
    if (H5Lget_name_by_idx(group, ".", index, H5_ITER_INC, i, name, size, H5P_DEFAULT) < 0)
        return false;
    if (H5Oget_info_by_name(group, name, &info, H5P_DEFAULT) < 0)
        return false;
    *is_group = info.type == H5O_TYPE_GROUP;
    return true;
}

/* Lists a group ("" is the root) and, one level down, its groups; of /provenance only the names. */
static void list_group(struct hl_result *r, const char *group, size_t *capacity, size_t *texts_capacity)
{
    hid_t id = H5Gopen2(r->file, *group ? group : "/", H5P_DEFAULT);
    H5G_info_t info;
    if (id < 0 || H5Gget_info(id, &info) < 0)
        return;
    char name[500];
    bool is_group;
    H5_index_t index =
        member(id, H5_INDEX_CRT_ORDER, 0, name, sizeof name, &is_group) ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
    for (hsize_t i = 0; i < info.nlinks; i++) {
        struct hl_result_variable v;
        if (!member(id, index, i, name, sizeof name, &is_group))
            continue;
        if (is_group && *group == '\0') {
            list_group(r, hl_arena_printf(r->arena, "/%s", name), capacity, texts_capacity);
        } else if (strcmp(group, "/provenance") == 0) {
            r->text_name =
                hl_arena_push(r->arena, (void *)r->text_name, r->n_texts, texts_capacity, sizeof *r->text_name);
            r->text_name[r->n_texts++] = hl_arena_strdup(r->arena, name);
        } else if (!is_group && read_variable(r, group, name, &v)) {
            r->variable = hl_arena_push(r->arena, r->variable, r->n_variables, capacity, sizeof v);
            r->variable[r->n_variables++] = v;
        }
    }
    H5Gclose(id);
    (void)H5Eclear2(H5E_DEFAULT);
}

static void read_arm_names(struct hl_result *r)
{
    r->arm_name = hl_arena_alloc(r->arena, (size_t)r->n_arms + 1, sizeof *r->arm_name);
    for (uint64_t i = 0; i < r->n_arms; i++)
        r->arm_name[i] = hl_arena_printf(r->arena, "%llu", (unsigned long long)i);
    const struct hl_result_variable *v = hl_result_at(r, "/arm_name");
    hid_t id = v && v->type == HL_TEXT && v->dims[0] == r->n_arms ? H5Dopen2(r->file, "/arm_name", H5P_DEFAULT) : -1;
    if (id < 0)
        return;
    char **text = hl_arena_alloc(r->arena, (size_t)r->n_arms + 1, sizeof *text);
    hid_t type = hl_hdf_memory_type(HL_TEXT);
    if (H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0)
        for (uint64_t i = 0; i < r->n_arms; i++)
            if (text[i]) {
                r->arm_name[i] = hl_arena_strdup(r->arena, text[i]);
                H5free_memory(text[i]);
            }
    H5Tclose(type);
    H5Dclose(id);
}

static void read_axis_lengths(struct hl_result *r)
{
    const struct hl_result_variable *arm = hl_result_at(r, "/arm"), *subject = hl_result_at(r, "/subject"),
                                    *time = hl_result_at(r, "/time"), *record = hl_result_at(r, "/records/record");
    if (!subject) /* the root has that axis only where something lies on it */
        subject = hl_result_at(r, "/subjects/subject");
    r->n_arms = arm ? arm->dims[0] : 0;
    r->n_records = record ? record->dims[0] : 0;
    r->n_subjects = subject ? subject->dims[0] : 0;
    r->n_times = time ? time->dims[0] : 0;
    r->time = time ? (double *)(void *)(uintptr_t)hl_result_axis(r, time, 0) : NULL;
}

/* ---- Opening. */

static enum hl_status refuse(struct hl_result *r, const char *path, enum hl_status status, struct hl_diag *diag,
                             const char *why)
{
    char reason[300];
    hl_hdf_reason(reason, sizeof reason);
    if (status == HL_ERR_INPUT)
        hl_diag_error(diag, hl_pos_none(), "'%s' %s; expected a file written by halflife run", path, why);
    else
        hl_diag_error(diag, hl_pos_none(), "cannot read '%s': %s", path, why ? why : reason);
    hl_result_close(r);
    return status;
}

bool hl_result_is_file(const char *path)
{
    static const char magic[] = "\x89HDF\r\n\x1a\n";
    char start[8];
    FILE *stream = fopen(path, "rb");
    bool good = stream && fread(start, 1, 8, stream) == 8 && memcmp(start, magic, 8) == 0;
    if (stream)
        (void)fclose(stream);
    return good;
}

enum hl_status hl_result_open(const char *path, struct hl_result **result, struct hl_diag *diag)
{
    hl_hdf_start();
    struct hl_arena *arena = hl_arena_create();
    if (!arena)
        return HL_ERR_MEMORY;
    struct hl_result *r = hl_arena_alloc(arena, 1, sizeof *r);
    *r = (struct hl_result){.arena = arena, .file = H5I_INVALID_HID};
    r->path = hl_arena_strdup(arena, path);
    if (access(path, R_OK) != 0)
        return refuse(r, path, HL_ERR_IO, diag, strerror(errno));
    if (H5Fis_hdf5(path) <= 0)
        return refuse(r, path, HL_ERR_INPUT, diag, "is not an HDF5 file");
    r->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (r->file < 0)
        return refuse(r, path, HL_ERR_IO, diag, NULL);
    const char *schema = hl_hdf_text(arena, r->file, "schema_name");
    if (!schema || strcmp(schema, "halflife") != 0)
        return refuse(r, path, HL_ERR_INPUT, diag, "is an HDF5 file, but not a result of halflife");
    size_t capacity = 0, texts_capacity = 0;
    list_group(r, "", &capacity, &texts_capacity);
    read_axis_lengths(r);
    read_arm_names(r);
    *result = r;
    return HL_OK;
}

void hl_result_close(struct hl_result *r)
{
    if (!r)
        return;
    if (r->file >= 0)
        (void)H5Fclose(r->file);
    hl_arena_free(r->arena);
}

/* ---- Finding. */

const struct hl_result_variable *hl_result_at(const struct hl_result *r, const char *path)
{
    for (size_t i = 0; i < r->n_variables; i++)
        if (strcmp(r->variable[i].path, path) == 0)
            return &r->variable[i];
    return NULL;
}

/* Does the variable go by this name (dots already underscores, no slash in front)? A path says the group, too. */
static bool answers_to(const struct hl_result_variable *v, const char *name)
{
    return strcmp(v->path + 1, name) == 0 || strcmp(v->name, name) == 0;
}

const struct hl_result_variable *hl_result_find(const struct hl_result *r, const char *name, struct hl_diag *diag)
{
    char *plain = hl_arena_strdup(r->arena, *name == '/' ? name + 1 : name);
    for (char *c = plain; *c; c++)
        if (*c == '.')
            *c = '_';
    const struct hl_result_variable *found = NULL;
    for (size_t i = 0; i < r->n_variables; i++) {
        const struct hl_result_variable *v = &r->variable[i];
        if (answers_to(v, plain) && (!found || (found->is_scale && !v->is_scale && *found->group != '\0')))
            found = v;
    }
    if (found || !diag)
        return found;
    const char **names = hl_arena_alloc(r->arena, 2 * r->n_variables + 1, sizeof *names);
    size_t n = 0;
    for (size_t i = 0; i < r->n_variables; i++)
        if (!r->variable[i].is_scale) {
            names[n++] = r->variable[i].name;
            names[n++] = r->variable[i].path + 1;
        }
    char hint[200];
    hl_diag_error(diag, hl_pos_none(), "'%s' has no variable '%s'%s", r->path, name,
                  hl_text_did_you_mean(plain, names, n, hint, sizeof hint));
    return NULL;
}

const char *hl_result_attribute(const struct hl_result *r, const char *object, const char *name)
{
    hid_t id = H5Oopen(r->file, object && *object ? object : "/", H5P_DEFAULT);
    if (id < 0)
        return NULL;
    const char *text = hl_hdf_text(r->arena, id, name);
    H5Oclose(id);
    return text;
}

enum hl_status hl_result_arm(const struct hl_result *r, const char *text, uint64_t *arm, struct hl_diag *diag)
{
    uint64_t number;
    char hint[200];
    for (uint64_t i = 0; i < r->n_arms; i++)
        if (strcmp(r->arm_name[i], text) == 0)
            return *arm = i, HL_OK;
    if (hl_text_integer(text, &number) && number < r->n_arms)
        return *arm = number, HL_OK;
    hl_diag_error(diag, hl_pos_none(), "'%s' has no arm '%s'%s (arms are named, or counted from 0 to %llu)", r->path,
                  text, hl_text_did_you_mean(text, r->arm_name, (size_t)r->n_arms, hint, sizeof hint),
                  (unsigned long long)(r->n_arms ? r->n_arms - 1 : 0));
    return HL_ERR_INPUT;
}

int hl_result_axis_index(const struct hl_result_variable *v, const char *axis)
{
    for (int i = 0; i < v->rank; i++)
        if (strcmp(v->axis[i], axis) == 0)
            return i;
    return -1;
}

/* ---- Values. */

enum hl_status hl_result_read(const struct hl_result *r, const struct hl_result_variable *v, const uint64_t *start,
                              const uint64_t *count, double *values, struct hl_diag *diag)
{
    hsize_t s[HL_MAX_RANK], c[HL_MAX_RANK], n = 1;
    for (int i = 0; i < v->rank; i++) {
        s[i] = start[i];
        n *= c[i] = count[i];
    }
    if (n == 0)
        return HL_OK;
    hid_t id = H5Dopen2(r->file, v->path, H5P_DEFAULT);
    hid_t file = id >= 0 ? H5Dget_space(id) : H5I_INVALID_HID, memory = H5Screate_simple(v->rank, c, NULL);
    bool good = id >= 0 && v->type != HL_TEXT && H5Sselect_hyperslab(file, H5S_SELECT_SET, s, NULL, c, NULL) >= 0 &&
                H5Dread(id, H5T_NATIVE_DOUBLE, memory, file, H5P_DEFAULT, values) >= 0;
    if (!good) {
        char reason[300];
        hl_diag_error(diag, hl_pos_none(), "cannot read %s of '%s': %s", v->path, r->path,
                      hl_hdf_reason(reason, sizeof reason));
    }
    H5Sclose(memory);
    H5Sclose(file);
    H5Dclose(id);
    (void)H5Eclear2(H5E_DEFAULT);
    return good ? HL_OK : HL_ERR_IO;
}

const double *hl_result_axis(const struct hl_result *r, const struct hl_result_variable *v, int i)
{
    const struct hl_result_variable *scale = v->is_scale ? v : NULL;
    if (!scale)
        scale = hl_result_at(r, hl_arena_printf(r->arena, "%s/%s", v->group, v->axis[i]));
    if (!scale || scale->dims[0] != v->dims[i])
        return NULL;
    double *values = hl_arena_alloc(r->arena, (size_t)scale->dims[0] + 1, sizeof *values);
    uint64_t start = 0;
    struct hl_diag *unheard = hl_diag_create();
    enum hl_status status = hl_result_read(r, scale, &start, scale->dims, values, unheard);
    hl_diag_free(unheard);
    return status == HL_OK ? values : NULL;
}
