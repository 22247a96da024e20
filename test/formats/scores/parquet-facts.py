"""What pyarrow reads of every .parquet under a folder, as parquet-facts.json: rows, and for each column its name and the SHA-256 of its values.

    python parquet-facts.py <parquet-testing/data> > parquet-facts.json

Made with pyarrow 26.0.1. A value is written as canonicalText in parquet.ts writes it.
"""

import hashlib
import json
import os
import struct
import sys

import pyarrow as pa
import pyarrow.parquet as pq

NANOS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def text(value):
    return "s" + value.encode("utf8").hex()


def written(value, type, flat):
    if value is None:
        return "n"
    if pa.types.is_boolean(type):
        return "t" if value.as_py() else "f"
    if pa.types.is_integer(type) or pa.types.is_duration(type):
        return "i%d" % (value.as_py() if pa.types.is_integer(type) else value.value)
    if pa.types.is_floating(type):
        number = float(value.as_py())
        return "NaN" if number != number else "d" + struct.pack(">d", number).hex()
    if pa.types.is_decimal(type):
        unscaled = int(value.as_py().scaleb(type.scale).to_integral_value())
        if flat and type.scale == 0 and type.precision == 38:
            return "i%d" % unscaled
        digits = str(abs(unscaled)).rjust(type.scale + 1, "0")
        digits = digits if type.scale == 0 else digits[: -type.scale] + "." + digits[-type.scale :]
        return text(("-" if unscaled < 0 else "") + digits)
    if pa.types.is_date(type):
        return "i%d" % value.cast(pa.date32()).value
    if pa.types.is_time(type) or pa.types.is_timestamp(type):
        nanos = value.value * NANOS[type.unit]
        return "i%d" % (nanos - nanos % 1000 if flat and pa.types.is_time(type) else nanos)
    if pa.types.is_string(type) or pa.types.is_large_string(type):
        return text(value.as_py())
    if pa.types.is_binary(type) or pa.types.is_large_binary(type) or pa.types.is_fixed_size_binary(type):
        return text("0x" + value.as_py().hex())
    if pa.types.is_map(type):
        pairs = value.values
        return "[" + ",".join(any_written(pairs[i], pairs.type) for i in range(len(pairs))) + "]"
    if pa.types.is_list(type) or pa.types.is_large_list(type) or pa.types.is_fixed_size_list(type):
        items = value.values
        return "[" + ",".join(any_written(items[i], type.value_type) for i in range(len(items))) + "]"
    if pa.types.is_struct(type):
        return "[" + ",".join(any_written(value[i], type.field(i).type) for i in range(type.num_fields)) + "]"
    raise TypeError(str(type))


def any_written(value, type, flat=False):
    if isinstance(type, pa.BaseExtensionType):
        return any_written(value.value, type.storage_type, flat)
    if pa.types.is_dictionary(type):
        return any_written(pa.scalar(value.as_py(), type.value_type), type.value_type, flat)
    if pa.types.is_null(type) or not value.is_valid:
        return "n"
    return written(value, type, flat)


# pyarrow wraps the last one around; the note beside the file says what it is.
DOCUMENTED = {
    "int96_from_spark.parquet": ("a", [1704141296123456, 1704070800000000, 253402225200000000, 1735599600000000, None, 9089380393200000000]),
}


def documented(name, micros):
    hash = hashlib.sha256("".join("n\n" if value is None else "i%d\n" % (value * 1000) for value in micros).encode())
    return {"rows": len(micros), "columns": [[name, hash.hexdigest()]]}


def facts(path):
    table = pq.ParquetFile(path, coerce_int96_timestamp_unit="us", arrow_extensions_enabled=False).read()
    table.validate(full=True)
    columns = []
    for name, column in zip(table.column_names, table.columns):
        hash = hashlib.sha256()
        for value in column:
            hash.update((any_written(value, column.type, True) + "\n").encode())
        columns.append([name, hash.hexdigest()])
    return {"rows": table.num_rows, "columns": columns}


def main(folder):
    out = {}
    for root, _, files in os.walk(folder):
        for name in sorted(files):
            if not name.endswith(".parquet"):
                continue
            path = os.path.join(root, name)
            key = os.path.relpath(path, folder)
            try:
                out[key] = documented(*DOCUMENTED[key]) if key in DOCUMENTED else facts(path)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
                out[key] = {"refused": str(error).split("\n")[0][:120]}
    lines = (json.dumps(name) + ": " + json.dumps(out[name]) for name in sorted(out))
    print("{\n" + ",\n".join(lines) + "\n}")


main(sys.argv[1])
