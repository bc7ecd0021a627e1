/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The machinery behind store.h: a file under a temporary name, datasets whose
 * every axis carries a scale, and the digest of each block that was written.
 * Knows HDF5 and nothing of pharmacology.
 *
 * Failure is remembered: the first one writes its message and every later call
 * does nothing, so that a sequence of calls needs one look at writer->status. */
#ifndef HL_STORE_WRITER_H
#define HL_STORE_WRITER_H

#include "base/diag.h"
#include "base/status.h"
#include "store/payload.h"

/* The values of a dimension; lives at least as long as the writer. */
struct hl_axis {
    const char *name;
    enum hl_hdf_type type;
    uint64_t n;
    const void *values;
    const char *unit, *long_name, *output; /* output: the dotted name of what the values belong to, or NULL */
    bool grows;                            /* n is 0 at first and rows are appended; the scale counts them from 1 */
};

/* What was written as its final bytes: where it begins and how long it is. */
struct hl_stored_chunk { uint64_t offset[HL_MAX_RANK], n; };

struct hl_dataset {
    const char *path;
    enum hl_hdf_type type;
    hid_t id;
    const struct hl_axis *axis[HL_MAX_RANK];
    struct hl_blocks blocks;
    uint64_t chunk[HL_MAX_RANK]; /* 0: stored in one piece */
    unsigned char (*digest)[32]; /* blocks.n of them, zero until written */
    uint64_t digest_capacity;
    size_t n_stored, stored_capacity; struct hl_stored_chunk *stored; /* by hl_writer_chunk */
    bool passed_on;              /* values went through HDF5's own buffers, too */
    uint64_t n_attributes;       /* when it was closed */
};

struct hl_writer {
    struct hl_arena *arena;
    struct hl_diag *diag;
    enum hl_status status;
    const char *path, *temporary;
    bool force;
    bool verify_all; /* read everything back at the end */
    uint64_t n_attributes; /* of the root, when it was closed */
    uint64_t unsynced; /* bytes written since the system was last asked to begin putting them on disk */
    int level; /* of deflate; 0 for no compression */
    hid_t file;
    size_t n_datasets, datasets_capacity;
    struct hl_dataset **dataset; /* in order of creation, scales and provenance included */
    size_t n_axes, axes_capacity;
    const struct hl_axis **axis; /* whose names no variable may take */
};

/* Opens .NAME.h5.part-PID beside path. HL_ERR_IO with a message in diag when the directory can't be written, path is no
 * regular file, or exists without force. */
enum hl_status hl_writer_create(const char *path, bool force, int level, struct hl_writer **writer,
                                struct hl_diag *diag);

/* Writes the message, with HDF5's reason, and remembers the failure. what: "cannot write clonazepam_Cp". */
void hl_writer_fail(struct hl_writer *writer, enum hl_status status, const char *what);

/* Makes the names of an axis unavailable to variables. */
void hl_writer_reserve(struct hl_writer *writer, const struct hl_axis *axis);

/* A name that HDF5, Python, R and Octave take (letters, digits, underscores) and no dataset of the group ("",
 * "/metrics") has yet; from the writer's arena. */
const char *hl_writer_name(struct hl_writer *writer, const char *group, const char *wanted);

/* wanted with everything but letters, digits and underscores made an underscore; x in front of a digit. */
char *hl_writer_safe(struct hl_arena *arena, const char *wanted);

/* The scale of an axis in a group, made when first needed; NULL after a failure. */
struct hl_dataset *hl_writer_scale(struct hl_writer *writer, const char *group, const struct hl_axis *axis);

/* Creates a dataset (and its group, and its axes' scales there). chunk may be NULL: about 1 MiB, whole arms first.
 * rank 0 is an empty scalar that carries attributes. NULL after a failure. */
struct hl_dataset *hl_writer_dataset(struct hl_writer *writer, const char *group, const char *name,
                                     enum hl_hdf_type type, int rank, const struct hl_axis *const *axis,
                                     const uint64_t *chunk);

/* Attributes of a dataset; a NULL or empty text is left out. */
void hl_writer_text(struct hl_writer *writer, struct hl_dataset *dataset, const char *name, const char *text);
void hl_writer_numbers(struct hl_writer *writer, struct hl_dataset *dataset, const char *name, enum hl_hdf_type type,
                       size_t n, const void *values);

/* An attribute of the root group. */
void hl_writer_root_text(struct hl_writer *writer, const char *name, const char *text);

/* Codes and what they mean, CF's way: flag_values first .. first+n-1 and flag_meanings, blanks in meanings as
 * underscores. */
void hl_writer_flags(struct hl_writer *writer, struct hl_dataset *dataset, int first, size_t n,
                     const char *const *meaning);

/* Writes all of a dataset, or all of one arm of it: dense values of the dataset's type. */
void hl_writer_all(struct hl_writer *writer, struct hl_dataset *dataset, const void *values);
void hl_writer_arm(struct hl_writer *writer, struct hl_dataset *dataset, uint64_t arm, const void *values);

/* Appends n rows to a dataset whose only axis grows; n is HL_BLOCK_ROWS except the last time. */
void hl_writer_append(struct hl_writer *writer, struct hl_dataset *dataset, uint64_t n, const void *values);

/* The same of rows that are packed and digested already: bytes are a whole chunk of HL_BLOCK_ROWS rows, of which the
 * last ones may be filling. */
void hl_writer_append_packed(struct hl_writer *writer, struct hl_dataset *dataset, uint64_t n, const void *bytes,
                             size_t size, const unsigned char digest[32]);

/* Writes one stored chunk as its final bytes; the caller sets dataset->digest. */
void hl_writer_chunk(struct hl_writer *writer, struct hl_dataset *dataset, const uint64_t *offset, const void *bytes,
                     size_t n);

/* Reads all of a dataset back (dense values of its type). */
void hl_writer_read(struct hl_writer *writer, struct hl_dataset *dataset, void *values);

/* Takes a dataset out of the file again; it must not be used afterwards. */
void hl_writer_remove(struct hl_writer *writer, struct hl_dataset *dataset);

/* payload_sha256 of everything written so far. */
void hl_writer_payload(struct hl_writer *writer, char hex[65]);

/* Closes, syncs, opens the file again and checks it (verify.h), gives it its name. Releases the writer. */
enum hl_status hl_writer_finish(struct hl_writer *writer);

/* Closes and removes the temporary file; releases the writer. NULL is allowed. */
void hl_writer_abandon(struct hl_writer *writer);

#endif
