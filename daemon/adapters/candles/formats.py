"""Which kind of candle file a file is: by what it begins with, since names may say anything."""

from pathlib import Path
from typing import Literal

FileKind = Literal["parquet", "feather", "text", "folder"]

PARQUET_MAGIC = b"PAR1"
FEATHER_MAGICS = (b"ARROW1", b"FEA1")
MAGIC_BYTES = 6


def kind_of(path: Path) -> FileKind:
    """Return what `path` holds; whatever begins like neither binary format is text.

    Raises OSError for a path that cannot be read.
    """
    if path.is_dir():
        return "folder"
    with path.open("rb") as file:
        magic = file.read(MAGIC_BYTES)
    if magic.startswith(FEATHER_MAGICS):
        return "feather"
    return "parquet" if magic.startswith(PARQUET_MAGIC) else "text"
