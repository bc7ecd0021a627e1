#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recomputes payload_sha256 of a result from its values alone, by the recipe in docs/file-format.md.

    scripts/verify_payload.py FILE.h5...

Prints one line per file; the exit status is 1 when a digest differs. Needs h5py and numpy, and nothing of halflife.
"""
import hashlib
import sys

import h5py
import numpy as np

GROUPS = ("", "subjects", "metrics", "doses", "records", "design")
SUBJECTS, ROWS = 64, 65536


def datasets(file):
    """All datasets that count, as (path, dataset), in byte order of their paths."""
    found = []
    for group in GROUPS:
        if group and group not in file:
            continue
        for name, item in (file[group] if group else file).items():
            if isinstance(item, h5py.Dataset):
                found.append(((group and "/" + group) + "/" + name, item))
    return sorted(found, key=lambda pair: pair[0].encode())


def is_text(dataset):
    return h5py.check_string_dtype(dataset.dtype) is not None


def type_name(dataset):
    return "string" if is_text(dataset) else dataset.dtype.newbyteorder("<").name


def axis_names(path, dataset):
    """The names of the axes: a scale's own name, else the names of the scales attached."""
    if h5py.h5ds.is_scale(dataset.id):
        return [path.rsplit("/", 1)[1]]
    return [axis[0].name.rsplit("/", 1)[1] for axis in dataset.dims]


def cuts(axes, shape):
    """The shape of a whole block."""
    cut = list(shape)
    by_arm = len(axes) > 1 and axes[0] == "arm"
    if by_arm:
        cut[0] = 1
    second = 1 if by_arm else 0
    if axes[second] == "subject":
        cut[second] = SUBJECTS
    elif second == 0:
        cut[0] = ROWS
    return [max(1, n) for n in cut]


def blocks(shape, cut):
    """Slices of all blocks, the last axis running fastest."""
    counts = [-(-n // c) for n, c in zip(shape, cut)]
    for index in np.ndindex(*counts):
        yield tuple(slice(i * c, min((i + 1) * c, n)) for i, c, n in zip(index, cut, shape))


def block_digest(dataset, part):
    values = dataset[part]
    if is_text(dataset):
        return hashlib.sha256(b"".join(bytes(v) + b"\0" for v in values.ravel())).digest()
    return hashlib.sha256(np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()).digest()


def payload(file):
    sha = hashlib.sha256()
    for path, dataset in datasets(file):
        sha.update(path.encode() + b"\0" + type_name(dataset).encode() + b"\0")
        sha.update(",".join(map(str, dataset.shape)).encode() + b"\0")
        for part in blocks(dataset.shape, cuts(axis_names(path, dataset), dataset.shape)):
            sha.update(block_digest(dataset, part))
    return sha.hexdigest()


def main(paths):
    good = True
    for path in paths:
        with h5py.File(path, "r") as file:
            stored, found = file.attrs["payload_sha256"], payload(file)
        good = good and stored == found
        print(f"{path}: {'intact' if stored == found else 'DIFFERS'}, payload_sha256 {found}")
    return 0 if good and paths else 1


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
