"""Values of pyarrow as text, the way canonicalText in facts.ts writes ours, so that a checksum tells whether two readers agree."""

import decimal
import hashlib
import struct

import pyarrow as pa

EXACT = decimal.Context(prec=200)
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
        unscaled = int(value.as_py().scaleb(type.scale, EXACT).to_integral_value())
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
    if pa.types.is_interval(type):
        return "[i%d,i%d,i%d]" % tuple(value.as_py())
    if pa.types.is_string(type) or pa.types.is_large_string(type) or pa.types.is_string_view(type):
        return text(value.as_py())
    if pa.types.is_binary(type) or pa.types.is_large_binary(type) or pa.types.is_fixed_size_binary(type) or pa.types.is_binary_view(type):
        return text("0x" + value.as_py().hex())
    if pa.types.is_map(type):
        pairs = value.values
        return "[" + ",".join(any_written(pairs[i], pairs.type) for i in range(len(pairs))) + "]"
    if pa.types.is_list(type) or pa.types.is_large_list(type) or pa.types.is_fixed_size_list(type) or pa.types.is_list_view(type):
        items = value.values
        return "[" + ",".join(any_written(items[i], type.value_type) for i in range(len(items))) + "]"
    if pa.types.is_struct(type):
        return "[" + ",".join(any_written(value[i], type.field(i).type) for i in range(type.num_fields)) + "]"
    raise TypeError(str(type))


def any_written(value, type, flat=False):
    if isinstance(type, pa.BaseExtensionType):
        return any_written(value.value, type.storage_type, flat)
    if pa.types.is_union(type):
        picked = type.type_codes.index(value.type_code)
        fields = ["n" if i != picked else any_written(value.value, type.field(i).type) for i in range(type.num_fields)]
        return "[i%d,%s]" % (value.type_code, ",".join(fields))
    if pa.types.is_run_end_encoded(type):
        return any_written(pa.scalar(value.as_py(), type.value_type), type.value_type, flat)
    if pa.types.is_dictionary(type):
        return any_written(pa.scalar(value.as_py(), type.value_type), type.value_type, flat)
    if pa.types.is_null(type) or not value.is_valid:
        return "n"
    return written(value, type, flat)


def facts_of(table):
    """Rows, and for each column its name and the SHA-256 of its values, one a line."""
    columns = []
    for name, column in zip(table.column_names, table.columns):
        hash = hashlib.sha256()
        for value in column:
            hash.update((any_written(value, column.type, True) + "\n").encode())
        columns.append([name, hash.hexdigest()])
    return {"rows": table.num_rows, "columns": columns}


def as_json(facts):
    """One line a file."""
    import json

    lines = (json.dumps(name) + ": " + json.dumps(facts[name]) for name in sorted(facts))
    return "{\n" + ",\n".join(lines) + "\n}"
