"""Reads scoring files of the PGS Catalog, format 2.0, with positions on GRCh38.

What would not be the sum that the authors meant is refused: weights for other than additive effects, weights that are
ratios, another build. Single variants that cannot be used are left out by reason and counted; how many may be is for
the model's author to say.

*Source*: https://www.pgscatalog.org/downloads/#dl_ftp_scoring (columns and header of formatted and harmonised files).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.errors import Incorrect
from fhirtwin.pgx.vcf_lines import Limits, blocks_of_lines
from fhirtwin.polygenic.variants import (
    AUTOSOMES,
    LARGEST_POSITION,
    LONGEST_ALLELE,
    MOST_VARIANTS,
    Variant,
    Variants,
    in_order,
    of,
    rounded,
)

NO_POSITION: Final = "no position on GRCh38"
NOT_AUTOSOMAL: Final = "not on chromosomes 1 to 22"
NO_BASES: Final = "alleles that are no sequence of bases"
NO_OTHER_ALLELE: Final = "no other allele, or several"
AMBIGUOUS: Final = "alleles that read the same on both strands"

_BUILD: Final = "GRCh38"
_LIMITS: Final = Limits(text=1 << 30, line=1 << 16, what="Scoring file")
_MOST_HEADER_LINES: Final = 1000
_MOST_COLUMNS: Final = 100
_LARGEST_WEIGHT: Final = 1e6
_ALLELE: Final = re.compile(rf"[ACGT]{{1,{LONGEST_ALLELE}}}")
_WEIGHT: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_POSITION: Final = re.compile(r"[1-9][0-9]{0,8}")
_FLAGS: Final = ("is_haplotype", "is_diplotype", "is_interaction", "is_dominant", "is_recessive")
_NO: Final = {"", "false", "0", "na", "nan"}
_RATIOS: Final = {"or", "hr", "or/hr", "odds ratio", "hazard ratio"}

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scoring:
    """What a scoring file weighs.

    Attributes:
        about: the header, by its keys: `pgs_id`, `license`, `citation` and so on.
        variants: in order.
        weights: of one copy of each counted allele.
        left_out: how many variants were not taken, by reason.
    """

    about: Mapping[str, str]
    variants: Variants
    weights: Float
    left_out: Mapping[str, int]


def read(stream: BinaryIO, *, on_forward_strand: bool = False) -> Scoring:
    """Read a scoring file, plain or gzipped.

    Args:
        stream: of the file.
        on_forward_strand: whether the author of the model states that all alleles are those of the forward strand of
            GRCh38; else variants whose alleles read the same on both strands are left out.

    Raises:
        Incorrect: it is no such file, is cut off or damaged, or weighs what is not a sum of copies; the text names the
            line and the remedy.
        TooLarge: it is larger than any score.
    """
    return _Reader(on_forward_strand).read(stream)


class _Reader:
    def __init__(self, on_forward_strand: bool) -> None:
        self.on_forward_strand = on_forward_strand
        self.about: dict[str, str] = {}
        self.columns: dict[str, int] = {}
        self.chromosome = self.position = ""
        self.number = self.rows = 0
        self.left_out: Counter[str] = Counter()
        self.taken: list[Variant] = []
        self.weights: list[float] = []

    def read(self, stream: BinaryIO) -> Scoring:
        for block in blocks_of_lines(stream, _LIMITS):
            for line in block:
                self.number += 1
                self._line(self._text(line))
        self._refuse_cut_off()
        if not self.taken:
            raise Incorrect("Scoring file: none of its variants can be used.")
        order = in_order(self.taken)
        variants = of(self.taken[at] for at in order)
        return Scoring(self.about, variants, np.array([self.weights[at] for at in order]), dict(self.left_out))

    def _text(self, line: bytes) -> str:
        try:
            return line.removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError:
            raise self._wrong("it is not UTF-8") from None

    def _line(self, line: str) -> None:
        if line.startswith("#") and not self.columns:
            self._header(line)
        elif not self.columns:
            self._names(line.split("\t"))
        elif line:
            self._row(line.split("\t"))

    def _header(self, line: str) -> None:
        if self.number > _MOST_HEADER_LINES:
            raise self._wrong("the header has too many lines")
        key, equals, value = line.lstrip("#").partition("=")
        if equals and not line.startswith("##"):
            if key in self.about:
                raise self._wrong(f"the header says {key[:40]} twice")
            self.about[key] = value.strip()

    def _names(self, names: Sequence[str]) -> None:
        if self.about.get("format_version") != "2.0":
            raise Incorrect(
                "Scoring file: its header does not say `#format_version=2.0`; get it from the PGS Catalog, harmonised "
                "to GRCh38 (`PGS......_hmPOS_GRCh38.txt.gz`)."
            )
        self.columns = {name: place for place, name in enumerate(names)}
        if len(self.columns) != len(names) or len(names) > _MOST_COLUMNS:
            raise self._wrong("a column is there twice, or there are too many")
        self.chromosome, self.position = self._place_columns()
        for name in ("effect_allele", "effect_weight", self.chromosome, self.position):
            if name not in self.columns:
                raise self._wrong(f"there is no column {name}")
        if any(name.startswith("dosage_") for name in names):
            raise self._wrong("it weighs numbers of copies one by one (dosage_N_weight), which is no sum")
        if self.about.get("weight_type", "").strip().lower() in _RATIOS:
            raise Incorrect(
                "Scoring file: its weights are ratios (weight_type), which are not added up; take logarithms."
            )

    def _place_columns(self) -> tuple[str, str]:
        """The columns that tell positions on GRCh38."""
        harmonised = self.about.get("HmPOS_build")
        if harmonised == _BUILD:
            return "hm_chr", "hm_pos"
        if harmonised is None and self.about.get("genome_build") == _BUILD:
            return "chr_name", "chr_position"
        raise Incorrect(
            "Scoring file: its positions are not on GRCh38; get the one that is harmonised to it "
            "(`PGS......_hmPOS_GRCh38.txt.gz`)."
        )

    def _row(self, fields: Sequence[str]) -> None:
        self.rows += 1
        if self.rows > MOST_VARIANTS:
            raise Incorrect(f"Scoring file: it has more than {MOST_VARIANTS:,} variants.")
        if len(fields) != len(self.columns):
            raise self._wrong("not as many columns as there are names; the file is damaged or cut off")
        row = {name: fields[place].strip() for name, place in self.columns.items()}
        self._refuse_not_additive(row)
        weight = self._weight(row["effect_weight"])
        found = self._variant(row)
        if isinstance(found, str):
            self.left_out[found] += 1
        else:
            self.taken.append(found)
            self.weights.append(weight)

    def _refuse_not_additive(self, row: Mapping[str, str]) -> None:
        for flag in _FLAGS:
            if row.get(flag, "").lower() not in _NO:
                raise self._wrong(f"{flag}: a weight that is not for each copy of one allele is not a sum of copies")

    def _weight(self, text: str) -> float:
        if len(text) > 40 or not _WEIGHT.fullmatch(text) or not abs(float(text)) <= _LARGEST_WEIGHT:
            raise self._wrong("effect_weight is no number, or too large")
        return float(text)

    def _variant(self, row: Mapping[str, str]) -> Variant | str:
        """A variant, or why it is left out."""
        chromosome, position = row[self.chromosome].removeprefix("chr"), row[self.position]
        if not _POSITION.fullmatch(position) or int(position) > LARGEST_POSITION or not chromosome:
            return NO_POSITION
        if chromosome not in AUTOSOMES:
            return NOT_AUTOSOMAL
        counted, other = row["effect_allele"].upper(), (row.get("other_allele") or row.get("hm_inferOtherAllele") or "")
        if not _ALLELE.fullmatch(counted):
            return NO_BASES
        if not _ALLELE.fullmatch(other.upper()):
            return NO_OTHER_ALLELE
        if counted == other.upper():
            raise self._wrong("the effect allele is the other allele as well")
        frequency = self._frequency(row.get("allelefrequency_effect", ""))
        found = Variant(int(chromosome), int(position), counted, other.upper(), frequency=frequency)
        return AMBIGUOUS if found.is_strand_ambiguous and not self.on_forward_strand else found

    def _frequency(self, text: str) -> float | None:
        if text.lower() in {"", "na", "nan", "."}:
            return None
        if len(text) > 40 or not _WEIGHT.fullmatch(text) or not 0 <= float(text) <= 1:
            raise self._wrong("allelefrequency_effect is no number between 0 and 1")
        return rounded(float(text))

    def _refuse_cut_off(self) -> None:
        if not self.columns:
            raise Incorrect("Scoring file: it has no line of column names.")
        told = self.about.get("variants_number", "")
        if told and told != str(self.rows):
            raise Incorrect(
                f"Scoring file: its header says that it has {told[:12]} variants, and there are {self.rows}; it is cut "
                "off or was changed."
            )

    def _wrong(self, text: str) -> Incorrect:
        return Incorrect(f"Scoring file, line {self.number}: {text}.")
