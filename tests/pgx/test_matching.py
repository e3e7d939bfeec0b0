"""Named alleles: scores, strands, missing positions, and the rules of single genes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.pgx import known, phenotype
from fhirtwin.pgx.calling import Rules, call_gene, call_genes
from fhirtwin.pgx.calls import GeneCall
from fhirtwin.pgx.compile_definitions import TABLE, compiled
from fhirtwin.pgx.defined import genes
from fhirtwin.pgx.genotype import Genotype, Sample
from fhirtwin.pgx.lowest import looked_up
from fhirtwin.pgx.variant_lists import EXON, HAPB3, INTRON, INTRONIC
from fhirtwin.pgx.vcf import Reading, read_vcf
from tests.pgx.files import stream

PLAIN = Rules()
WELL_SHOWN = [name for name in genes() if name != "CYP2D6"]


def _called(gene: str, changes: dict[str, Genotype | None], rules: Rules = PLAIN, copies: int = 2) -> GeneCall:
    """Calls a gene that is the reference everywhere but at the places named by rsid or coordinate."""
    shown = {}
    for place in genes()[gene].positions:
        key = place.rsid if place.rsid in changes else str(place.start)
        one = changes.get(key, Genotype((place.reference,) * copies))
        if one is not None:
            shown[place.index] = one
    return call_gene(genes()[gene], Sample({gene: shown}), rules)


@pytest.mark.parametrize("gene", WELL_SHOWN)
def test_reference_everywhere_is_the_reference_allele(gene: str) -> None:
    name = genes()[gene].reference
    assert _called(gene, {}).labels == (f"{name}/{name}",)


def test_definitions_are_those_that_the_script_makes(shared) -> None:  # type: ignore[no-untyped-def]
    assert TABLE.read_text() == compiled(shared / "data/pgx/definitions")
    assert sum(len(gene.positions) for gene in genes().values()) == 1201
    assert len(genes()) == 20


def test_every_named_allele_is_found_when_it_is_on_both_copies() -> None:
    lost = []
    for gene in genes().values():
        for allele in gene.alleles:
            shown = {}
            for place in gene.positions:
                base = min(allele.bases.get(place.index, {place.reference}))
                shown[place.index] = Genotype((base, base), phased=True)
            call = call_gene(gene, Sample({gene.name: shown}), Rules(cyp2d6=True, all_candidates=True))
            bare = allele.name.split(".0")[0]
            found = {one.label for one in (*call.diplotypes, *call.candidates)}
            if f"{bare}/{bare}" not in found:
                lost.append((gene.name, allele.name, call.because))
    assert lost == []


def test_cyp2d6_is_not_called_from_single_variants() -> None:
    call = _called("CYP2D6", {})
    assert not call.called and "outside call" in call.because
    assert _called("CYP2D6", {}, Rules(cyp2d6=True)).labels == ("*1/*1",)


def test_missing_positions_drop_out_and_are_told() -> None:
    call = _called("CYP3A5", {"rs776746": None})
    assert call.labels == ("*1/*1",) and call.untested == ("*3",) and len(call.missing) == 1


def test_nothing_shown_is_nothing_called() -> None:
    calls = call_genes(Sample({}))
    assert set(calls) == set(genes()) and not any(call.called or call.labels for call in calls.values())


def test_phase_decides_between_strands() -> None:
    cis = {"rs1800460": Genotype(("C", "T"), True), "rs1142345": Genotype(("T", "C"), True)}
    trans = {"rs1800460": Genotype(("C", "T"), True), "rs1142345": Genotype(("C", "T"), True)}
    unknown = {"rs1800460": Genotype(("C", "T")), "rs1142345": Genotype(("C", "T"))}
    apart = {"rs1800460": Genotype(("C", "T"), True, "1"), "rs1142345": Genotype(("C", "T"), True, "2")}
    assert _called("TPMT", cis).labels == ("*1/*3A",)
    assert _called("TPMT", trans).labels == ("*3B/*3C",)
    assert _called("TPMT", unknown, Rules(all_candidates=True)).candidates[0].label == "*3B/*3C"
    assert _called("TPMT", apart).labels == _called("TPMT", unknown).labels == ("*1/*3A",)


def test_an_undocumented_base_is_reference_only_where_toxicity_is_at_stake() -> None:
    toxic = _called("TPMT", {"rs1142345": Genotype(("T", "A"))})
    assert toxic.labels == ("*1/*1",) and "no definition knows" in toxic.notes[0]
    other = _called("CYP2C19", {"rs4244285": Genotype(("G", "T"))})
    assert not other.called and "chr10:94781859" in other.because


def test_what_no_pair_explains_is_named() -> None:
    shown = {name: Genotype((p.reference,) * 2) for name, p in genes()["CYP2C19"].by_rsid.items()}
    call = _called("CYP2C19", shown | {"rs4244285": Genotype(("A", "A"))})
    assert call.because == (
        "no pair of defined alleles explains what the file shows: CYP2C19 chr10:94781859 (rs4244285) A/A"
    )


def test_half_calls() -> None:
    reference = _called("CYP2C19", {"rs4244285": Genotype((None, "G"))})
    assert reference.labels == ("*38/*38",) and len(reference.missing) == 1
    assert "half calls" in _called("CYP2C19", {"rs4244285": Genotype((None, "A"))}).because


def test_an_open_copy_of_a_listed_gene_is_neither_reference_nor_changed() -> None:
    splice = "c.1905+1G>A (*2A)"
    call = _called("DPYD", {"rs3918290": Genotype((None, "T"))})
    assert call.labels == (f"Reference/{splice}", f"{splice}/{splice}")
    assert "half calls at chr1:97450058" in call.notes[0]
    assert {one.word for one in phenotype.of_call(known.of(call)).alternatives} == {
        "Intermediate Metabolizer",
        "Poor Metabolizer",
    }
    two = _called("DPYD", {"rs3918290": Genotype((None, "T")), "rs67376798": Genotype(("A", None))})
    assert {one.score for one in phenotype.of_call(known.of(two)).alternatives} == {"0.0", "0.5"}
    names = ("rs3918290", "rs67376798", "rs55886062", "rs115232898")
    bases = [genes()["DPYD"].by_rsid[name].alternates[0] for name in names]
    many = {name: Genotype((None, base)) for name, base in zip(names, bases, strict=True)}
    assert "half calls at 4 positions" in _called("DPYD", many).because


@pytest.mark.parametrize(
    ("intron", "exon", "labels", "noted"),
    [
        (("G", "C"), ("C", "T"), (f"Reference/{HAPB3}",), False),
        (("G", "C"), ("T", "C"), (f"Reference/{HAPB3}",), False),
        (("G", "C"), ("C", "C"), (f"Reference/{INTRONIC}",), True),
        (("G", "C"), None, (f"Reference/{INTRONIC}",), True),
        (None, ("C", "T"), (f"Reference/{HAPB3}",), True),
        (("G", "G"), ("C", "T"), ("Reference/Reference",), True),
        (("C", "C"), ("T", "T"), (f"{HAPB3}/{HAPB3}",), False),
        (("C", "C"), ("C", "T"), (f"{INTRONIC}/{HAPB3}",), True),
        (("G", "C"), ("T", "T"), (f"Reference/{HAPB3}",), True),
    ],
)
def test_hapb3_goes_by_its_intron(
    intron: tuple[str, str] | None, exon: tuple[str, str] | None, labels: tuple[str, ...], noted: bool
) -> None:
    changes = {INTRON: Genotype(intron) if intron else None, EXON: Genotype(exon) if exon else None}
    call = _called("DPYD", changes)
    assert call.labels == labels and any("HapB3" in note for note in call.notes) == noted


def test_unphased_variants_are_listed_once_for_each_copy() -> None:
    changes = {
        "rs1801159": Genotype(("T", "C")),
        "rs3918290": Genotype(("T", "T")),
        "rs1801265": Genotype(("A", "G")),
    }
    call = _called("DPYD", changes)
    assert call.variants == ("c.85T>C (*9A)", "c.1627A>G (*5)", "c.1905+1G>A (*2A)", "c.1905+1G>A (*2A)")
    value = {"c.1905+1G>A (*2A)": 0.0}
    assert [one.label for one in looked_up(call, lambda name: value.get(name, 1.0))] == [
        "c.1905+1G>A (*2A)/c.1905+1G>A (*2A)"
    ]


def test_lowest_function_is_taken_strand_by_strand() -> None:
    changes = {"rs3918290": Genotype(("T", "C"), True), "rs67376798": Genotype(("A", "T"), True)}
    call = _called("DPYD", changes)
    assert call.labels == ("Reference/[c.1905+1G>A (*2A) + c.2846A>T]",)
    value = {"c.1905+1G>A (*2A)": 0.0, "c.2846A>T": 0.5}
    assert [one.label for one in looked_up(call, lambda name: value.get(name, 1.0))] == ["Reference/c.1905+1G>A (*2A)"]


def test_slco1b1_falls_back_to_its_one_variant() -> None:
    changes = {"rs4149056": Genotype(("T", "C")), "rs2306283": Genotype(("A", "T"))}
    call = _called("SLCO1B1", changes)
    assert not call.called and call.stand_in is not None and call.stand_in.label == "*1/*5"
    assert [one.label for one in looked_up(call, lambda _: 1.0)] == ["*1/*5"]


def test_nat2_needs_its_positions_and_picks_from_the_agreed_list() -> None:
    assert not _called("NAT2", {"rs1801280": None}).called
    unphased = {"rs1801280": Genotype(("T", "C")), "rs1208": Genotype(("G", "A"))}
    call = _called("NAT2", unphased)
    assert call.labels == ("*4/*5",) and {one.label for one in call.candidates} == {"*1/*16"}
    phased = {"rs1801280": Genotype(("T", "C"), True), "rs1208": Genotype(("G", "A"), True)}
    assert _called("NAT2", phased).labels == ("*1/*16",)


def test_the_x_chromosome_of_a_male_is_one() -> None:
    changed = {"rs5030868": Genotype(("A",))}
    assert _called("G6PD", changed, copies=1).labels == (
        "Mediterranean, Dallas, Panama, Sassari, Cagliari, Birmingham",
    )
    assert _called("G6PD", {}, Rules(sex="male")).labels == ("B (reference)",)
    assert not _called("G6PD", {"rs5030868": Genotype(("G", "A"))}, Rules(sex="male")).called
    assert not _called("G6PD", {}, Rules(sex="female"), copies=1).called
    assert not _called("TPMT", {}, copies=1).called


def test_partial_alleles_are_named_only_on_request() -> None:
    changes = {"rs4244285": Genotype(("G", "A"), True)}
    assert not _called("CYP2C19", changes).called
    assert _called("CYP2C19", changes, Rules(combinations=True)).labels == ("*38/g.94781859G>A",)


GENOTYPES = st.sampled_from(["0/0", "0/1", "1/1", "0|1", "1|0", "./.", "./1"])
CYP2C19 = genes()["CYP2C19"].positions


@given(
    st.lists(st.tuples(st.integers(0, len(CYP2C19) - 1), GENOTYPES), max_size=12, unique_by=lambda row: row[0]),
    st.randoms(),
)
def test_the_order_of_rows_does_not_matter(chosen: list[tuple[int, str]], shuffled) -> None:  # type: ignore[no-untyped-def]
    rows = [_row(index, genotype) for index, genotype in [*chosen, (0, "0/0")]]
    before = read_vcf(stream(rows))
    shuffled.shuffle(rows)
    after = read_vcf(stream(rows))
    gene = genes()["CYP2C19"]
    assert after.genotypes == before.genotypes and after.contradicted == before.contradicted
    assert call_gene(gene, after).labels == call_gene(gene, before).labels


def _row(index: int, genotype: str) -> list[object]:
    place = CYP2C19[index]
    return ["chr10", place.start, ".", place.reference, place.alternates[0], genotype]


@given(st.dictionaries(st.integers(0, len(CYP2C19) - 1), st.sampled_from(["0|1", "1|0", "1|1"]), max_size=6))
def test_swapping_the_strands_changes_nothing(changed: dict[int, str]) -> None:
    one = [_row(index, changed.get(index, "0|0")) for index in range(len(CYP2C19))]
    two = [_row(index, changed.get(index, "0|0")[::-1]) for index in range(len(CYP2C19))]
    gene = genes()["CYP2C19"]
    assert call_gene(gene, read_vcf(stream(one))).labels == call_gene(gene, read_vcf(stream(two))).labels


@given(st.dictionaries(st.integers(0, len(CYP2C19) - 1), st.sampled_from(["0/1", "1/1"]), min_size=1, max_size=4))
def test_absent_as_reference_is_the_same_as_writing_the_reference(changed: dict[int, str]) -> None:
    written = [_row(index, changed.get(index, "0/0")) for index in range(len(CYP2C19))]
    absent = [_row(index, genotype) for index, genotype in changed.items()]
    gene = genes()["CYP2C19"]
    whole = read_vcf(stream(written))
    assert (
        call_gene(gene, read_vcf(stream(absent), Reading(absent_is_reference=True))).labels
        == call_gene(gene, whole).labels
    )
    partly = call_gene(gene, read_vcf(stream(absent)))
    assert len(partly.missing) == len(CYP2C19) - len(changed)
