"""Every kind of file, opened by netCDF4: names, dimensions, types and attributes are those of the contract; inspect and
evaluate read them; a file that another program has rewritten is accepted, one whose values it changed is refused."""

import os
import re
import shutil

import netCDF4
import numpy as np

from support import akin, draw_catalogue, fresh, main

FOLDER = fresh("schema")
ITEMS, K, LATENT = 30, 5, 32
path = lambda name: os.path.join(FOLDER, name)

LABELS = {
    "id": ("S1", ("item", "id_length")),
    "category": ("int32", ("item",)),
    "group": ("int32", ("item",)),
    "category_name": ("S1", ("category_count", "name_length")),
    "group_name": ("S1", ("group_count", "name_length")),
    "available": ("int8", ("item",)),
}
FILES = {  # kind: variables, lengths of dimensions, inputs
    "catalog": ({**LABELS, "image": ("uint8", ("item", "row", "column", "channel")), "content_hash": ("uint64", ("item",))},
                {"item": ITEMS, "row": 32, "column": 32, "channel": 3, "category_count": 3}, ["source"]),
    "embeddings": ({**LABELS, "embedding": ("float32", ("item", "feature"))},
                   {"item": ITEMS, "feature": LATENT, "category_count": 3}, ["catalog", "model"]),
    "table": ({**LABELS, "neighbor": ("int32", ("item", "k")), "score": ("float32", ("item", "k")), "count": ("int32", ("item",))},
              {"item": ITEMS, "k": K, "category_count": 3}, ["embeddings"]),
    "model": ({}, {}, ["catalog"]),
}


def setup():
    source = draw_catalogue(path("source"), ITEMS)
    akin("ingest", source, "-o", path("catalog.nc"), ranks=2)
    akin("train", path("catalog.nc"), "-o", path("model.nc"), "--epochs", 1, "--objective", "reconstruction",
         "--features", "autoencoder", ranks=2)
    akin("embed", path("catalog.nc"), "--model", path("model.nc"), "-o", path("embeddings.nc"), ranks=2)
    akin("neighbors", path("embeddings.nc"), "-k", K, "-o", path("table.nc"), ranks=2)


def text_rows(variable):
    return [bytes(row).rstrip(b"\0").decode("utf-8") for row in variable]


def test_names_types_and_dimensions():
    for kind, (variables, lengths, _) in FILES.items():
        with netCDF4.Dataset(path(kind + ".nc")) as d:
            d.set_auto_chartostring(False)
            for name, (dtype, dims) in variables.items():
                assert name in d.variables, f"{kind}: no variable {name}"
                v = d.variables[name]
                assert v.dtype == np.dtype(dtype), f"{kind}: {name} is {v.dtype}, not {dtype}"
                assert v.dimensions == dims, f"{kind}: {name} has {v.dimensions}, not {dims}"
                if dtype == "S1":
                    assert v._Encoding == "utf-8", f"{kind}: {name}"
            for name, length in lengths.items():
                assert len(d.dimensions[name]) == length, f"{kind}: dimension {name} is {len(d.dimensions[name])}, not {length}"
            assert all(len(dimension) >= 1 and not dimension.isunlimited() for dimension in d.dimensions.values())
            assert not d.groups


def test_attributes():
    for kind, (_, _, inputs) in FILES.items():
        with netCDF4.Dataset(path(kind + ".nc")) as d:
            assert d.data_model == "NETCDF4"
            assert d.Conventions == "CF-1.10, ACDD-1.3"
            assert d.akin_kind == kind and d.akin_format == 1 and re.fullmatch(r"\d+\.\d+\.\d+", d.akin_version)
            for name in ("title", "summary", "keywords", "source", "akin_options"):
                assert d.getncattr(name), f"{kind}: attribute {name} is missing or empty"
            assert "akin_result_options" in d.ncattrs()
            assert re.fullmatch("[0-9a-f]{32}", d.content_digest)
            for name in inputs:
                assert re.fullmatch("[0-9a-f]{32}", d.getncattr(f"input_{name}_digest")), f"{kind}: input_{name}_digest"
            for name, v in d.variables.items():
                assert v.long_name, f"{kind}: {name} has no long_name"
                if "flag_values" in v.ncattrs():
                    assert v.getncattr("flag_values").dtype == v.dtype and v.flag_meanings
                filled = ["_FillValue"] if (kind, name) == ("table", "neighbor") else []  # -1 is no item, not the last one
                assert [a for a in v.ncattrs() if a == "_FillValue"] == filled, f"{kind}: {name}"
                assert (v.dimensions[0] != "item" if v.dimensions else True) or name == "id" or v.coordinates == "id", f"{kind}: {name}"


def test_digests_chain():
    digest = {}
    for kind in FILES:
        with netCDF4.Dataset(path(kind + ".nc")) as d:
            digest[kind] = d.content_digest
    for kind, (_, _, inputs) in FILES.items():
        with netCDF4.Dataset(path(kind + ".nc")) as d:
            for name in set(inputs) - {"source"}:
                assert d.getncattr(f"input_{name}_digest") == digest[name], f"{kind} was made from another {name}"


def test_values():
    labels = {}
    for kind in ("catalog", "embeddings", "table"):
        with netCDF4.Dataset(path(kind + ".nc")) as d:
            d.set_auto_chartostring(False)
            d.set_auto_mask(False)
            labels[kind] = {name: d[name][:].tobytes() for name in LABELS}
            ids, names = text_rows(d["id"][:]), text_rows(d["category_name"][:])
            assert ids == sorted(ids, key=str.encode) and ids[0] == "item-0000"
            assert names == ["bags", "hats", "shoes"]
            assert [names[c] for c in d["category"][:3]] == ["hats", "shoes", "bags"]
            assert set(d["available"][:]) == {0, 1} and d["available"][6] == 0
            groups = text_rows(d["group_name"][:])
            assert groups == sorted(groups) and all(-1 <= g < len(groups) for g in d["group"][:]) and d["group"][2] == -1
    assert labels["catalog"] == labels["embeddings"] == labels["table"]
    with netCDF4.Dataset(path("embeddings.nc")) as d:
        assert np.allclose(np.linalg.norm(d["embedding"][:].astype("f8"), axis=1), 1, atol=1e-6)
    with netCDF4.Dataset(path("table.nc")) as d:
        assert not np.ma.is_masked(d["neighbor"][:]) and not np.ma.is_masked(d["score"][:])
        assert (d["count"][:] == K).all() and (np.diff(d["score"][:]) <= 0).all()


def test_inspect_says_what_it_is():
    for kind, (_, lengths, inputs) in FILES.items():
        told = akin("inspect", path(kind + ".nc"), "--json", ranks=2).json
        assert told["kind"] == kind and told["items"] == lengths.get("item", 0), told
        assert set(inputs) <= set(told["inputs"]), told
        with netCDF4.Dataset(path(kind + ".nc")) as d:
            assert told["digest"] == d.content_digest
            assert list(told["dimensions"].items()) == [(name, len(v)) for name, v in d.dimensions.items()]
            assert list(told["variables"]) == list(d.variables)
        lines = akin("inspect", path(kind + ".nc"), "--quiet").out.splitlines()
        assert 5 <= len(lines) <= 20 and kind in "".join(lines), lines
    assert akin("inspect", path("model.nc"), "--json").json["parameters"] == 570019
    assert akin("inspect", path("table.nc"), "--json").json["neighbors"] == ITEMS * K
    assert akin("inspect", path("source/p0.png"), "--json", expect=3).json["exit"] == 3
    assert "PNG" in akin("inspect", path("source/p0.png"), expect=3).err
    assert "missing.nc" in akin("inspect", path("missing.nc"), expect=1).err
    assert akin("inspect", expect=2).out == ""


def test_evaluate_equals_numpy():
    with netCDF4.Dataset(path("table.nc")) as d:
        d.set_auto_mask(False)
        neighbor, category = d["neighbor"][:], d["category"][:]
        digest = d.content_digest
    akin("neighbors", path("embeddings.nc"), "-k", 3, "--same-category", "-o", path("other.nc"))
    with netCDF4.Dataset(path("other.nc")) as d:
        d.set_auto_mask(False)
        other = d["neighbor"][:]
    churn = [1 - len(set(a) & set(b) - {-1}) / max((a >= 0).sum(), (b >= 0).sum(), 1) for a, b in zip(neighbor, other)]
    for ranks in (0, 3):
        told = akin("evaluate", path("table.nc"), "--against", path("other.nc"), "--json", ranks=ranks).json
        for n in (1, 5, 10):
            right = np.where(neighbor[:, :n] >= 0, category[neighbor[:, :n]] == category[:, None], False).sum(axis=1) / n
            assert abs(told[f"precision_at_{n}"] - right.mean()) < 1e-12, (n, told)
        assert told["coverage"] == told["full_coverage"] == 1 and told["table_digest"] == digest and told["items"] == ITEMS
        assert abs(told["churn"] - np.mean(churn)) < 1e-12 and told["common_ids"] == ITEMS
    assert akin("evaluate", path("table.nc"), "--json").json["churn"] is None
    assert "catalog" in akin("evaluate", path("catalog.nc"), expect=3).err
    akin("evaluate", path("table.nc"), "--label", "colour", expect=2)


def test_other_programs_may_rewrite_but_not_change():
    copy = path("copy.nc")
    shutil.copy(path("table.nc"), copy)
    with netCDF4.Dataset(copy, "r+") as d:
        d.title = "The table of our shop"
    assert akin("inspect", copy, "--json").json["kind"] == "table"
    with netCDF4.Dataset(copy, "r+") as d:
        d["score"][3, 0] = 0.5
    assert "damaged" in akin("inspect", copy, "--json", expect=3).json["message"]
    with netCDF4.Dataset(path("table.nc")) as old, netCDF4.Dataset(copy, "w") as new:  # as xarray or nccopy does
        new.setncatts(old.__dict__)
        for name, dimension in old.dimensions.items():
            new.createDimension(name, len(dimension))
        for name, v in old.variables.items():
            made = new.createVariable(name, v.dtype, v.dimensions, zlib=True)
            made.set_auto_chartostring(False), v.set_auto_chartostring(False)
            made.setncatts(v.__dict__)
            made[:] = v[:]
    assert akin("evaluate", copy, "--json", ranks=3).json["table_digest"] == akin("evaluate", path("table.nc"), "--json").json["table_digest"]
    with netCDF4.Dataset(copy, "r+") as d:
        d.akin_format = np.int32(2)
    assert "format 2" in akin("evaluate", copy, expect=3).err


def test_claims_beyond_the_file_are_refused():
    """Small files that say that they are large, in every way that a library can write."""
    for length, how in ((2**20, {"contiguous": True}), (2**40, {"contiguous": True}), (2**50, {"chunksizes": (1024,)}),
                        (2**40, {"chunksizes": (1024,)}), (None, {})):
        with netCDF4.Dataset(path("claim.nc"), "w") as d:
            d.akin_kind, d.akin_format, d.content_digest = "table", np.int32(1), "0" * 32
            d.createDimension("item", length)
            d.createVariable("count", "i4", ("item",), **how)
        told = akin("inspect", path("claim.nc"), "--json", expect=3, timeout=20).json
        assert "claim.nc" in told["message"] and "\n" not in told["message"], told


def test_cut_files_are_refused():
    for kind in FILES:
        whole = open(path(kind + ".nc"), "rb").read()
        for length in (0, 7, 100, len(whole) // 2, len(whole) - 100, len(whole) - 1):
            with open(path("cut.nc"), "wb") as f:
                f.write(whole[:length])
            assert akin("inspect", path("cut.nc"), "--json", expect=3).json["exit"] == 3


setup()
main(dict(globals()))
