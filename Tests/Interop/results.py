"""Reads result files with h5py and anndata, as an analyst would; called by ResultStoreTests.

results.py shard FILE FOLDER    prints the samples and the logical digest as JSON
results.py job FILE FOLDER      prints what a job's file shows as JSON
results.py alone FILE FOLDER    the same of the samples and choices, and what stands for the rest where shards are not found
results.py limited FILE COUNT    what README's lines print, with at most COUNT open files
results.py set FILE PATH ROW     changes a number of a job's file, or with PATH "schema_version" what it says of itself
results.py spoil FILE FOLDER    writes every hostile variant of a shard, named by its kind

The FOLDER of the first three is where they read from: HDF5 looks there, too, for the files of virtual data sets.
"""

import hashlib
import json
import os
import resource
import shutil
import sys

import h5py
import numpy as np

IDENTITY = [
    "format", "schema_version", "shard_index", "row_start", "row_count", "model_sha256", "tokenizer_sha256",
    "dataset_sha256", "task_hash", "engine", "engine_build", "device_kind", "engine_settings", "prompts_hash",
    "logits_mode",
]


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def data_sets(file):
    found = {}
    file.visititems(lambda name, item: found.update({"/" + name: item}) if isinstance(item, h5py.Dataset) else None)
    return found


def digest(file):
    """The logical digest as LogicalDigest documents it."""
    hasher = hashlib.sha256()

    def net(data):
        data = data.encode() if isinstance(data, str) else data
        hasher.update(b"%d:" % len(data) + data + b",")

    net("assay.shard.1")
    for name in IDENTITY:
        if name in file.attrs:
            net(name)
            net(text(file.attrs[name]))
    found = data_sets(file)
    for path in sorted(found, key=lambda path: path.encode()):
        if path == "/provenance":
            continue
        item = found[path]
        net(path)
        net(item.dtype.str)
        net(str(item.shape[0]))
        net(item[:].tobytes())
    return hasher.hexdigest()


def number(value):
    """A number that JSON can have."""
    if np.isnan(value):
        return None
    return float(value) if np.isfinite(value) else "Infinity" if value > 0 else "-Infinity"


def frame(file):
    """The samples as anndata sees them."""
    import anndata  # takes seconds, which only this needs

    table = anndata.io.read_elem(file["samples"])
    return {
        "ids": list(table.index),
        "columns": list(table.columns),
        "types": {name: str(kind) for name, kind in table.dtypes.items()},
        "target": list(table["target"]),
        "prediction": list(table["prediction"]),
        "finish_reason": [None if value != value else value for value in table["finish_reason"]],
        "is_truncated": [bool(value) for value in table["is_truncated"]],
        "metrics": {
            name: [number(value) for value in table[name]]
            for name in table.columns
            if table[name].dtype == np.float64
        },
    }


def texts(group, name):
    data, offsets = group[name][:].tobytes(), group[name + "_offsets"][:]
    return [data[start:end].decode() for start, end in zip(offsets, offsets[1:])]


def show(file, linked=True):
    """All that a file shows; without `linked` nothing that a job's file takes from its shards' files."""
    answer = {
        "frame": frame(file),
        "attributes": {name: text(value) for name, value in file.attrs.items()},
        "provenance": json.loads(file["provenance"][()]),
        "prompt": texts(file["text"], "prompt") if linked else [],
        "generation": texts(file["text"], "generation") if linked else [],
    }
    if "choices" in file:
        answer["choices"] = {
            "offsets": file["index/choices"][:].tolist(),
            "logprob_sum": [number(value) for value in file["choices/logprob_sum"][:]],
            "is_greedy": file["choices/is_greedy"][:].tolist(),
            "text": texts(file["choices"], "text"),
            "units": text(file["choices/logprob_sum"].attrs["units"]),
        }
    if "generations" in file:
        answer["generations"] = {
            "offsets": file["index/generations"][:].tolist(),
            "n_tokens": file["generations/n_tokens"][:].tolist(),
            "text": texts(file["generations"], "text") if linked else [],
        }
    if "epochs" in file:
        answer["epochs"] = {
            "offsets": file["index/epochs"][:].tolist(),
            "values": {name: file["epochs"][name][:].tolist() for name in file["epochs"]},
        }
    if "tokens" in file and linked:
        answer["tokens"] = {
            "offsets": file["index/tokens"][:].tolist(),
            "token_id": file["tokens/token_id"][:].tolist(),
            "logprob": [number(value) for value in file["tokens/logprob"][:]],
            "is_prompt": file["tokens/is_prompt"][:].tolist(),
        }
    return answer


KINDS = """
    old-format incomplete zero-complete attribute-type row-count negative-count schema-version logits-mode extra-object
    extra-column missing-object soft-link soft-group external-link external-storage virtual group-for-data big-endian
    narrow-type compound variable-strings not-utf8 two-dimensional scalar short-column holes filter scale-offset
    huge-chunk falling-offsets long-offsets wrong-code wrong-bool column-order cycle
""".split()


def spoil(kind, source, target):
    """Makes a copy of a shard with one thing in it that a reader must refuse."""
    shutil.copyfile(source, target)
    os.chmod(target, 0o644)
    if kind == "old-format":
        with h5py.File(source) as old, h5py.File(target, "w", libver="earliest") as new:
            for name in old:
                old.copy(name, new)
            for name, value in old.attrs.items():
                new.attrs[name] = value
        return
    with h5py.File(target, "r+", libver=("v110", "v110")) as file:
        samples = file["samples"]
        count = samples["acc"].shape[0]
        if kind == "incomplete":
            del file.attrs["complete"]
        elif kind == "zero-complete":
            file.attrs["complete"] = np.int64(0)
        elif kind == "attribute-type":
            file.attrs["row_count"] = 1.5
        elif kind == "row-count":
            file.attrs["row_count"] = np.int64(count + 1)
        elif kind == "negative-count":
            file.attrs["row_count"] = np.int64(-1)
        elif kind == "schema-version":
            file.attrs["schema_version"] = np.int64(99)
        elif kind == "logits-mode":
            file.attrs["logits_mode"] = b"everything"
        elif kind == "extra-object":
            file.create_dataset("extra", data=[1])
        elif kind == "extra-column":
            samples.create_dataset("extra", data=[1.0] * count)
        elif kind == "missing-object":
            del file["text/prompt"]
        elif kind == "soft-link":
            del samples["acc"]
            samples["acc"] = h5py.SoftLink("/samples/row")
        elif kind == "soft-group":
            file.move("samples", "text/elsewhere")
            file["samples"] = h5py.SoftLink("/text/elsewhere")
        elif kind == "external-link":
            del samples["acc"]
            samples["acc"] = h5py.ExternalLink("other.h5", "/samples/acc")
        elif kind == "external-storage":
            del samples["acc"]
            samples.create_dataset(
                "acc", shape=(count,), dtype="<f8", external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])
        elif kind == "virtual":
            del samples["acc"]
            layout = h5py.VirtualLayout(shape=(count,), dtype="<f8")
            layout[:] = h5py.VirtualSource("other.h5", "acc", shape=(count,))
            samples.create_virtual_dataset("acc", layout)
        elif kind == "group-for-data":
            del samples["acc"]
            samples.create_group("acc")
        elif kind == "big-endian":
            replace(samples, "acc", samples["acc"][:].astype(">f8"))
        elif kind == "narrow-type":
            replace(samples, "acc", samples["acc"][:].astype("<f4"))
        elif kind == "compound":
            replace(samples, "acc", np.zeros(count, dtype=[("a", "<f8")]))
        elif kind == "variable-strings":
            values = samples["target"].asstr()[:]
            del samples["target"]
            samples.create_dataset("target", data=values, dtype=h5py.string_dtype())
        elif kind == "not-utf8":
            width = samples["target"].dtype.itemsize
            replace(samples, "target", np.array([b"\xff"] * count, dtype=h5py.string_dtype("utf-8", width)))
        elif kind == "two-dimensional":
            replace(samples, "acc", samples["acc"][:].reshape(count, 1))
        elif kind == "scalar":
            replace(samples, "acc", 1.0)
        elif kind == "short-column":
            replace(samples, "acc", samples["acc"][:-1])
        elif kind == "holes":
            del samples["acc"]
            samples.create_dataset("acc", shape=(1 << 50,), dtype="<f8", chunks=(1 << 16,))
        elif kind == "filter":
            values = samples["acc"][:]
            del samples["acc"]
            samples.create_dataset("acc", data=values, compression="lzf")
        elif kind == "scale-offset":
            values = samples["row"][:]
            del samples["row"]
            samples.create_dataset("row", data=values, scaleoffset=0)
        elif kind == "huge-chunk":
            del samples["acc"]
            samples.create_dataset("acc", shape=(1 << 25,), dtype="<f8", chunks=(1 << 25,), compression=9, fillvalue=1)
            samples["acc"][0] = 1
        elif kind == "falling-offsets":
            offsets = file["text/prompt_offsets"][:]
            offsets[1] = offsets[-1] + 1
            file["text/prompt_offsets"][:] = offsets
        elif kind == "long-offsets":
            offsets = file["index/choices"][:]
            offsets[-1] = 2**63
            file["index/choices"][:] = offsets
        elif kind == "wrong-code":
            file["samples/finish_reason/codes"][0] = 100
        elif kind == "wrong-bool":
            item = samples["is_truncated"]
            item.id.write(
                h5py.h5s.ALL, h5py.h5s.ALL, np.full(count, 7, dtype="u1"), mtype=item.id.get_type())
        elif kind == "column-order":
            samples.attrs["column-order"] = [b"row"]
        elif kind == "cycle":
            del samples["acc"]
            samples["acc"] = file["/"]
        else:
            raise SystemExit(f"no such kind: {kind}")


def missing(file):
    """The values that stand where a shard's file is not found, of each virtual data set."""
    found = {path: item for path, item in data_sets(file).items() if item.is_virtual}
    return {
        path: {
            "values": sorted({"NaN" if value != value else str(value) for value in item[:].tolist()}),
            "fill": "NaN" if item.fillvalue != item.fillvalue else str(item.fillvalue),
            "note": text(item.attrs["where_missing"]),
        }
        for path, item in found.items()
    }


def limited(path, count):
    """What README's lines print of a file, with few open files allowed."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))
    samples = h5py.File(path)["samples"]
    ids = samples["_index"].asstr()[:]
    return {"mean": float(samples["acc"][:].mean()), "ids": len(set(ids)), "empty": int((ids == "").sum())}


def replace(group, name, values):
    del group[name]
    group.create_dataset(name, data=values)


def main(arguments):
    if arguments[0] == "spoil":
        for kind in KINDS:
            spoil(kind, arguments[1], os.path.join(arguments[2], f"{kind}.h5"))
        return
    if arguments[0] == "limited":
        return print(json.dumps(limited(arguments[1], int(arguments[2]))))
    if arguments[0] == "set":
        os.chmod(arguments[1], 0o644)
        with h5py.File(arguments[1], "r+", libver=("v110", "v110")) as file:
            if arguments[2] == "schema_version":
                file.attrs.modify("schema_version", np.int64(int(arguments[3])))
            else:
                value = file[arguments[2]][int(arguments[3])]
                file[arguments[2]][int(arguments[3])] = value + 1 if np.isfinite(value) else 1
        return
    os.chdir(arguments[2])
    with h5py.File(arguments[1], "r") as file:
        answer = show(file, linked=arguments[0] != "alone")
        if arguments[0] == "alone":
            answer["missing"] = missing(file)
        if arguments[0] == "shard":
            answer["digest"] = digest(file)
        else:
            answer["shards"] = [text(name) for name in file["shards/file"][:]]
            answer["virtual"] = [path for path, item in data_sets(file).items() if item.is_virtual]
    print(json.dumps(answer))


main(sys.argv[1:])
