from __future__ import annotations

from dataclasses import replace
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.fhir import codec, validator
from fhirtwin.pgx import functions, guideline, phenotype
from fhirtwin.pgx.hla import ASKED
from fhirtwin.pgx.phenoconversion import inhibitors
from fhirtwin.pgx.recommendations import DISCLAIMER
from fhirtwin.pgx.results import GENES
from fhirtwin.report.genomics import codes
from fhirtwin.terms.drugs.ingredients import CODES
from fhirtwin.twin import genome
from fhirtwin.twin.state import Fact
from tests.profiles.test_profiles import PROFILES, faults
from tests.report.genomics.builders import bundle, components, findings, gene, medicine, of_type, state
from tests.twin.builders import facts_of

Json = dict[str, Any]

RICH = (
    gene("CYP2C19", "*2/*2"),
    gene("CYP2D6", "*1/*1 | *1/*2"),
    gene("HLA-B", "*57:01 positive", "allele-status"),
    gene("DPYD", "no reads", "gene-not-called"),
    medicine("citalopram"),
    medicine("paroxetine"),
    medicine("tamoxifen"),
)


def errors(made: Json) -> list[object]:
    """What R4, our profiles and fhir.resources find wrong."""
    found: list[object] = list(validator.validate(made, type="Bundle"))
    for entry in made["entry"]:
        (url,) = entry["resource"].get("meta", {}).get("profile", [""])
        found += [] if not url else faults(entry["resource"], PROFILES[url.rpartition("/")[2]])
    get_fhir_model_class("Bundle").model_validate_json(codec.encode(made))
    return found


def implications(made: Json, drug: str) -> list[Json]:
    found = of_type(made, "Observation", "therapeutic-implication")
    return [one for one in found if components(one, "51963-7") == [drug]]


def test_every_resource_is_valid_and_every_reference_leads_to_an_entry() -> None:
    made = bundle(*RICH, asked=("abacavir",))
    assert errors(made) == []
    urls = {entry["fullUrl"] for entry in made["entry"]}
    assert len(urls) == len(made["entry"])
    report = made["entry"][0]["resource"]
    told = [one["reference"] for one in report["result"]] + [
        e["valueReference"]["reference"] for e in report["extension"]
    ]
    told += [one["reference"] for i in of_type(made, "Observation") for one in i.get("derivedFrom", ())]
    told += [task["reasonReference"]["reference"] for task in of_type(made, "Task")]
    assert set(told) == urls - {made["entry"][0]["fullUrl"]}


def test_the_same_twin_gives_the_same_report_byte_by_byte() -> None:
    assert codec.encode(bundle(*RICH)) == codec.encode(bundle(*RICH))


def test_an_implication_has_source_day_strength_population_and_disclaimer() -> None:
    (one,) = implications(bundle(*RICH), "citalopram")
    assert components(one, "93044-6") == ["Strong (CPIC)"]
    assert components(one, "knowledge-base") == ["CPIC 2023-08"]
    assert components(one, "population") == ["general"]
    cited = [extension["valueRelatedArtifact"] for extension in one["extension"]]
    assert [c["url"] for c in cited if c["type"] == "documentation"] == [guideline.drugs()["citalopram"].url]
    assert {c["citation"] for c in cited if c["type"] == "citation"} == {
        f"PMID {pmid}" for pmid in guideline.drugs()["citalopram"].pmids
    }
    assert one["note"][-1]["text"] == DISCLAIMER
    meaning = one["component"][1]["valueCodeableConcept"]
    assert meaning["coding"] == [{"system": "http://loinc.org", "code": "LA9657-3"}]
    assert meaning["text"].startswith("CYP2C19 Poor Metabolizer: ")


def test_the_effective_phenotype_is_an_implication_of_its_own_beside_the_genetic_one() -> None:
    converted, row = implications(bundle(*RICH), "tamoxifen")
    assert components(converted, "genetic-phenotype") == [
        "CYP2D6 Normal Metabolizer (activity score 2.0), by the genes alone"
    ]
    assert components(converted, "therapeutic-implication") == [
        "CYP2D6 Poor Metabolizer (activity score 0.0), with what else is taken"
    ]
    assert components(converted, "cause") == ["paroxetine, strong inhibitor"]
    assert "× 0" in components(converted, "rule")[0]
    assert components(row, "therapeutic-implication")[0].startswith(
        "CYP2D6 Poor Metabolizer, activity score 0.0 with what else is taken: "
    )
    assert "Normal Metabolizer" in components(row, "conclusion-string")[0]


def test_an_effective_phenotype_has_no_code_lest_it_be_taken_for_one_of_the_genes() -> None:
    every = implications(bundle(*RICH), "tamoxifen")
    told = [c for one in every for c in one["component"] if c["code"]["coding"][0]["code"] == "therapeutic-implication"]
    assert len(told) == 2
    assert all("coding" not in one["valueCodeableConcept"] for one in told)


def test_a_row_of_the_genes_alone_is_told_beside_an_inhibitor_that_would_take_it_away() -> None:
    made = bundle(gene("CYP2D6", "*1/*1x≥3"), medicine("codeine"), medicine("duloxetine"))
    assert errors(made) == []
    converted, row = implications(made, "codeine")
    assert components(converted, "cause") == ["duloxetine, moderate inhibitor"]
    assert components(row, "therapeutic-implication")[0].startswith("CYP2D6 Ultrarapid Metabolizer, activity score ≥")
    assert "By the genes alone, whatever else is taken." in components(row, "conclusion-string")[0]
    (report,) = of_type(made, "DiagnosticReport")
    assert "nothing is known of CYP2D6" not in report["conclusion"]
    assert "codeine: what the genes alone lead to is told, too" in report["conclusion"]
    (task,) = of_type(made, "Task")
    assert task["code"]["coding"][0]["display"] == "Consider alternative medication"


def test_a_medicine_does_not_convert_itself() -> None:
    (one,) = implications(bundle(gene("CYP2D6", "*1/*1"), medicine("paroxetine")), "paroxetine")
    assert components(one, "genetic-phenotype") == []


def test_a_strong_inhibitor_tells_of_an_enzyme_that_nobody_looked_at() -> None:
    made = bundle(medicine("codeine"), medicine("paroxetine"))
    assert errors(made) == []
    converted, row = implications(made, "codeine")
    (genotype,) = of_type(made, "Observation", "genotype")
    assert genotype["dataAbsentReason"]["coding"][0]["code"] == "not-performed"
    assert components(row, "therapeutic-implication")[0].startswith("CYP2D6 Poor Metabolizer")
    assert components(converted, "genetic-phenotype") == ["CYP2D6 not looked at, by the genes alone"]


def test_tasks_are_of_the_kinds_among_the_steps_and_poor_is_not_simply_less() -> None:
    def kinds(drug: str, *facts: Fact) -> set[str]:
        return {task["code"]["coding"][0]["code"] for task in of_type(bundle(*facts, medicine(drug)), "Task")}

    assert kinds("clopidogrel", gene("CYP2C19", "*2/*2")) == {"LA26421-0"}
    assert kinds("codeine", gene("CYP2D6", "*1x2/*1")) == {"LA26421-0"}
    assert kinds("citalopram", gene("CYP2C19", "*1/*1")) == set()
    assert "LA26423-6" in kinds("voriconazole", gene("CYP2C19", "*1/*17")) | kinds(
        "omeprazole", gene("CYP2C19", "*17/*17")
    )
    assert "LA26422-8" in kinds("citalopram", gene("CYP2C19", "*2/*2"))


def test_a_task_is_about_a_statement_and_never_about_a_request() -> None:
    genes = gene("CYP2C19", "*2/*2")
    (task, *_) = of_type(bundle(genes, medicine("citalopram")), "Task")
    assert task["focus"]["reference"].endswith("/MedicationStatement/m-citalopram/_history/1")
    (task, *_) = of_type(bundle(genes, medicine("citalopram", kind="MedicationRequest")), "Task")
    assert "focus" not in task


def test_the_conclusion_names_what_is_not_known_and_never_says_safe() -> None:
    text = bundle(*RICH, medicine("fluoxetine"))["entry"][0]["resource"]["conclusion"]
    assert "DPYD: not called, because no reads." in text
    assert "fluoxetine: no CPIC or DPWG guidance." in text
    assert text.endswith(DISCLAIMER)
    assert "safe" not in text.casefold()


def test_nothing_known_is_said_and_is_valid() -> None:
    made = bundle()
    assert errors(made) == []
    assert made["entry"][0]["resource"]["conclusion"].startswith("No gene was called.\nNo medicine was looked at")
    assert "result" not in made["entry"][0]["resource"]


def test_a_row_that_rests_on_no_gene_is_left_out_and_that_is_said() -> None:
    found = findings(medicine("amitriptyline"))
    assert found.implications == ()
    (one,) = found.weighed
    assert one.answer.why


def test_a_stopped_inhibitor_is_named_with_its_day_and_does_not_convert() -> None:
    made = bundle(gene("CYP2D6", "*1/*1"), medicine("codeine"), medicine("paroxetine", end="2025-12-20"))
    (one,) = implications(made, "codeine")
    assert any("paroxetine was stopped on 2025-12-20" in note["text"] for note in one["note"])
    assert components(one, "genetic-phenotype") == []


def test_an_answer_of_loinc_is_given_only_where_it_says_the_same() -> None:
    assert codes.answer_of("CYP2C19", "Likely Poor Metabolizer") == ""
    assert codes.answer_of("SLCO1B1", "Poor Function") == "LA25394-0"
    assert codes.answer_of("RYR1", "Normal Function") == ""
    assert (codes.answer_of("HLA-B", "*57:01 positive"), codes.answer_of("HLA-B", "*57:01 negative")) == (
        "LA19541-4",
        "",
    )


@st.composite
def people(draw: st.DrawFn) -> tuple[Fact, ...]:
    """Alleles of any genes, and medicines: those with rows and those that slow enzymes."""
    facts = []
    for symbol in draw(st.lists(st.sampled_from(GENES), unique=True, max_size=5)):
        names = sorted(functions.alleles().get(symbol, {})) or ["*57:01"]
        pair = draw(st.tuples(st.sampled_from(names), st.sampled_from(names)))
        facts.append(gene(symbol, "/".join(pair)))
    listed = sorted({*guideline.drugs(), *(drug for drug, _ in inhibitors())} & {*CODES})
    taken = draw(st.lists(st.sampled_from(listed), unique_by=CODES.__getitem__, max_size=4))
    return (*facts, *map(medicine, taken))


@given(people())
def test_whatever_is_known_the_report_is_valid(facts: tuple[Fact, ...]) -> None:
    assert errors(bundle(*facts)) == []


@st.composite
def whole_genomes(draw: st.DrawFn) -> tuple[Fact, ...]:
    """Something of each of the 23 genes, and three medicines."""
    facts = [_of(symbol, draw) for symbol in GENES]
    return (*facts, *map(medicine, ("citalopram", "codeine", draw(st.sampled_from(["paroxetine", "duloxetine"])))))


def _of(symbol: str, draw: st.DrawFn) -> Fact:
    kind = draw(st.sampled_from(["diplotype", "gene-phenotype", "gene-not-called", "allele-status"]))
    if kind == "gene-not-called":
        return gene(symbol, "3 of 7 positions were not read", kind)
    if kind == "gene-phenotype" and symbol != "VKORC1" and phenotype.words(symbol):
        return gene(symbol, draw(st.sampled_from(sorted(phenotype.words(symbol)))), kind)
    if kind == "allele-status" and symbol in ASKED:
        return gene(symbol, f"{ASKED[symbol][0]} {draw(st.sampled_from(['positive', 'negative']))}", kind)
    names = sorted({one.allele for one in functions.alleles().get(symbol, {}).values()}) or ["*57:01", "*15:02"]
    pair = draw(st.tuples(st.sampled_from(names), st.sampled_from(names)))
    return gene(symbol, pair[0] if symbol == "MT-RNR1" else "/".join(pair))


@given(whole_genomes())
def test_a_report_of_23_genes_is_valid_and_read_again_is_the_same(facts: tuple[Fact, ...]) -> None:
    made = bundle(*facts, asked=("abacavir", "warfarin", "clopidogrel"))
    assert errors(made) == []
    read = [codec.decode(codec.encode(entry["resource"])) for entry in made["entry"]]
    written = [{**one, "subject": {"reference": "Patient/pat"}} for one in read if one["resourceType"] == "Observation"]
    again, before = genome.of(facts_of(written)), genome.of(state(*facts))
    assert {g: _known(one) for g, one in again.items()} == {g: _known(one) for g, one in before.items()}
    assert len(again) == 23


def _known(one: genome.GeneResult) -> tuple[object, ...]:
    return one.known.diplotypes, one.known.reported, one.known.not_called, one.time


def test_an_inhibitor_that_was_stopped_long_ago_is_not_named() -> None:
    made = bundle(gene("CYP2D6", "*1/*1"), medicine("codeine"), medicine("paroxetine", end="2025-06-01"))
    assert "paroxetine" not in codec.encode(made).decode()


def test_a_drug_of_two_ingredients_of_one_medicine_has_its_rows() -> None:
    both = [
        replace(medicine(name), sources=medicine("trimethoprim").sources)
        for name in ("sulfamethoxazole", "trimethoprim")
    ]
    made = bundle(gene("G6PD", "Deficient", "gene-phenotype"), *both)
    assert implications(made, "sulfamethoxazole / trimethoprim")
    apart = [medicine("sulfamethoxazole"), medicine("trimethoprim")]
    assert (
        implications(bundle(gene("G6PD", "Deficient", "gene-phenotype"), *apart), "sulfamethoxazole / trimethoprim")
        == []
    )


def test_what_a_label_forbids_is_an_implication_with_its_source_and_a_task() -> None:
    made = bundle(gene("CYP2C9", "*3/*3"), asked=("siponimod",))
    assert errors(made) == []
    (one,) = implications(made, "siponimod")
    assert components(one, "93044-6") == ["contraindication (label)"]
    assert "Mayzent" in one["extension"][0]["valueRelatedArtifact"]["display"]
    assert len(one["derivedFrom"]) == 1
    (task,) = of_type(made, "Task")
    assert task["code"]["coding"][0]["code"] == "LA26421-0"
    assert "siponimod: The label forbids it" in task["description"]
    allowed = bundle(gene("CYP2C9", "*1/*3"), asked=("siponimod",))
    assert implications(allowed, "siponimod") == [] == of_type(allowed, "Task")


def test_what_a_label_forbids_to_these_genes_is_in_the_conclusion() -> None:
    text = bundle(gene("CYP2C9", "*3/*3"), asked=("siponimod",))["entry"][0]["resource"]["conclusion"]
    assert "siponimod: The label forbids it for everybody with: CYP2C9 *3/*3." in text


def test_row_of_thiopurines_that_was_replaced_says_what_holds_now() -> None:
    made = bundle(gene("TPMT", "*1/*3A"), gene("NUDT15", "*1/*3"), asked=("azathioprine",))
    said = [
        str(entry["resource"]) for entry in made["entry"] if entry["resource"]["resourceType"] != "DiagnosticReport"
    ]
    now = "CPIC replaced this on 2024-03-20: lower the starting dose to 20-50% of normal."
    assert sum(now in text for text in said) == 2  # the implication and the Task
