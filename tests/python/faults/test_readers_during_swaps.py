"""Readers of other processes, reading all the time, while 20 builds are published: no error, and never two builds at once."""

import subprocess
import sys
from pathlib import Path

from orchestration.publishing.builds import prune
from tests.python.faults.toy_builds import TABLES, publish, served_marker

PUBLISHINGS = 20
# More than a reader can fall behind between resolving the link and opening the file behind it.
KEPT = 10

# Opens a new connection for every question; with "keep", one connection stays open beside it all the time, as in a BI server.
DUCKDB_READER = """
import pathlib, sys
import duckdb
home, stop, names, keep = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3].split(","), sys.argv[4] == "keep"
path = str(home / "serving" / "segments.duckdb")
kept = duckdb.connect(path, read_only=True) if keep else None
seen, reads = [], 0
while True:
    last = stop.exists()
    with duckdb.connect(path, read_only=True) as connection:
        tables = [connection.execute(f"select min(marker), max(marker), count(*) from published.{name}").fetchone() for name in names]
    assert len(set(tables)) == 1 and tables[0][0] == tables[0][1] and tables[0][2] == 50, tables
    if tables[0][0] not in seen:
        seen.append(tables[0][0])
        print("saw", tables[0][0], flush=True)
    reads += 1
    if last:
        break
if kept:
    print("kept", kept.execute(f"select any_value(marker) from published.{names[0]}").fetchone()[0])
print("reads", reads)
"""

# Resolves the link once per question and reads the files below it.
PARQUET_READER = """
import pathlib, sys
import duckdb
home, stop, names = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3].split(",")
connection, seen, reads = duckdb.connect(), [], 0
while True:
    last = stop.exists()
    folder = (home / "serving").resolve() / "parquet"
    paths = [str(folder / name / f"{name}.parquet") for name in names]
    tables = [connection.execute("select min(marker), max(marker), count(*) from read_parquet(?)", [path]).fetchone() for path in paths]
    assert len(set(tables)) == 1 and tables[0][0] == tables[0][1] and tables[0][2] == 50, tables
    if tables[0][0] not in seen:
        seen.append(tables[0][0])
        print("saw", tables[0][0], flush=True)
    reads += 1
    if last:
        break
print("reads", reads)
"""


def test_readers_see_whole_builds_only(tmp_path: Path) -> None:
    home, stop = tmp_path / "home", tmp_path / "stop"
    publish(home, "build-00")
    names = ",".join(table.name for table in TABLES)
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(home), str(stop), names, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for script, *more in ((DUCKDB_READER, "fresh"), (DUCKDB_READER, "keep"), (PARQUET_READER,))
    ]
    try:
        for reader in readers:
            assert reader.stdout is not None
            assert reader.stdout.readline() == "saw build-00\n"
        for number in range(1, PUBLISHINGS + 1):
            publish(home, f"build-{number:02d}")
            prune(home, KEPT)
        stop.touch()
        outcomes = [(*reader.communicate(timeout=120), reader.returncode) for reader in readers]
    finally:
        for reader in readers:
            reader.kill()
    last = f"build-{PUBLISHINGS:02d}"
    assert served_marker(home) == last
    for out, err, code in outcomes:
        assert (code, err) == (0, "")
        *lines, reads = out.splitlines()
        seen = [line.removeprefix("saw ") for line in lines if line.startswith("saw")]
        assert seen == sorted(seen), "a reader went back in time"
        assert seen[-1] == last, "a reader never saw the last build"
        assert int(reads.removeprefix("reads ")) > len(seen)
    # The connection that was open all the time still reads the build it opened, which is pruned long since.
    assert "kept build-00" in outcomes[1][0]
    assert len(list((home / "builds").iterdir())) == KEPT
