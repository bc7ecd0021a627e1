/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What HDF5 needs to be told, said once. Texts are variable-length UTF-8: a fixed-length string dataset crashes
 * netCDF-C 4.9.0, and a variable-length attribute keeps its bytes in the file's global heap, so that a model file of
 * more than 64 kB (the limit of an object header) fits into one attribute.
 *
 * The error stack runs from the call we made down to the one that failed. The deepest entry is the cause, and for a
 * failed write it quotes the operating system: "... errno = 28, error message = 'No space left on device' ...". */
#include "store/hdf.h"

#include <stdio.h>
#include <string.h>

void hl_hdf_quiet(void)
{
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

void hl_hdf_start(void)
{
    static bool started;
    if (started)
        return;
    started = true;
    (void)H5dont_atexit(); /* fails, harmlessly, when someone else has opened the library before us */
    (void)H5open();
    hl_hdf_quiet();
}

const char *hl_hdf_type_name(enum hl_hdf_type type)
{
    static const char *const names[] = {"float32", "float64", "int8", "int32", "string", "other"};
    return names[type];
}

size_t hl_hdf_size(enum hl_hdf_type type)
{
    static const size_t sizes[] = {sizeof(float), sizeof(double), 1, 4, sizeof(char *), 1};
    return sizes[type];
}

static hid_t text_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type < 0 || H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)
        return H5I_INVALID_HID;
    return type;
}

hid_t hl_hdf_file_type(enum hl_hdf_type type)
{
    switch (type) {
    case HL_FLOAT32: return H5Tcopy(H5T_IEEE_F32LE);
    case HL_FLOAT64: return H5Tcopy(H5T_IEEE_F64LE);
    case HL_INT8: return H5Tcopy(H5T_STD_I8LE);
    case HL_INT32: return H5Tcopy(H5T_STD_I32LE);
    default: return text_type();
    }
}

hid_t hl_hdf_memory_type(enum hl_hdf_type type)
{
    switch (type) {
    case HL_FLOAT32: return H5Tcopy(H5T_NATIVE_FLOAT);
    case HL_FLOAT64: return H5Tcopy(H5T_NATIVE_DOUBLE);
    case HL_INT8: return H5Tcopy(H5T_NATIVE_INT8);
    case HL_INT32: return H5Tcopy(H5T_NATIVE_INT32);
    default: return text_type();
    }
}

enum hl_hdf_type hl_hdf_dataset_type(hid_t dataset)
{
    hid_t type = H5Dget_type(dataset);
    if (type < 0)
        return HL_OTHER_TYPE;
    enum hl_hdf_type found = HL_OTHER_TYPE;
    size_t size = H5Tget_size(type);
    H5T_class_t class = H5Tget_class(type);
    if (class == H5T_FLOAT)
        found = size == 4 ? HL_FLOAT32 : size == 8 ? HL_FLOAT64 : HL_OTHER_TYPE;
    else if (class == H5T_INTEGER)
        found = size == 1 ? HL_INT8 : size == 4 ? HL_INT32 : HL_OTHER_TYPE;
    else if (class == H5T_STRING && H5Tis_variable_str(type) > 0)
        found = HL_TEXT;
    H5Tclose(type);
    return found;
}

/* H5E_WALK_UPWARD begins at the deepest entry; a positive return value stops the walk. */
static herr_t take_innermost(unsigned n, const H5E_error2_t *error, void *context)
{
    const char **text = context;
    (void)n;
    *text = error->desc;
    return error->desc && *error->desc ? 1 : 0;
}

const char *hl_hdf_reason(char *buffer, size_t size)
{
    const char *text = NULL;
    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, &text);
    const char *quoted = text ? strstr(text, "error message = '") : NULL;
    if (quoted) {
        quoted += strlen("error message = '");
        snprintf(buffer, size, "%.*s", (int)strcspn(quoted, "'"), quoted);
    } else {
        snprintf(buffer, size, "%s", text && *text ? text : "the HDF5 library gives no reason");
    }
    (void)H5Eclear2(H5E_DEFAULT);
    return buffer;
}

static bool set_attribute(hid_t object, const char *name, hid_t file, hid_t memory, hid_t space, const void *values)
{
    if (file < 0 || memory < 0 || space < 0)
        return false;
    if (H5Aexists(object, name) > 0 && H5Adelete(object, name) < 0)
        return false;
    hid_t attribute = H5Acreate2(object, name, file, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0)
        return false;
    bool good = H5Awrite(attribute, memory, values) >= 0;
    return H5Aclose(attribute) >= 0 && good;
}

bool hl_hdf_set_text(hid_t object, const char *name, const char *text)
{
    hid_t type = text_type(), space = H5Screate(H5S_SCALAR);
    bool good = set_attribute(object, name, type, type, space, &text);
    H5Tclose(type);
    H5Sclose(space);
    return good;
}

bool hl_hdf_set_numbers(hid_t object, const char *name, enum hl_hdf_type type, size_t n, const void *values)
{
    hsize_t count = n;
    hid_t file = hl_hdf_file_type(type), memory = hl_hdf_memory_type(type), space = H5Screate_simple(1, &count, NULL);
    bool good = set_attribute(object, name, file, memory, space, values);
    H5Tclose(file);
    H5Tclose(memory);
    H5Sclose(space);
    return good;
}

static const char *variable_text(struct hl_arena *arena, hid_t attribute)
{
    char *text = NULL;
    hid_t type = text_type();
    const char *copy = NULL;
    if (type >= 0 && H5Aread(attribute, type, &text) >= 0 && text)
        copy = hl_arena_strdup(arena, text);
    if (text)
        H5free_memory(text);
    H5Tclose(type);
    return copy;
}

static const char *fixed_text(struct hl_arena *arena, hid_t attribute, hid_t type)
{
    size_t size = H5Tget_size(type);
    char *text = hl_arena_alloc(arena, size + 1, 1);
    return H5Aread(attribute, type, text) >= 0 ? text : NULL;
}

const char *hl_hdf_text(struct hl_arena *arena, hid_t object, const char *name)
{
    if (H5Aexists(object, name) <= 0)
        return NULL;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    if (attribute < 0)
        return NULL;
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    const char *text = NULL;
    if (H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_npoints(space) == 1)
        text = H5Tis_variable_str(type) > 0 ? variable_text(arena, attribute) : fixed_text(arena, attribute, type);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return text;
}

bool hl_hdf_first_number(struct hl_arena *arena, hid_t object, const char *name, double *value)
{
    if (H5Aexists(object, name) <= 0)
        return false;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    hssize_t n = H5Sget_simple_extent_npoints(space);
    bool is_number = H5Tget_class(type) == H5T_INTEGER || H5Tget_class(type) == H5T_FLOAT;
    double *all = is_number && n > 0 ? hl_arena_alloc(arena, (size_t)n, sizeof *all) : NULL;
    bool good = all && H5Aread(attribute, H5T_NATIVE_DOUBLE, all) >= 0;
    if (good)
        *value = all[0];
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return good;
}

uint64_t hl_hdf_attributes(hid_t object)
{
#if H5_VERSION_GE(1, 12, 0)
    H5O_info2_t info;
    herr_t got = H5Oget_info3(object, &info, H5O_INFO_NUM_ATTRS);
#elif H5_VERSION_GE(1, 10, 3)
    H5O_info_t info;
    herr_t got = H5Oget_info2(object, &info, H5O_INFO_NUM_ATTRS);
#else
    H5O_info_t info;
    herr_t got = H5Oget_info(object, &info);
#endif
    return got >= 0 ? info.num_attrs : UINT64_MAX;
}
