"""What the header of a VCF file says: its version, its genome build and where the sample stands.

Lengths of chromosomes tell the builds apart. They are those of the `##contig` lines that variant callers write.

*Source*: https://samtools.github.io/hts-specs/VCFv4.3.pdf, sections 1.4 and 1.5.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from fhirtwin.errors import Incorrect, Unprocessable, Unsupported

GRCH38: Final = {
    "1": 248956422, "2": 242193529, "4": 190214555, "6": 170805979, "7": 159345973, "8": 145138636, "10": 133797422,
    "12": 133275309, "13": 114364328, "16": 90338345, "19": 58617616, "22": 50818468, "X": 156040895,
}  # fmt: skip
GRCH37: Final = {
    "1": 249250621, "2": 243199373, "4": 191154276, "6": 171115067, "7": 159138663, "8": 146364022, "10": 135534747,
    "12": 133851895, "13": 115169878, "16": 90354753, "19": 59128983,
}  # fmt: skip

_WORDS_38: Final = re.compile(r"grch38|hg38|b38\b", re.IGNORECASE)
_WORDS_37: Final = re.compile(r"grch37|hg19|b37\b|hs37d5|ncbi37|g1k_v37", re.IGNORECASE)
_FIXED: Final = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")
_OLD_BUILD: Final = (
    "VCF: the file is on GRCh37 (hg19); positions are read on GRCh38 only. Call the variants again on GRCh38, or lift "
    "the file over with a tool that also turns genotypes where the reference changed"
)


def column_of(sample: str | None, lines: Sequence[bytes], *, stated_grch38: bool = False) -> int:
    """Gives the column of a sample, once the header is known to be of VCF 4 on GRCh38.

    Args:
        sample: its name; needed where there are several.
        lines: those up to and with `#CHROM`.
        stated_grch38: the file is on GRCh38 although its header does not say so.

    Raises:
        Incorrect: not a VCF 4 header, no sample, or several of which none is named.
        Unprocessable: another genome build, or none that can be told.
        Unsupported: another version of VCF.
    """
    text = [line.decode("utf-8", "replace").rstrip("\r") for line in lines]
    _check_version(text)
    _check_build(text[:-1], stated_grch38=stated_grch38)
    return _column(text[-1].split("\t"), sample)


def _check_version(text: Sequence[str]) -> None:
    found = re.fullmatch(r"##fileformat=VCFv(\d+)\.\d+", text[0]) if text else None
    if found is None:
        raise Incorrect("VCF, line 1: no `##fileformat=VCFv4.x`; send a VCF file, plain or gzipped")
    if found[1] != "4":
        raise Unsupported("VCF, line 1: only version 4 is read; convert the file")


def _check_build(text: Sequence[str], *, stated_grch38: bool) -> None:
    lengths = _lengths(text)
    says = [line for line in text if line.startswith(("##reference", "##assembly", "##contig", "##genome"))]
    old = any(_WORDS_37.search(line) for line in says) or any(GRCH37.get(name) == n for name, n in lengths.items())
    new = any(_WORDS_38.search(line) for line in says) or any(GRCH38.get(name) == n for name, n in lengths.items())
    if old and not new:
        raise Unprocessable(_OLD_BUILD)
    if old or any(name in GRCH38 and GRCH38[name] != n for name, n in lengths.items()):
        raise Unprocessable("VCF: the header's contigs are not those of GRCh38; call the variants on GRCh38")
    if not new and not stated_grch38:
        raise Unprocessable("VCF: the header does not tell the genome build; add `##reference=GRCh38`, if it is that")


def _lengths(text: Sequence[str]) -> dict[str, int]:
    found = {}
    for line in text:
        name = re.match(r"##contig=<(?:.*,)?ID=(?:chr)?([^,>]+)", line)
        length = re.search(r"[<,]length=(\d{1,12})[,>]", line)
        if name and length:
            found[name[1]] = int(length[1])
    return found


def _column(head: Sequence[str], sample: str | None) -> int:
    if tuple(head[:8]) != _FIXED:
        raise Incorrect("VCF: the line `#CHROM` does not have the columns of VCF 4, parted by tabs")
    if len(head) < 10 or head[8] != "FORMAT":
        raise Incorrect("VCF: there is no sample in the file; send one with genotypes")
    samples = head[9:]
    if len(set(samples)) != len(samples):
        raise Incorrect("VCF: two samples have the same name; give each its own")
    if sample is None and len(samples) > 1:
        raise Incorrect(f"VCF: the file has {len(samples)} samples; name the one that is this patient's")
    if sample is not None and sample not in samples:
        raise Incorrect("VCF: no sample of that name is in the file; name one of its `#CHROM` line")
    return 9 + (0 if sample is None else samples.index(sample))
