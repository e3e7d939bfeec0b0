"""What it costs to read a whole genome: time and memory of one process, over a generated 30x VCF.

    .venv/bin/python -m benchmarks.vcf [ROWS]

Bar: 5 million rows, gzipped, in at most 60 s and 200 MB. Exit code 1 when it is missed. The file is made first, in a
temporary folder, and read by a process of its own.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from fhirtwin.pgx.loci import chromosomes
from fhirtwin.pgx.vcf_header import GRCH38

BAR_SECONDS = 60.0
BAR_MB = 200.0
LENGTHS = {f"chr{name}": length for name, length in GRCH38.items()}

READS = """
import json, resource, sys, time
from fhirtwin.pgx.calling import call_genes
from fhirtwin.pgx.vcf import Reading, read_vcf
began = time.perf_counter()
with open(sys.argv[1], "rb") as file:
    sample = read_vcf(file, Reading(absent_is_reference=True))
read = time.perf_counter()
calls = call_genes(sample)
print(json.dumps({
    "read": read - began, "called": time.perf_counter() - read,
    "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "genes": sum(call.called for call in calls.values()),
    "positions": sum(len(found) for found in sample.genotypes.values()),
}))
"""


def main() -> int:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "genome.vcf.gz"
        text = write(path, rows)
        found = json.loads(
            subprocess.run([sys.executable, "-c", READS, str(path)], check=True, capture_output=True).stdout
        )
        packed = path.stat().st_size
    print(f"| rows | {rows:,} ({text / 1e6:,.0f} MB of text, {packed / 1e6:,.0f} MB gzipped) |")
    print(f"| read | {found['read']:.1f} s (bar {BAR_SECONDS:.0f}) |")
    print(
        f"| genes called | {found['called'] * 1000:.0f} ms ({found['genes']} genes, {found['positions']} positions) |"
    )
    print(f"| memory | {found['mb']:.0f} MB (bar {BAR_MB:.0f}) |")
    return int(found["read"] > BAR_SECONDS or found["mb"] > BAR_MB)


def write(path: Path, rows: int) -> int:
    """Write a file of so many rows, gzipped; gives the bytes of its text."""
    pack = zlib.compressobj(1, wbits=31)
    total = 0
    with path.open("wb") as file:
        for block in _text(rows):
            total += len(block)
            file.write(pack.compress(block))
        file.write(pack.flush())
    return total


def _text(rows: int) -> Iterator[bytes]:
    """Gives rows as a caller writes them for a 30x genome, evenly over the chromosomes of the defined genes."""
    dice = random.Random(30)  # noqa: S311 - no secret
    contigs = "".join(f"##contig=<ID={name},length={length}>\n" for name, length in LENGTHS.items())
    columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tSAMPLE"
    yield f"##fileformat=VCFv4.2\n{contigs}{columns}\n".encode()
    share = rows // len(LENGTHS)
    info = "AC=1;AF=0.500;AN=2;BaseQRankSum=0.674;DP=31;ExcessHet=3.0103;FS=2.1;MLEAC=1;MQ=60.00;QD=13.54;SOR=0.693"
    for name, length in LENGTHS.items():
        step = length // (share + 1)
        defined = chromosomes()[name]
        for first in range(0, share, 10_000):
            lines = []
            for number in range(first, min(first + 10_000, share)):
                depth = dice.randrange(20, 40)
                place = step * number + 1
                reference = next((at.position.reference for at in defined.starting(place, place)), "ACGT"[number % 4])
                if place in defined.touched and not defined.starting(place, place):
                    continue  # within a repeat, whose bases would have to be right
                alternate = "A" if reference[0] == "T" else "T"
                likelihoods = f"{depth // 2},{depth - depth // 2}:{depth}:99:450,0,{depth * 13}"
                fixed = f"{name}\t{place}\t.\t{reference}\t{alternate}\t{depth * 13}.6\tPASS\t{info}"
                lines.append(f"{fixed}\tGT:AD:DP:GQ:PL\t0/1:{likelihoods}\n")
            yield "".join(lines).encode()


if __name__ == "__main__":
    sys.exit(main())
