/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a file comes to be whole or not at all.
 *
 * Everything is written to .NAME.h5.part-PID in the directory of the target, so that the last step can be a rename on
 * the same file system. Seen with HDF5 1.10.8: a killed writer leaves a file nobody can open, and on a full disk
 * H5Fclose may report success with blocks lost. So success is not what the library says but what the file says: after
 * closing it is synced, opened again and checked (verify.c). Trajectories are handed to the system chunk by chunk, each
 * write checked on the spot, and the check looks whether every chunk lies where it should; what HDF5 kept in its own
 * buffers until the end is read back and compared with the digest made from the values in memory. Only then does the
 * file get its name, and the directory is synced too.
 *
 * The system is asked to begin putting finished chunks on disk while the next ones are computed (sync_file_range, where
 * there is such a thing), so that little is left to do when the file is synced.
 *
 * The file stays within the HDF5 1.8 format (H5F_LIBVER_V18): old enough for every reader, new enough to keep
 * attributes of any size and number outside the object header. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sync_file_range */
#endif
#include "store/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5_hl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/pack.h"
#include "store/verify.h"

#define CHUNK_BYTES (1u << 20)       /* about a chunk: a reader's default cache */
#define BEGIN_SYNC_BYTES (1u << 24)  /* so many at a time are passed on to the disk */
#define UNCHUNKED_BYTES (1u << 14)   /* smaller datasets are stored in one piece */

/* ---- Failing. */

void hl_writer_fail(struct hl_writer *w, enum hl_status status, const char *what)
{
    char reason[300];
    hl_hdf_reason(reason, sizeof reason);
    if (w->status != HL_OK)
        return;
    w->status = status;
    if (w->diag)
        hl_diag_error(w->diag, hl_pos_none(),
                      "cannot write '%s': %s (%s); no file was left behind, free some room or name another place",
                      w->path, reason, what);
}

/* For faults that HDF5 knows nothing of. */
static void fail_plainly(struct hl_writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void fail_plainly(struct hl_writer *w, const char *format, ...)
{
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (w->status == HL_OK && w->diag)
        hl_diag_error(w->diag, hl_pos_none(), "%s", text);
    if (w->status == HL_OK)
        w->status = HL_ERR_IO;
}

/* True when all is well so far; otherwise remembers that what failed. */
static bool went(struct hl_writer *w, bool good, const char *what, const char *name)
{
    if (!good && w->status == HL_OK) {
        char text[300];
        snprintf(text, sizeof text, "%s %s", what, name);
        hl_writer_fail(w, HL_ERR_IO, text);
    }
    return w->status == HL_OK;
}

/* ---- Opening. */

static const char *file_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static const char *directory_of(struct hl_arena *arena, const char *path)
{
    size_t n = (size_t)(file_part(path) - path);
    return n == 0 ? "." : n == 1 ? "/" : hl_arena_strndup(arena, path, n - 1);
}

/* What can be said before the first byte is written. */
static void look_at_target(struct hl_writer *w)
{
    struct stat info;
    const char *directory = directory_of(w->arena, w->path);
    if (*file_part(w->path) == '\0')
        fail_plainly(w, "cannot write '%s': this names a directory; expected the name of a file such as result.h5",
                     w->path);
    else if (stat(directory, &info) != 0)
        fail_plainly(w, "cannot write '%s': directory '%s': %s; create it first", w->path, directory, strerror(errno));
    else if (!S_ISDIR(info.st_mode))
        fail_plainly(w, "cannot write '%s': '%s' is not a directory", w->path, directory);
    else if (stat(w->path, &info) == 0 && !S_ISREG(info.st_mode))
        fail_plainly(w, "cannot write '%s': it exists and is not a regular file; name another with -o", w->path);
    else if (!w->force && access(w->path, F_OK) == 0)
        fail_plainly(w, "'%s' exists already; use --force to replace it, or name another file with -o", w->path);
    else if (access(directory, W_OK | X_OK) != 0)
        fail_plainly(w, "cannot write '%s': directory '%s': %s", w->path, directory, strerror(errno));
}

/* A file without its end is no result; an arena that runs dry must not leave one behind. */
static void remove_temporary(void *writer)
{
    const struct hl_writer *w = writer;
    (void)unlink(w->temporary);
}

static void open_temporary(struct hl_writer *w)
{
    w->temporary = hl_arena_printf(w->arena, "%.*s.%s.part-%ld", (int)(file_part(w->path) - w->path), w->path,
                                   file_part(w->path), (long)getpid());
    hid_t access_list = H5Pcreate(H5P_FILE_ACCESS), creation = H5Pcreate(H5P_FILE_CREATE);
    bool good = access_list >= 0 && creation >= 0 &&
                H5Pset_libver_bounds(access_list, H5F_LIBVER_V18, H5F_LIBVER_V18) >= 0 &&
                H5Pset_fclose_degree(access_list, H5F_CLOSE_STRONG) >= 0 &&
                H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0 &&
                H5Pset_attr_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0;
#if H5_VERSION_GE(1, 10, 7)
    good = good && H5Pset_file_locking(access_list, true, true) >= 0; /* some file systems of clusters have no locks */
#endif
    hl_memory_before_end(remove_temporary, w);
    w->file = good ? H5Fcreate(w->temporary, H5F_ACC_TRUNC, creation, access_list) : H5I_INVALID_HID;
    H5Pclose(creation);
    H5Pclose(access_list);
    went(w, w->file >= 0, "creating", w->temporary);
}

enum hl_status hl_writer_create(const char *path, bool force, int level, struct hl_writer **writer,
                                struct hl_diag *diag)
{
    hl_hdf_start();
    struct hl_arena *arena = hl_arena_create();
    if (!arena)
        return HL_ERR_MEMORY;
    struct hl_writer *w = hl_arena_alloc(arena, 1, sizeof *w);
    *w = (struct hl_writer){.arena = arena, .diag = diag, .force = force, .level = level, .file = H5I_INVALID_HID};
    w->path = hl_arena_strdup(arena, path);
    look_at_target(w);
    if (w->status == HL_OK)
        open_temporary(w);
    if (w->status != HL_OK) {
        enum hl_status status = w->status;
        hl_writer_abandon(w);
        return status;
    }
    *writer = w;
    return HL_OK;
}

/* ---- Names and groups. */

void hl_writer_reserve(struct hl_writer *w, const struct hl_axis *axis)
{
    w->axis = hl_arena_push(w->arena, (void *)w->axis, w->n_axes, &w->axes_capacity, sizeof *w->axis);
    w->axis[w->n_axes++] = axis;
}

static struct hl_dataset *find(const struct hl_writer *w, const char *group, const char *name)
{
    size_t n = strlen(group);
    for (size_t i = 0; i < w->n_datasets; i++) {
        const char *path = w->dataset[i]->path;
        if (strncmp(path, group, n) == 0 && path[n] == '/' && strcmp(path + n + 1, name) == 0)
            return w->dataset[i];
    }
    return NULL;
}

static bool is_taken(const struct hl_writer *w, const char *group, const char *name)
{
    static const char *const groups[] = {"subjects", "metrics", "doses", "reviews", "records", "design", "provenance",
                                         "arm_name"};
    for (size_t i = 0; *group == '\0' && i < sizeof groups / sizeof *groups; i++)
        if (strcmp(groups[i], name) == 0)
            return true;
    for (size_t i = 0; i < w->n_axes; i++)
        if (strcmp(w->axis[i]->name, name) == 0)
            return true;
    return find(w, group, name) != NULL;
}

char *hl_writer_safe(struct hl_arena *arena, const char *wanted)
{
    char *name = hl_arena_strdup(arena, *wanted ? wanted : "unnamed");
    for (char *c = name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9')))
            *c = '_';
    return *name >= '0' && *name <= '9' ? hl_arena_printf(arena, "x%s", name) : name;
}

const char *hl_writer_name(struct hl_writer *w, const char *group, const char *wanted)
{
    const char *name = hl_writer_safe(w->arena, wanted), *unique = name;
    for (int i = 2; is_taken(w, group, unique); i++)
        unique = hl_arena_printf(w->arena, "%s_%d", name, i);
    return unique;
}

static void make_group(struct hl_writer *w, const char *group)
{
    if (*group == '\0' || w->status != HL_OK || H5Lexists(w->file, group, H5P_DEFAULT) > 0)
        return;
    hid_t list = H5Pcreate(H5P_GROUP_CREATE);
    bool good = H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0 &&
                H5Pset_attr_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0;
    hid_t id = good ? H5Gcreate2(w->file, group, H5P_DEFAULT, list, H5P_DEFAULT) : H5I_INVALID_HID;
    H5Pclose(list);
    if (went(w, id >= 0, "creating group", group))
        went(w, H5Gclose(id) >= 0, "creating group", group);
}

/* ---- Datasets. */

/* Whole arms first, then as many of the following index as fit into a chunk (a multiple of a block of subjects). */
static void choose_chunk(struct hl_dataset *d)
{
    const struct hl_blocks *b = &d->blocks;
    uint64_t bytes = hl_hdf_size(d->type);
    for (int i = 0; i < b->rank; i++)
        bytes *= d->chunk[i] = b->dims[i];
    bool grows = b->rank > 0 && d->axis[0]->grows;
    if (grows)
        d->chunk[0] = HL_BLOCK_ROWS;
    else if (bytes <= UNCHUNKED_BYTES || d->type == HL_TEXT)
        d->chunk[0] = 0;
    for (int i = 0; i < b->rank && !grows && d->chunk[0] != 0 && bytes > CHUNK_BYTES; i++) {
        uint64_t rest = bytes / d->chunk[i], most = rest >= CHUNK_BYTES ? 1 : CHUNK_BYTES / rest;
        if (most > HL_BLOCK_SUBJECTS)
            most -= most % HL_BLOCK_SUBJECTS;
        if (i == 0 && b->cut[0] == 1)
            most = 1;
        if (d->chunk[i] > most)
            d->chunk[i] = most;
        bytes = rest * d->chunk[i];
    }
}

static bool set_storage(const struct hl_writer *w, const struct hl_dataset *d, hid_t list)
{
    hsize_t chunk[HL_MAX_RANK];
    for (int i = 0; i < d->blocks.rank; i++)
        chunk[i] = d->chunk[i];
    bool good = H5Pset_attr_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0;
    if (d->type == HL_FLOAT32 || d->type == HL_FLOAT64) {
        double nan_value = (double)NAN;
        good = good && H5Pset_fill_value(list, H5T_NATIVE_DOUBLE, &nan_value) >= 0;
    }
    if (d->blocks.rank == 0 || d->chunk[0] == 0)
        return good;
    good = good && H5Pset_chunk(list, d->blocks.rank, chunk) >= 0;
    if (w->level > 0)
        good = good && H5Pset_shuffle(list) >= 0 && H5Pset_deflate(list, (unsigned)w->level) >= 0;
    return good;
}

static hid_t make_space(const struct hl_dataset *d)
{
    hsize_t dims[HL_MAX_RANK], most[HL_MAX_RANK];
    for (int i = 0; i < d->blocks.rank; i++) {
        dims[i] = d->blocks.dims[i];
        most[i] = d->axis[i]->grows ? H5S_UNLIMITED : dims[i];
    }
    return d->blocks.rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(d->blocks.rank, dims, most);
}

static void make_hdf_dataset(struct hl_writer *w, struct hl_dataset *d)
{
    hid_t type = hl_hdf_file_type(d->type), space = make_space(d), list = H5Pcreate(H5P_DATASET_CREATE);
    d->id = type >= 0 && space >= 0 && list >= 0 && set_storage(w, d, list)
                ? H5Dcreate2(w->file, d->path, type, space, H5P_DEFAULT, list, H5P_DEFAULT) : H5I_INVALID_HID;
    went(w, d->id >= 0, "creating", d->path);
    H5Pclose(list);
    H5Sclose(space);
    H5Tclose(type);
}

static struct hl_dataset *add_dataset(struct hl_writer *w, const char *path, enum hl_hdf_type type, int rank,
                                      const struct hl_axis *const *axis, const uint64_t *chunk)
{
    struct hl_dataset *d = hl_arena_alloc(w->arena, 1, sizeof *d);
    uint64_t dims[HL_MAX_RANK] = {0};
    const char *names[HL_MAX_RANK] = {0};
    *d = (struct hl_dataset){.path = path, .type = type, .id = H5I_INVALID_HID};
    for (int i = 0; i < rank; i++) {
        d->axis[i] = axis[i];
        dims[i] = axis[i]->n;
        names[i] = axis[i]->name;
    }
    d->blocks = hl_blocks_of(rank, dims, names);
    if (chunk)
        memcpy(d->chunk, chunk, (size_t)rank * sizeof *chunk);
    else
        choose_chunk(d);
    d->digest = hl_alloc((size_t)d->blocks.n, sizeof *d->digest);
    d->digest_capacity = d->blocks.n;
    w->dataset = hl_arena_push(w->arena, w->dataset, w->n_datasets, &w->datasets_capacity, sizeof(void *));
    w->dataset[w->n_datasets++] = d;
    if (!d->digest)
        hl_writer_fail(w, HL_ERR_MEMORY, "no memory for its digests");
    else
        make_hdf_dataset(w, d);
    return d;
}

struct hl_dataset *hl_writer_scale(struct hl_writer *w, const char *group, const struct hl_axis *axis)
{
    struct hl_dataset *scale = find(w, group, axis->name);
    if (scale || w->status != HL_OK)
        return scale;
    const char *path = hl_arena_printf(w->arena, "%s/%s", group, axis->name);
    scale = add_dataset(w, path, axis->type, 1, &axis, NULL);
    if (w->status != HL_OK)
        return scale;
    went(w, H5DSset_scale(scale->id, axis->name) >= 0, "making a scale of", path);
    hl_writer_text(w, scale, "units", axis->unit);
    hl_writer_text(w, scale, "long_name", axis->long_name);
    hl_writer_text(w, scale, "output", axis->output);
    if (!axis->grows)
        hl_writer_all(w, scale, axis->values);
    return scale;
}

struct hl_dataset *hl_writer_dataset(struct hl_writer *w, const char *group, const char *name, enum hl_hdf_type type,
                                     int rank, const struct hl_axis *const *axis, const uint64_t *chunk)
{
    struct hl_dataset *scale[HL_MAX_RANK] = {0};
    if (w->status != HL_OK)
        return NULL;
    make_group(w, group);
    for (int i = 0; i < rank && w->status == HL_OK; i++)
        scale[i] = hl_writer_scale(w, group, axis[i]);
    if (w->status != HL_OK)
        return NULL;
    struct hl_dataset *d = add_dataset(w, hl_arena_printf(w->arena, "%s/%s", group, name), type, rank, axis, chunk);
    for (int i = 0; i < rank && w->status == HL_OK; i++)
        went(w, H5DSattach_scale(d->id, scale[i]->id, (unsigned)i) >= 0, "naming an axis of", d->path);
    if (rank > 0 && type == HL_FLOAT32)
        hl_writer_numbers(w, d, "_FillValue", type, 1, &(float){NAN});
    if (rank > 0 && type == HL_FLOAT64)
        hl_writer_numbers(w, d, "_FillValue", type, 1, &(double){(double)NAN});
    return w->status == HL_OK ? d : NULL;
}

/* ---- Attributes. */

void hl_writer_text(struct hl_writer *w, struct hl_dataset *d, const char *name, const char *text)
{
    if (w->status == HL_OK && text && *text)
        went(w, hl_hdf_set_text(d->id, name, text), "describing", d->path);
}

void hl_writer_numbers(struct hl_writer *w, struct hl_dataset *d, const char *name, enum hl_hdf_type type, size_t n,
                       const void *values)
{
    if (w->status == HL_OK)
        went(w, hl_hdf_set_numbers(d->id, name, type, n, values), "describing", d->path);
}

void hl_writer_root_text(struct hl_writer *w, const char *name, const char *text)
{
    if (w->status == HL_OK)
        went(w, hl_hdf_set_text(w->file, name, text ? text : ""), "writing attribute", name);
}

/* The words one after another, separated by blanks; blanks inside them as underscores, nothing as one underscore. */
static const char *join_words(struct hl_arena *arena, size_t n, const char *const *word)
{
    size_t length = 1;
    for (size_t i = 0; i < n; i++)
        length += strlen(word[i]) + 2;
    char *text = hl_arena_alloc(arena, length, 1), *to = text;
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            *to++ = ' ';
        for (const char *c = *word[i] ? word[i] : "_"; *c; c++)
            *to++ = *c == ' ' || *c == '\t' || *c == '\n' || *c == '\r' ? '_' : *c;
    }
    return text;
}

void hl_writer_flags(struct hl_writer *w, struct hl_dataset *d, int first, size_t n, const char *const *meaning)
{
    if (w->status != HL_OK)
        return;
    signed char *narrow = hl_arena_alloc(w->arena, n, 1);
    int *wide = hl_arena_alloc(w->arena, n, sizeof *wide);
    for (size_t i = 0; i < n; i++) {
        narrow[i] = (signed char)(first + (int)i);
        wide[i] = first + (int)i;
    }
    const char *text = join_words(w->arena, n, meaning);
    hl_writer_numbers(w, d, "flag_values", d->type, n, d->type == HL_INT8 ? (void *)narrow : (void *)wide);
    hl_writer_text(w, d, "flag_meanings", text);
}

/* ---- Values. */

/* Digests of blocks first .. first + n - 1, whose values follow one another in memory. */
static void digest_blocks(struct hl_writer *w, struct hl_dataset *d, uint64_t first, uint64_t n, const void *values)
{
    const char *at = values;
    for (uint64_t b = first; b < first + n; b++) {
        uint64_t count = hl_blocks_values(&d->blocks, b);
        if (!hl_block_digest(d->type, at, count, d->digest[b]))
            hl_writer_fail(w, HL_ERR_MEMORY, "no memory for a digest");
        at += (size_t)count * hl_hdf_size(d->type);
    }
}

/* Writes (or reads) the part of a dataset that starts at start and has the shape count. */
static bool transfer(struct hl_dataset *d, const uint64_t *start, const uint64_t *count, const void *from, void *to)
{
    hsize_t s[HL_MAX_RANK], c[HL_MAX_RANK];
    for (int i = 0; i < d->blocks.rank; i++) {
        s[i] = start[i];
        c[i] = count[i];
    }
    hid_t type = hl_hdf_memory_type(d->type), file = H5Dget_space(d->id);
    hid_t memory = H5Screate_simple(d->blocks.rank, c, NULL);
    bool good = type >= 0 && file >= 0 && memory >= 0 &&
                H5Sselect_hyperslab(file, H5S_SELECT_SET, s, NULL, c, NULL) >= 0 &&
                (from ? H5Dwrite(d->id, type, memory, file, H5P_DEFAULT, from)
                      : H5Dread(d->id, type, memory, file, H5P_DEFAULT, to)) >= 0;
    H5Sclose(memory);
    H5Sclose(file);
    H5Tclose(type);
    return good;
}

static bool is_one_chunk(const struct hl_dataset *d)
{
    bool one = d->blocks.rank > 0 && d->chunk[0] > 0;
    for (int i = 0; one && i < d->blocks.rank; i++)
        one = d->chunk[i] == d->blocks.dims[i];
    return one;
}

/* A dataset that is one chunk, deflated here: HDF5 would do it when the file is closed, several times as slowly. */
static void write_packed(struct hl_writer *w, struct hl_dataset *d, const void *values)
{
    const uint64_t start[HL_MAX_RANK] = {0};
    size_t size = hl_hdf_size(d->type), raw = size;
    for (int i = 0; i < d->blocks.rank; i++)
        raw *= (size_t)d->blocks.dims[i];
    struct hl_packer *packer = hl_packer_create(w->level);
    void *scratch = hl_alloc_unset(raw, 1), *bytes = packer ? hl_alloc_unset(hl_pack_bound(packer, raw), 1) : NULL;
    size_t n = scratch && bytes ? hl_pack(packer, values, raw, size, scratch, bytes) : 0;
    if (n > 0)
        hl_writer_chunk(w, d, start, bytes, n);
    else
        hl_writer_fail(w, HL_ERR_MEMORY, "no memory to compress it");
    hl_free(bytes);
    hl_free(scratch);
    hl_packer_free(packer);
}

void hl_writer_all(struct hl_writer *w, struct hl_dataset *d, const void *values)
{
    uint64_t start[HL_MAX_RANK] = {0};
    if (w->status != HL_OK || d->blocks.n == 0)
        return;
    digest_blocks(w, d, 0, d->blocks.n, values);
    if (w->level > 0 && is_one_chunk(d)) {
        write_packed(w, d, values);
        return;
    }
    d->passed_on = true;
    went(w, transfer(d, start, d->blocks.dims, values, NULL), "writing", d->path);
}

void hl_writer_arm(struct hl_writer *w, struct hl_dataset *d, uint64_t arm, const void *values)
{
    uint64_t start[HL_MAX_RANK] = {arm}, count[HL_MAX_RANK], per_arm;
    if (w->status != HL_OK || d->blocks.n == 0)
        return;
    d->passed_on = true;
    memcpy(count, d->blocks.dims, sizeof count);
    count[0] = 1;
    per_arm = d->blocks.n / d->blocks.dims[0];
    digest_blocks(w, d, arm * per_arm, per_arm, values);
    went(w, transfer(d, start, count, values, NULL), "writing", d->path);
}

/* Makes room for n more rows and the digest of their block. */
static void grow(struct hl_writer *w, struct hl_dataset *d, uint64_t n)
{
    uint64_t b = d->blocks.n;
    void *grown = hl_grow(d->digest, (size_t)d->digest_capacity, (size_t)b + 1, sizeof *d->digest);
    if (!grown) {
        hl_writer_fail(w, HL_ERR_MEMORY, "no memory for its digests");
        return;
    }
    d->digest = grown;
    d->digest_capacity = b + 1;
    const char *axis = d->axis[0]->name;
    hsize_t size = d->blocks.dims[0] + n;
    d->blocks = hl_blocks_of(1, &(uint64_t){size}, &axis);
    went(w, H5Dset_extent(d->id, &size) >= 0, "growing", d->path);
}

void hl_writer_append(struct hl_writer *w, struct hl_dataset *d, uint64_t n, const void *values)
{
    if (w->status != HL_OK || n == 0)
        return;
    uint64_t start[HL_MAX_RANK] = {d->blocks.dims[0]}, count[HL_MAX_RANK] = {n};
    grow(w, d, n);
    if (w->status != HL_OK)
        return;
    d->passed_on = true;
    digest_blocks(w, d, d->blocks.n - 1, 1, values);
    went(w, transfer(d, start, count, values, NULL), "writing", d->path);
}

void hl_writer_append_packed(struct hl_writer *w, struct hl_dataset *d, uint64_t n, const void *bytes, size_t size,
                             const unsigned char digest[32])
{
    if (w->status != HL_OK || n == 0)
        return;
    uint64_t start[HL_MAX_RANK] = {d->blocks.dims[0]};
    grow(w, d, n);
    hl_writer_chunk(w, d, start, bytes, size);
    if (w->status == HL_OK)
        memcpy(d->digest[d->blocks.n - 1], digest, 32);
}

/* Begins to put on disk what has been written; not to be able to is no failure: the file is synced at the end. */
static void begin_sync(struct hl_writer *w)
{
#if defined __linux__ && defined SYNC_FILE_RANGE_WRITE
    int *descriptor = NULL;
    if (H5Fget_vfd_handle(w->file, H5P_DEFAULT, (void **)&descriptor) >= 0 && descriptor)
        (void)sync_file_range(*descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
#endif
    w->unsynced = 0;
}

static void remember_chunk(struct hl_writer *w, struct hl_dataset *d, const uint64_t *offset, size_t n)
{
    if (d->n_stored == d->stored_capacity) {
        size_t larger = 2 * d->stored_capacity + 16;
        void *grown = hl_grow(d->stored, d->stored_capacity, larger, sizeof *d->stored);
        if (!grown) {
            hl_writer_fail(w, HL_ERR_MEMORY, "no memory for the list of its chunks");
            return;
        }
        d->stored = grown;
        d->stored_capacity = larger;
    }
    struct hl_stored_chunk *chunk = &d->stored[d->n_stored++];
    *chunk = (struct hl_stored_chunk){.n = n};
    memcpy(chunk->offset, offset, (size_t)d->blocks.rank * sizeof *offset);
}

void hl_writer_chunk(struct hl_writer *w, struct hl_dataset *d, const uint64_t *offset, const void *bytes, size_t n)
{
    hsize_t o[HL_MAX_RANK];
    for (int i = 0; i < d->blocks.rank; i++)
        o[i] = offset[i];
    if (w->status != HL_OK || !went(w, H5Dwrite_chunk(d->id, H5P_DEFAULT, 0, o, n, bytes) >= 0, "writing", d->path))
        return;
    remember_chunk(w, d, offset, n);
    w->unsynced += n;
    if (w->unsynced >= BEGIN_SYNC_BYTES)
        begin_sync(w);
}

void hl_writer_read(struct hl_writer *w, struct hl_dataset *d, void *values)
{
    uint64_t start[HL_MAX_RANK] = {0};
    if (w->status == HL_OK)
        went(w, transfer(d, start, d->blocks.dims, NULL, values), "reading back", d->path);
}

void hl_writer_remove(struct hl_writer *w, struct hl_dataset *d)
{
    if (w->status != HL_OK)
        return;
    for (unsigned i = 0; i < (unsigned)d->blocks.rank; i++) {
        struct hl_dataset *scale = NULL;
        for (size_t j = 0; j < w->n_datasets && !scale; j++) {
            size_t stem = (size_t)(strrchr(d->path, '/') - d->path);
            const char *path = w->dataset[j]->path;
            if (strncmp(path, d->path, stem + 1) == 0 && strcmp(path + stem + 1, d->axis[i]->name) == 0)
                scale = w->dataset[j];
        }
        went(w, scale && H5DSdetach_scale(d->id, scale->id, i) >= 0, "rearranging", d->path);
    }
    if (w->status != HL_OK)
        return;
    went(w, H5Dclose(d->id) >= 0 && H5Ldelete(w->file, d->path, H5P_DEFAULT) >= 0, "rearranging", d->path);
    size_t at = 0;
    while (w->dataset[at] != d)
        at++;
    memmove(&w->dataset[at], &w->dataset[at + 1], (w->n_datasets - at - 1) * sizeof *w->dataset);
    w->n_datasets--;
    hl_free(d->digest);
    hl_free(d->stored);
}

/* ---- The end. */

void hl_writer_payload(struct hl_writer *w, char hex[65])
{
    struct hl_payload_item *item = hl_arena_alloc(w->arena, w->n_datasets, sizeof *item);
    size_t n = 0;
    for (size_t i = 0; i < w->n_datasets; i++) {
        const struct hl_dataset *d = w->dataset[i];
        if (strncmp(d->path, "/provenance/", 12) != 0)
            item[n++] = (struct hl_payload_item){d->path, d->type, d->blocks, (const unsigned char (*)[32])d->digest};
    }
    if (!hl_payload_digest(item, n, hex))
        hl_writer_fail(w, HL_ERR_MEMORY, "no memory for a digest");
}

/* Closes every object and the file; false when HDF5 says that something was lost. */
static bool close_file(struct hl_writer *w)
{
    bool good = true;
    for (size_t i = 0; i < w->n_datasets; i++)
        if (w->dataset[i]->id >= 0) {
            w->dataset[i]->n_attributes = hl_hdf_attributes(w->dataset[i]->id);
            good = H5Dclose(w->dataset[i]->id) >= 0 && good;
        }
    if (w->file >= 0)
        w->n_attributes = hl_hdf_attributes(w->file);
    if (w->file >= 0)
        good = H5Fclose(w->file) >= 0 && good;
    w->file = H5I_INVALID_HID;
    return good;
}

static void release(struct hl_writer *w)
{
    for (size_t i = 0; i < w->n_datasets; i++) {
        hl_free(w->dataset[i]->digest);
        hl_free(w->dataset[i]->stored);
    }
    hl_arena_free(w->arena);
}

static bool sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool good = fsync(fd) == 0 || errno == EINVAL; /* EINVAL: this file system does not sync directories */
    int kept = errno;
    good = close(fd) == 0 && good;
    errno = kept;
    return good;
}

/* Without force an existing file must survive even if it appeared a moment ago: link() refuses, rename() would not. */
static bool take_name(struct hl_writer *w)
{
    if (w->force)
        return rename(w->temporary, w->path) == 0;
    if (link(w->temporary, w->path) == 0)
        return unlink(w->temporary) == 0;
    if (errno == EEXIST || access(w->path, F_OK) == 0)
        return errno = EEXIST, false;
    return rename(w->temporary, w->path) == 0; /* a file system without hard links */
}

static void verify_and_rename(struct hl_writer *w)
{
    char why[300] = "";
    enum hl_status same = HL_OK;
    if (!sync_path(w->temporary, O_RDWR))
        fail_plainly(w, "cannot write '%s': %s while syncing; no file was left behind", w->path, strerror(errno));
    else if ((same = hl_verify(w->temporary, w, why, sizeof why)) == HL_ERR_MEMORY)
        hl_writer_fail(w, same, "no memory to read it back");
    else if (same != HL_OK)
        fail_plainly(w,
                     "cannot write '%s': what was read back is not what was written (%s); is the disk full or faulty? "
                     "No file was left behind",
                     w->path, why);
    else if (!take_name(w))
        fail_plainly(w, "cannot write '%s': %s; no file was left behind", w->path, strerror(errno));
    else if (!sync_path(directory_of(w->arena, w->path), O_RDONLY | O_DIRECTORY))
        fail_plainly(w, "'%s' is written, but its directory could not be synced: %s", w->path, strerror(errno));
}

enum hl_status hl_writer_finish(struct hl_writer *w)
{
    if (w->status == HL_OK)
        went(w, H5Fflush(w->file, H5F_SCOPE_GLOBAL) >= 0, "flushing", "the file");
    bool closed = close_file(w);
    if (w->status == HL_OK)
        went(w, closed, "closing", "the file");
    if (w->status == HL_OK)
        verify_and_rename(w);
    if (w->status != HL_OK && w->temporary)
        (void)unlink(w->temporary);
    enum hl_status status = w->status;
    hl_memory_before_end(NULL, NULL);
    release(w);
    return status;
}

void hl_writer_abandon(struct hl_writer *w)
{
    if (!w)
        return;
    (void)close_file(w);
    (void)H5Eclear2(H5E_DEFAULT);
    if (w->temporary)
        (void)unlink(w->temporary);
    hl_memory_before_end(NULL, NULL);
    release(w);
}
