"""Makes the fixtures of this folder: `pip install pyarrow==26.0.1 && python make.py`."""

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
FAR = [
    datetime(1, 1, 1),
    datetime(1582, 10, 15, 1, 2, 3, 4),
    datetime(1900, 1, 1),
    datetime(2024, 2, 29, 12, 34, 56, 789012),
    datetime(9999, 12, 31, 23, 59, 59, 999999),
    None,
]


def write(name: str, table: pa.Table, **options) -> None:
    pq.write_table(table, HERE / name, use_deprecated_int96_timestamps=True, **options)


far = pa.table(
    {
        "id": pa.array(range(6)),
        "at": pa.array(FAR, pa.timestamp("us")),
        "all": pa.array([[v] for v in FAR], pa.list_(pa.timestamp("us"))),
        "last": pa.array(["z"] * 6),
    }
)
# As Spark writes it, and as pyarrow does, with the Arrow schema in the footer.
write("int96-far.parquet", far, store_schema=False)
write("int96-far-arrow-schema.parquet", far, store_schema=True)

# Nanoseconds within their range; pandas' default for many years.
nanos = [1, 1_700_000_000_123_456_789, None]
write("int96-nanos.parquet", pa.table({"at": pa.array(nanos, pa.timestamp("ns"))}), store_schema=False)

times = pa.array([1_000, 1_001, 86_399_999_999_999, None], pa.time64("ns"))
pq.write_table(pa.table({"t": times}), HERE / "time-nanos.parquet")

pq.write_table(
    pa.table({"a": pa.array(range(1000)), "b": pa.array([f"text {i % 7}" for i in range(1000)])}),
    HERE / "checksums.parquet",
    write_page_checksum=True,
    compression="none",
)


def int96_nanos_and_far() -> None:
    """Nanoseconds beside a year that they cannot reach: no Arrow writer makes it, so the day of one value is replaced."""
    table = pa.table({"at": pa.array([1_700_000_000_123_456_789, 1_700_000_000_000_000_001], pa.timestamp("ns"))})
    path = HERE / "int96-nanos-and-far.parquet"
    write(path.name, table, store_schema=False, compression="none", use_dictionary=False, write_statistics=False)
    data = bytearray(path.read_bytes())
    day = (2_440_588 + 19_675).to_bytes(4, "little")
    at = data.rfind(day)
    data[at : at + 4] = (2_440_588 + 2_932_896).to_bytes(4, "little")  # 9999-12-31
    path.write_bytes(bytes(data))


int96_nanos_and_far()
