"""One sample of a VCF file, at the defined positions; what is wrong with a file is said, never guessed."""

from __future__ import annotations

import contextlib
import gzip
import io
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.errors import FhirtwinError, Incorrect, TooLarge, Unprocessable, Unsupported
from fhirtwin.pgx.calling import call_gene, call_genes
from fhirtwin.pgx.defined import genes
from fhirtwin.pgx.genotype import UNDOCUMENTED, Genotype, Sample
from fhirtwin.pgx.vcf import Reading, read_vcf
from fhirtwin.pgx.vcf_lines import Limits
from tests.pgx.files import HEAD, Row, stream, vcf

PLAIN = Reading()
S2: Row = ("chr10", 94781859, "rs4244285", "G", "A", "0/1")


def _at(rows: list[Row], gene: str, start: int, reading: Reading = PLAIN, **said: object) -> Genotype | None:
    found = read_vcf(stream(rows, **said), reading).genotypes.get(gene, {})
    index = next(one.index for one in genes()[gene].positions if one.start == start)
    return found.get(index)


def test_a_row_is_read() -> None:
    assert _at([S2], "CYP2C19", 94781859) == Genotype(("G", "A"), other="A")


@pytest.mark.parametrize(
    ("genotype", "bases", "phased"),
    [("0|1", ("G", "A"), True), ("1|0", ("A", "G"), True), ("./1", (None, "A"), False), ("1", ("A",), False)],
)
def test_genotypes(genotype: str, bases: tuple[str | None, ...], phased: bool) -> None:
    found = _at([(*S2[:5], genotype)], "CYP2C19", 94781859)
    assert found is not None and (found.bases, found.phased) == (bases, phased)


def test_phase_sets_are_kept() -> None:
    found = _at([(*S2[:5], "0|1", 17)], "CYP2C19", 94781859)
    assert found is not None and found.phase_set == "17"


def test_chromosomes_may_lack_their_prefix() -> None:
    assert _at([("10", *S2[1:])], "CYP2C19", 94781859) is not None


def test_gzip_and_bgzip_members_read_the_same() -> None:
    text = vcf([S2])
    plain = read_vcf(io.BytesIO(text))
    assert read_vcf(io.BytesIO(gzip.compress(text))) == plain
    assert read_vcf(io.BytesIO(gzip.compress(text[:150]) + gzip.compress(text[150:]) + gzip.compress(b""))) == plain


def test_absent_is_missing_unless_stated() -> None:
    other = 94761900
    assert _at([S2], "CYP2C19", other) is None
    filled = _at([S2], "CYP2C19", other, Reading(absent_is_reference=True))
    assert filled is not None and filled.bases == ("C", "C")


def test_absent_is_never_reference_on_a_chromosome_without_rows() -> None:
    assert _at([S2], "DPYD", 97450058, Reading(absent_is_reference=True)) is None


def test_a_filtered_row_is_missing_even_where_absent_is_reference() -> None:
    reading = Reading(absent_is_reference=True)
    assert _at([S2], "CYP2C19", 94781859, reading, filters="LowQual") is None
    trusted = Reading(accepted_filters=frozenset({"LowQual"}))
    assert _at([S2], "CYP2C19", 94781859, trusted, filters="LowQual") is not None


def test_a_row_without_genotype_is_refused_with_its_line() -> None:
    sample = read_vcf(stream([(*S2[:5], "./.")]))
    assert not sample.genotypes.get("CYP2C19") and "line 4" in next(iter(sample.refused["CYP2C19"].values()))


def test_a_reference_block_shows_all_that_it_spans() -> None:
    text = HEAD + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS\n"
    text += "chr10\t94781000\t.\tA\t<NON_REF>\t.\t.\tEND=94782000\tGT\t0/0\n"
    text += "chr10\t94781859\t.\tG\tA,<NON_REF>\t.\tPASS\t.\tGT\t0/1\n"
    found = read_vcf(io.BytesIO(text.encode())).genotypes["CYP2C19"]
    starts = {genes()["CYP2C19"].positions[index].start: one.bases for index, one in found.items()}
    assert starts[94781859] == ("G", "A") and starts[94781999] == ("T", "T")
    assert all(94781000 <= start <= 94782000 for start in starts)


def _with_depths(*rows: str) -> Sample:
    text = HEAD + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS\n" + "".join(rows)
    return read_vcf(io.BytesIO(text.encode()), Reading(absent_is_reference=True))


@pytest.mark.parametrize(
    ("form", "value", "field"),
    [
        ("GT:DP:GQ:MIN_DP:PL", "0/0:0:0:0:0,0,0", "MIN_DP"),
        ("GT:DP:GQ:MIN_DP", "0/0:12:30:0", "MIN_DP"),
        ("GT:DP", "0/0:0", "DP"),
        ("GT:GQ", "0/0:0", "GQ"),
        ("GT:GQ", "0/0:0.0", "GQ"),
    ],
)
def test_what_nobody_read_is_no_reference(form: str, value: str, field: str) -> None:
    block = f"chr10\t94700000\t.\tA\t<NON_REF>\t.\t.\tEND=95100000\t{form}\t{value}\n"
    row = f"chr10\t94781859\t.\tG\t.\t.\tPASS\t.\t{form}\t{value}\n"
    for sample in (_with_depths(block), _with_depths(block, row)):
        call = call_genes(sample)["CYP2C19"]
        assert not call.called and call.because == "nothing that the file shows of it can be used"
        assert call.looked_at
        (note,) = call.notes  # not one for each position
        assert f"no read tells ({field} is 0), " in note and note.endswith("at 35 positions of the gene")
    alone = _with_depths(row)
    assert alone.refused["CYP2C19"] and 94781859 not in {
        genes()["CYP2C19"].positions[index].start for index in alone.genotypes["CYP2C19"]
    }


def test_a_reason_that_many_lines_have_is_told_once() -> None:
    gene = genes()["CYP2C19"]
    rows = [
        f"chr10\t{one.start}\t.\t{one.reference[0]}\t.\t.\tPASS\t.\tGT:DP\t0/0:0\n"
        for one in gene.positions
        if len(one.context) == 1
    ]
    (note,) = call_genes(_with_depths(*rows))["CYP2C19"].notes
    others, places = f"as have more lines ({len(rows) - 1})", f"at {len(rows)} positions of the gene"
    assert others in note and places in note


def test_a_row_of_its_own_prevails_over_a_block_in_which_nobody_read() -> None:
    block = "chr10\t94700000\t.\tA\t<NON_REF>\t.\t.\tEND=95100000\tGT:MIN_DP\t0/0:0\n"
    row = "chr10\t94781859\t.\tG\tA\t.\tPASS\t.\tGT:DP:GQ\t0/1:30:99\n"
    found = _with_depths(block, row).genotypes["CYP2C19"]
    assert [one.bases for one in found.values()] == [("G", "A")]


def test_depth_and_quality_that_are_told_and_not_zero_change_nothing() -> None:
    row = "chr10\t94781859\t.\tG\tA\t.\tPASS\t.\tGT:DP:GQ:MIN_DP\t0/1:30:.:10\n"
    assert _with_depths(row).genotypes["CYP2C19"]


@pytest.mark.parametrize(
    ("start", "reference", "alternate"),
    [
        (42128173, "CCTT", "C"),  # as defined
        (42128175, "TTCT", "T"),  # shifted to the right
        (42128173, "CCTTC", "CC"),  # with a base behind it
        (42128172, "NCCTT", "NC"),  # and before it
    ],
)
def test_one_deletion_written_in_several_ways(start: int, reference: str, alternate: str) -> None:
    found = _at([("chr22", start, ".", reference, alternate, "0/1")], "CYP2D6", 42128173)
    assert found is not None and set(found.bases) == {"CCTT", "C"}


def test_a_repeat_written_at_its_end_is_the_same_repeat() -> None:
    found = _at([("chr2", 233760247, ".", "T", "TAT", "0/1")], "UGT1A1", 233760233)
    assert found is not None and found.bases == ("CAT", "CATAT")


def test_several_bases_at_once_are_read_base_by_base() -> None:
    row: Row = ("chr10", 94781858, ".", "CG", "TA", "0/1")
    assert (_at([row], "CYP2C19", 94781858) or Genotype(())).bases == ("C", "T")
    assert (_at([row], "CYP2C19", 94781859) or Genotype(())).bases == ("G", "A")


def test_a_deletion_over_a_position_is_no_reference_there() -> None:
    found = _at([("chr10", 94781857, ".", "CCGG", "C", "0/1")], "CYP2C19", 94781859)
    assert found is not None and found.bases == ("G", UNDOCUMENTED)


def test_an_insertion_behind_a_position_leaves_it() -> None:
    found = _at([("chr10", 94781859, ".", "G", "GTT", "0/1")], "CYP2C19", 94781859)
    assert found is not None and found.bases == ("G", "G")


def test_a_site_split_into_rows_is_put_together() -> None:
    rows = [("chr6", 18138969, ".", "C", "T", "0/1"), ("chr6", 18138969, ".", "C", "G", "0/1")]
    found = _at(rows, "TPMT", 18138969)
    assert found is not None and set(found.bases) == {"T", "G"}


@pytest.mark.parametrize(
    ("one", "two", "bases"),
    [
        ("0|1", "0|1", ("TT", "AA")),
        ("0|1", "1|0", ("TA", "AT")),
        ("1/1", "1/1", ("AA", "AA")),
        ("0/1", "0/1", None),
    ],
)
def test_neighbours_that_changed_in_two_rows_are_joined_where_strands_are_known(
    one: str, two: str, bases: tuple[str, ...] | None
) -> None:
    rows = [("chr19", 38580039, ".", "T", "A", one), ("chr19", 38580040, ".", "T", "A", two)]
    found = _at(rows, "RYR1", 38580039)
    assert (found.bases if found else None) == bases
    assert ("RYR1" in read_vcf(stream(rows)).contradicted) == (bases is None)


def test_rows_that_contradict_leave_the_gene_uncalled() -> None:
    sample = read_vcf(stream([S2, (*S2[:5], "1/1")]))
    call = call_gene(genes()["CYP2C19"], sample)
    assert not call.called and "contradict" in call.because


def test_a_file_of_several_samples_needs_a_name() -> None:
    with pytest.raises(Incorrect, match="2 samples; name the one") as caught:
        read_vcf(stream([S2], samples=("ANNA", "BERT")))
    assert "ANNA" not in str(caught.value)
    assert _at([S2], "CYP2C19", 94781859, Reading(sample="BERT"), samples=("ANNA", "BERT")) is not None


def test_a_name_that_is_not_there_is_refused_without_repeating_it() -> None:
    with pytest.raises(Incorrect, match="no sample of that name") as caught:
        read_vcf(stream([S2]), Reading(sample="ANNA"))
    assert "ANNA" not in str(caught.value)


V = "##fileformat=VCFv4.2\n"


@pytest.mark.parametrize(
    ("head", "kind", "text"),
    [
        (V + "##contig=<ID=1,length=249250621>\n", Unprocessable, "GRCh37"),
        (V + "##reference=file:///refs/hg19.fa\n", Unprocessable, "GRCh37"),
        (V + "##contig=<ID=chr1,assembly=b37,length=249250621>\n", Unprocessable, "GRCh37"),
        (V + "##contig=<ID=chr1,length=5>\n", Unprocessable, "not those of GRCh38"),
        (V + "##reference=GRCh38\n##contig=<ID=1,length=249250621>\n", Unprocessable, "not those of GRCh38"),
        (V, Unprocessable, "does not tell the genome build"),
        ("##fileformat=VCFv3.3\n", Unsupported, "version 4"),
        ("PK\x03\x04\n", Incorrect, "line 1"),
    ],
)
def test_other_builds_and_versions_are_refused(head: str, kind: type[FhirtwinError], text: str) -> None:
    with pytest.raises(kind, match=text):
        read_vcf(stream([S2], head=head))


def test_a_build_may_be_stated() -> None:
    assert _at([S2], "CYP2C19", 94781859, Reading(stated_grch38=True), head=V) is not None


def test_another_reference_base_is_another_build() -> None:
    with pytest.raises(Unprocessable, match="line 4: REF is not what GRCh38 has"):
        read_vcf(stream([("chr10", 94781859, ".", "T", "A", "0/1")]))


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ((*S2[:5], "0/2"), "GT names an allele"),
        ((*S2[:5], "zero"), "GT is no genotype"),
        (("chr10", "here", *S2[2:]), "not a row"),
        (("chr10", 94781859, ".", "<G>", "A", "0/1"), "REF is no sequence"),
    ],
)
def test_rows_that_cannot_be_read_name_their_line(row: Row, text: str) -> None:
    with pytest.raises(Incorrect, match=f"line 4: .*{text}"):
        read_vcf(stream([row]))


@pytest.mark.parametrize("cut", [3, 40, 120])
def test_a_gzip_file_cut_off_is_refused(cut: int) -> None:
    packed = gzip.compress(vcf([S2] * 50))
    with pytest.raises(Incorrect, match=r"cut off|damaged"):
        read_vcf(io.BytesIO(packed[:-cut]))


def test_text_cut_off_is_refused() -> None:
    with pytest.raises(Incorrect, match="cut off"):
        read_vcf(io.BytesIO(vcf([S2])[:-6]))


@pytest.mark.parametrize("rows", [[], None])
def test_an_empty_file_is_not_a_patient_without_variants(rows: list[Row] | None) -> None:
    with pytest.raises(Incorrect):
        read_vcf(stream([]) if rows is not None else io.BytesIO(b""), Reading(absent_is_reference=True))


def test_a_bomb_is_not_unpacked() -> None:
    pack = zlib.compressobj(9, wbits=31)
    bomb = pack.compress(vcf([S2])) + b"".join(pack.compress(b"A" * (1 << 20)) for _ in range(64)) + pack.flush()
    with pytest.raises(TooLarge, match="a line of more than"):
        read_vcf(io.BytesIO(bomb))
    with pytest.raises(TooLarge, match="of text"):
        read_vcf(io.BytesIO(vcf([S2] * 100)), Reading(limits=Limits(text=1000)))


@pytest.mark.parametrize(("depths", "shown"), [("30,0", False), ("15,14", True), (".", True), ("0,0", True)])
def test_two_alleles_need_reads_of_both(depths: str, shown: bool) -> None:
    text = vcf([S2]).replace(b"\tGT\t0/1", b"\tGT:AD\t0/1:" + depths.encode())
    sample = read_vcf(io.BytesIO(text))
    assert bool(sample.genotypes.get("CYP2C19")) == shown != bool(sample.refused)


def test_a_structural_deletion_is_no_reference_for_what_it_spans() -> None:
    text = HEAD + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS\n"
    text += "chr10\t94781000\t.\tA\t<DEL>\t.\tPASS\tSVTYPE=DEL;END=94782000\tGT\t0/1\n"
    sample = read_vcf(io.BytesIO(text.encode()), Reading(absent_is_reference=True))
    call = call_gene(genes()["CYP2C19"], sample)
    assert not call.called and "94781859" in call.because


def test_a_block_that_starts_before_a_repeat_is_read() -> None:
    text = HEAD + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS\n"
    text += "chr2\t233760230\t.\tG\t<NON_REF>\t.\tPASS\tEND=233760300\tGT\t0/0\n"
    found = read_vcf(io.BytesIO(text.encode())).genotypes["UGT1A1"]
    assert [one.bases for one in found.values()] == [("CAT", "CAT")]


@given(st.integers(0, 2000), st.binary(max_size=40), st.booleans())
def test_whatever_is_sent_is_read_or_refused(place: int, junk: bytes, packed: bool) -> None:
    text = vcf([S2, ("chr2", 233760233, ".", "CAT", "C,CATAT", "1|2", 5), ("chrX", 154532082, ".", "G", "A", "1")])
    text = gzip.compress(text) if packed else text
    damaged = text[: place % len(text)] + junk + text[place % len(text) + len(junk) :]
    with contextlib.suppress(Incorrect):
        read_vcf(io.BytesIO(damaged))
