#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens a result in h5py and in xarray with both engines; prints TAP."""
import importlib.util
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import _result  # noqa: E402

CASES = []


def case(function):
    CASES.append(function)
    return function


def need(*modules):
    """The reason to skip, if one of the modules is missing."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise ModuleNotFoundError(f"{module} is missing")


@case
def h5py_names_axes_and_units(path):
    need("h5py")
    import h5py
    with h5py.File(path, "r") as file:
        cp = file["clonazepam_Cp"]
        assert [axis[0].name for axis in cp.dims] == ["/arm", "/subject", "/time"], "axes"
        assert cp.attrs["units"] == "ng/mL" and cp.attrs["output"] == "clonazepam.Cp", "attributes"
        assert list(file["subject"][:3]) == [1, 2, 3] and file["time"][0] == 0.0 and file["time"].attrs["units"] == "h", "scales"
        assert file["arm_name"].asstr()[0] == "standard care", "arm_name"
        assert file["metrics/clonazepam_Cp_Cmax"].dims[1][0].name == "/metrics/subject", "metrics carry their own scales"


@case
def every_axis_of_every_dataset_has_a_scale(path):
    need("h5py")
    import h5py
    texts = []

    def look(name, item):
        if isinstance(item, h5py.Dataset):
            assert h5py.h5ds.is_scale(item.id) or not item.shape or all(len(axis) == 1 for axis in item.dims), f"{name} lacks a scale"
            assert item.dtype.name in ("float32", "float64", "int8", "int32", "object"), f"{name} is {item.dtype}"
            if item.dtype.name == "object":
                texts.append(name)

    with h5py.File(path, "r") as file:
        file.visititems(look)
    assert texts == ["arm_name"], f"string datasets: {texts}"


@case
def root_attributes_are_complete(path):
    need("h5py")
    import h5py
    wanted = ("Conventions title summary history source library_versions instruction_set date_created schema_name "
              "schema_version seed rng threads status subjects_failed wall_seconds payload_sha256").split()
    with h5py.File(path, "r") as file:
        missing = [name for name in wanted if not isinstance(file.attrs.get(name), str)]
        assert not missing, f"missing or no text: {missing}"
        assert file.attrs["Conventions"] == "CF-1.10, ACDD-1.3" and file.attrs["status"] == "complete"
        assert "education and research, not for dosing" in file.attrs["summary"]


@case
def provenance_texts_have_their_digests(path):
    need("h5py")
    import hashlib
    import h5py
    with h5py.File(path, "r") as file:
        assert "text" in file["provenance/study"].attrs
        for item in file["provenance"].values():
            if "text" in item.attrs:
                assert hashlib.sha256(item.attrs["text"].encode()).hexdigest() == item.attrs["sha256"], item.name


@case
def payload_digest_can_be_recomputed(path):
    need("h5py")
    script = os.path.join(_result.ROOT, "scripts", "verify_payload.py")
    done = subprocess.run([sys.executable, script, path], stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stdout


def xarray_opens(path, engine):
    import h5py
    import xarray
    with xarray.open_dataset(path, engine=engine) as data, h5py.File(path, "r") as file:
        cp = data["clonazepam_Cp"]
        assert cp.dims == ("arm", "subject", "time") and cp.attrs["units"] == "ng/mL", "trajectories"
        assert str(cp.dtype) == "float32" and data["time"].attrs["units"] == "h", "types"
        last = int(data["arm"][-1])
        subject, time = int(data["subject"][-2]), float(data["time"][data.sizes["time"] // 2])
        value = float(cp.sel(arm=last, subject=subject, time=time))
        assert value == float(file["clonazepam_Cp"][last, subject - 1, data.sizes["time"] // 2]) and value > 0, "a value"
        assert data["clonazepam_Cp_quantiles"].dims == ("arm", "quantile", "time"), "quantiles"
        median = data["clonazepam_Cp_quantiles"].sel(quantile=0.5).isel(arm=0, time=-1)
        assert float(median) > 0, "a median"
    for group in ("metrics", "subjects", "doses", "provenance"):
        with xarray.open_dataset(path, engine=engine, group=group) as data:
            assert len(data.variables) > 0, group
    with xarray.open_dataset(path, engine=engine, group="metrics") as data:
        assert data["clonazepam_Cp_Cmax"].dims == ("arm", "subject"), "metrics"
        assert data["clonazepam_Cp_AUC"].dims == ("arm", "subject", "window"), "windows"
    with xarray.open_dataset(path, engine=engine, group="doses") as data:
        assert data["amount"].dims == ("dose",) and data["route"].attrs["flag_meanings"], "doses"


@case
def xarray_with_netcdf4(path):
    need("h5py", "xarray", "netCDF4")
    xarray_opens(path, "netcdf4")


@case
def xarray_with_h5netcdf(path):
    need("h5py", "xarray", "h5netcdf")
    xarray_opens(path, "h5netcdf")


@case
def h5py_reads_records(path):
    need("h5py")
    import h5py
    import numpy as np
    answers = _result.records_answers()
    with h5py.File(answers["RECORDS"], "r") as file:
        records = file["records"]
        assert [axis[0].name for axis in records["IPRED"].dims] == ["/records/record"], "axes"
        assert {"ID", "TIME", "EVID", "CMT", "source_row", "IPRED", "DV"} <= set(records), "columns"
        for name, item in records.items():
            assert item.shape == (answers["N_RECORDS"],) and item.dtype in (np.float64, np.int32), name
            assert "long_name" in item.attrs and ("units" in item.attrs or item.dtype == np.int32), name
        assert not {"time", "quantile", "doses", "metrics"} & set(file), "what a data-set run doesn't have"
        assert file.attrs["covariate_rule"] and file.attrs["bioavailability_scales"] == "duration", "rules"
        assert len(file["provenance/data"].attrs["sha256"]) == 64 and file["provenance/data"].attrs["path"], "data set"
        order = records["source_row"][:]
        assert (np.diff(order) > 0).all(), "file order"


@case
def payload_digest_of_records_can_be_recomputed(path):
    payload_digest_can_be_recomputed(_result.records_path())


@case
def every_axis_of_a_records_file_has_a_scale(path):
    every_axis_of_every_dataset_has_a_scale(_result.records_path())


def xarray_opens_records(engine):
    import xarray
    answers = _result.records_answers()
    row, path = int(answers["ROW"]) - 1, answers["RECORDS"]
    with xarray.open_dataset(path, engine=engine, group="records") as data:
        assert data["IPRED"].dims == ("record",) and data["IPRED"].attrs["units"] == "ng/mL", "columns"
        assert float(data["IPRED"][row]) == float(answers["ROW_IPRED"]) and str(data["IPRED"].dtype) == "float64", "a value"
        assert int(data["ID"][row]) == int(answers["ROW_ID"]) and data.sizes["record"] == int(answers["N_RECORDS"])
        frame = data.to_dataframe()
        assert frame["AMT"].isna().iloc[int(answers["ROW_MISSING"]) - 1] and (frame["TIME"] >= 0).all(), "as a table"
        assert str(frame["TIME"].dtype) == "float64", "TIME stays a number"
    with xarray.open_dataset(path, engine=engine, group="subjects") as data:
        assert data["ID"].dims == ("subject",) and data.sizes["subject"] == int(answers["N_INDIVIDUALS"]), "subjects"
    with xarray.open_dataset(path, engine=engine) as data:
        assert "arm" in data.dims and "time" not in data.dims, "root"


@case
def xarray_with_netcdf4_opens_records(path):
    need("h5py", "xarray", "netCDF4")
    xarray_opens_records("netcdf4")


@case
def xarray_with_h5netcdf_opens_records(path):
    need("h5py", "xarray", "h5netcdf")
    xarray_opens_records("h5netcdf")


def main():
    print(f"1..{len(CASES)}")
    path = _result.result_path()
    for number, function in enumerate(CASES, 1):
        name = function.__name__.replace("_", " ")
        try:
            function(path)
            print(f"ok {number} - {name}")
        except ModuleNotFoundError as error:
            print(f"ok {number} - {name} # SKIP {error}")
        except Exception as error:  # every failure is a failed case, not a crash of the others
            print(f"not ok {number} - {name}\n# {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
