"""Uploaded files as tables, bounded in size: CSV and NumPy's archives."""

from __future__ import annotations

import csv
import io
import os
import zipfile

import numpy as np
import pandas as pd

LARGEST = int(float(os.environ.get("PLATEAU_UPLOAD_MEGABYTES", 20)) * 1_000_000)
"""Bytes of an uploaded file."""
UNPACKED = 80_000_000
"""Bytes of an archive's content."""


class BadUpload(ValueError):
    """A file that cannot be read as what it should be; the message says why."""


def csv_table(content: bytes) -> pd.DataFrame:
    """A CSV file as a table: its delimiter and whether it has a header are detected.

    Raises:
        BadUpload: If it is too large or no table.
    """
    if len(content) > LARGEST:
        raise BadUpload(f"the file has {len(content):,} bytes; at most {LARGEST:,} are read")
    for encoding in ("utf-8-sig", "latin-1"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    if not lines or "\0" in text[:1_000]:
        raise BadUpload("the file is no text with rows and columns")
    delimiter = max(",;\t|", key=lambda mark: min(line.count(mark) for line in lines))
    separator = delimiter if delimiter in lines[0] else r"\s+"
    try:
        first = next(csv.reader([lines[0]], delimiter=delimiter))
        header = None if all(_is_number(cell) for cell in first) else 0
        table = pd.read_csv(io.StringIO(text), sep=separator, header=header)
    except (ValueError, csv.Error, StopIteration) as error:
        raise BadUpload(f"the file is no table: {str(error)[:100]}") from None
    if header is None:
        table.columns = [f"column {index + 1}" for index in range(table.shape[1])]
    return table


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return not cell.strip()
    return True


def archive_arrays(content: bytes) -> dict[str, np.ndarray]:
    """The numeric arrays of a file that `numpy.savez` wrote; objects are never unpickled.

    Raises:
        BadUpload: If it is too large, or holds anything but arrays of numbers.
    """
    if len(content) > LARGEST:
        raise BadUpload(f"the file has {len(content):,} bytes; at most {LARGEST:,} are read")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(each.file_size for each in archive.infolist()) > UNPACKED:
                raise BadUpload(f"its content is larger than {UNPACKED:,} bytes")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            read = {name: arrays[name] for name in arrays.files}
    except BadUpload:
        raise
    except (ValueError, OSError, zipfile.BadZipFile, EOFError, MemoryError) as error:
        raise BadUpload(f"it is no file of numpy.savez: {str(error)[:100]}") from None
    for name, value in read.items():
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "iufb":
            raise BadUpload(f"{name} is no array of numbers")
    return read
