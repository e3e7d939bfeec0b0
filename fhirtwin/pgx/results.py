"""What is handed over between reading of genes, phenotypes and advice: calls, functions, phenotypes."""

from __future__ import annotations

from dataclasses import dataclass

from fhirtwin.pgx.coverage import Coverage

GENES = (
    "ABCG2", "CACNA1S", "CFTR", "CYP2B6", "CYP2C19", "CYP2C9", "CYP2D6", "CYP3A4", "CYP3A5", "CYP4F2", "DPYD", "G6PD",
    "HLA-A", "HLA-B", "IFNL3", "MT-RNR1", "NAT2", "NUDT15", "RYR1", "SLCO1B1", "TPMT", "UGT1A1", "VKORC1",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """The alleles of one gene, one of each chromosome.

    Attributes:
        first: an allele, `*2` for example.
        second: the other; empty where there is one copy only (MT-RNR1, and G6PD of males).
    """

    first: str
    second: str = ""

    @property
    def alleles(self) -> tuple[str, ...]:
        """Its alleles: two, or the one of which there is one copy."""
        return (self.first, self.second) if self.second else (self.first,)

    def __str__(self) -> str:
        return "/".join(self.alleles)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one gene of one person.

    Attributes:
        gene: HGNC symbol.
        diplotypes: every one that fits equally well; none when only a word of the laboratory is known.
        source: where it comes from, for people: `VCF`, `outside call`, `laboratory report`.
        reported: a phenotype, an activity score or an allele status as the laboratory wrote it, where no diplotype is.
        not_called: why nothing is known, where that is so.
        notes: for people: how a tie arose, what a laboratory said beside it.
        coverage: what of the gene was not tested; None where that is not told, or nothing is left.
    """

    gene: str
    diplotypes: tuple[Pair, ...] = ()
    source: str = ""
    reported: tuple[str, ...] = ()
    not_called: str = ""
    notes: tuple[str, ...] = ()
    coverage: Coverage | None = None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader must know beside the call: what was not tested, and the notes."""
        return (*((self.coverage.short(self.gene),) if self.coverage else ()), *self.notes)


@dataclass(frozen=True, slots=True)
class AlleleFunction:
    """What one allele does, and who says so.

    Attributes:
        allele: as the table spells it.
        function: CPIC's word, `No function` for example.
        activity: its part in the activity score; empty for genes without one, `n/a` where it is unknown.
        source: whose assignment it is.
        date: day or month of the snapshot.
    """

    allele: str
    function: str
    activity: str
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class Phenotype:
    """What a diplotype means for the gene's product.

    Attributes:
        gene: HGNC symbol.
        word: CPIC's term, `Poor Metabolizer` for example; empty where the gene has none.
        score: activity score, `1.25` or `≥3.0`; `n/a` where unknown; empty for genes that have none.
        diplotype: of which it was told; None when the laboratory gave the phenotype itself.
        functions: of each allele.
        rule: for people: how it came about.
        date: of the snapshot the rule is from.
    """

    gene: str
    word: str
    score: str = ""
    diplotype: Pair | None = None
    functions: tuple[AlleleFunction, ...] = ()
    rule: str = ""
    date: str = ""

    @property
    def key(self) -> str:
        """By what guidelines look it up: the activity score where there is one, else the word."""
        return self.score or self.word


@dataclass(frozen=True, slots=True)
class GenePhenotype:
    """Every phenotype that one gene of one person may have.

    Attributes:
        gene: HGNC symbol.
        alternatives: distinct ones, in the order of the call's diplotypes.
        not_called: why there is none, or why one of the diplotypes could not be told; for people.
        notes: of the call and of the reading of alleles.
        open: what was not tested, with the alleles that would lead to another phenotype; None where none would.
    """

    gene: str
    alternatives: tuple[Phenotype, ...] = ()
    not_called: str = ""
    notes: tuple[str, ...] = ()
    open: Coverage | None = None

    @property
    def unsure(self) -> bool:
        """Whether there is one, and others may be true as well."""
        return bool(self.alternatives) and bool(
            len({o.key for o in self.alternatives}) > 1 or self.not_called or self.open
        )

    @property
    def agreed(self) -> Phenotype | None:
        """The phenotype, when all that fits has the same, nothing was left out and no untested allele may change it."""
        keys = {(one.word, one.score) for one in self.alternatives}
        return self.alternatives[0] if len(keys) == 1 and not self.not_called and not self.open else None
