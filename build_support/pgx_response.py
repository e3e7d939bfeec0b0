"""Write the tables of published effects on response, from the verified rows of a folder and from what was re-read.

    python build_support/pgx_response.py EVIDENCE_FOLDER

EVIDENCE_FOLDER holds `antidepressant_nma_cipriani2018.tsv`, `genotype_exposure_ratio.tsv`, `trials.tsv` and
`antidepressant_adverse_events_canmat2016.tsv`. Rows that nobody read again (`RECALLED`) are left out, and so are rows
without an interval. What is written in this file was read where its `read` says.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pgx_functions import CC0, read, write

CIPRIANI = "10.1016/S0140-6736(17)32802-7"
LEUCHT_2013 = "10.1016/S0140-6736(13)60733-3"
LEUCHT_2017 = "10.1176/appi.ajp.2017.16121358"
ABSTRACT = "abstract"
ADULTS = "adults, major depression, acute treatment of 8 weeks (4-12), not treatment-resistant"
ACUTE = "adults, acute schizophrenia, about 6 weeks, not treatment-resistant"
QUOTED = "table quoted at https://psychiatristupdate.wordpress.com/2013/07/17/"

# Members of the network of Cipriani 2018, https://talks.ox.ac.uk/talks/id/55e02b72-bc61-4f99-933f-161dc18306cf
ANTIDEPRESSANTS = (
    "agomelatine", "amitriptyline", "bupropion", "citalopram", "clomipramine", "desvenlafaxine", "duloxetine",
    "escitalopram", "fluoxetine", "fluvoxamine", "levomilnacipran", "milnacipran", "mirtazapine", "nefazodone",
    "paroxetine", "reboxetine", "sertraline", "trazodone", "venlafaxine", "vilazodone", "vortioxetine",
)  # fmt: skip
# Leucht 2013: drugs of which effect and interval were read, as standardised mean differences in favour of the drug.
ANTIPSYCHOTICS = {
    "clozapine": ("0.88", "0.73", "1.03"),
    "amisulpride": ("0.66", "0.53", "0.78"),
    "olanzapine": ("0.59", "0.53", "0.65"),
    "risperidone": ("0.56", "0.50", "0.63"),
    "paliperidone": ("0.50", "0.39", "0.60"),
    "zotepine": ("0.49", "0.31", "0.66"),
    "haloperidol": ("0.45", "0.39", "0.51"),
    "quetiapine": ("0.44", "0.35", "0.52"),
}
# Of the same network, own interval not read.
OTHERS = ("aripiprazole", "chlorpromazine", "lurasidone", "ziprasidone")
EFFECT = (
    "drugs", "setting", "outcome", "basis", "measure", "estimate", "low", "high", "spread_low", "spread_high",
    "spread_measure", "comparator", "population", "doi", "read", "status",
)  # fmt: skip
POOR, EITHER = "Poor Metabolizer", "Poor Metabolizer | Intermediate Metabolizer"
WORDS = {"PM vs NM": POOR, "PM+IM vs NM": EITHER}
SERTRALINE = (("Intermediate Metabolizer", "1.38", "1.26", "1.50", "321"), (POOR, "2.68", "2.16", "3.31", "35"))


def effects(folder: Path) -> None:
    """Write `response_effects.tsv`."""
    kept = []
    own = set()
    for row in read(folder / "antidepressant_nma_cipriani2018.tsv"):
        outcome = {"response_vs_placebo_OR": "response", "all_cause_dropout_vs_placebo_OR": "discontinuation"}
        if row["status"].startswith("verified") and row["measure"] in outcome:
            said = (row["estimate"], row["cri_low"], row["cri_high"], "", "", "")
            own.add((row["drug"], outcome[row["measure"]]))
            kept.append(_effect(row["drug"], "depression", outcome[row["measure"]], "own", "OR", said))
    mean, extremes = ("0.30", "0.26", "0.34", "1.37", "2.13", "OR"), ("", "", "", "0.84", "1.30", "OR")
    for outcome, basis, measure, said in (
        ("response", "group", "SMD", mean),
        ("discontinuation", "range", "OR", extremes),
    ):
        drugs = " | ".join(drug for drug in ANTIDEPRESSANTS if (drug, outcome) not in own)
        kept.append(_effect(drugs, "depression", outcome, basis, measure, said))
    for drug, three in ANTIPSYCHOTICS.items():
        kept.append(_effect(drug, "schizophrenia", "response", "own", "SMD", (*three, "", "", "")))
    said = ("0.47", "0.42", "0.51", "0.33", "0.66", "SMD")
    kept.append(_effect(" | ".join(OTHERS), "schizophrenia", "response", "group", "SMD", said))
    write(CC0 / "response_effects.tsv", EFFECT, sorted(kept, key=lambda row: (row[1], row[2], row[3] != "own", row[0])))


def _effect(drugs: str, setting: str, outcome: str, basis: str, measure: str, said: tuple[str, ...]) -> tuple[str, ...]:
    if setting == "depression":
        source = (ADULTS, CIPRIANI, ABSTRACT)
    else:
        source = (
            (ACUTE, LEUCHT_2013, QUOTED) if basis == "own" else (ACUTE, LEUCHT_2017, f"{ABSTRACT}; spread: {QUOTED}")
        )
    return (drugs, setting, outcome, basis, measure, *said, "placebo", *source, "verified")


def baselines() -> None:
    """Write `response_baselines.tsv`."""
    rows = [
        ("depression", "response", "0.375", "0.35", "0.40", "252 trials, 26324 people on placebo, 1991 and later",
         "10.1016/S2215-0366(16)30307-8", ABSTRACT,
         "published as 35 to 40 %; its middle, and the range read as the interval"),
        ("depression", "discontinuation", "0.25", "0.23", "0.27",
         "148 trials, 18016 people on placebo: depression, anxiety, obsessive-compulsive disorder",
         "10.1016/j.pnpbp.2019.109777", ABSTRACT, "26 % in depression alone, of which no interval was read"),
        ("schizophrenia", "response", "0.30", "0.24", "0.36", "167 trials, 28102 people; at least minimal response",
         LEUCHT_2017, ABSTRACT,
         "no interval published; 24 % in an earlier review (10.1038/sj.mp.4002136), that distance taken both ways"),
    ]  # fmt: skip
    header = ("setting", "outcome", "rate", "low", "high", "population", "doi", "read", "note")
    write(CC0 / "response_baselines.tsv", header, rows)


def steps(folder: Path) -> None:
    """Write `response_steps.tsv`; how many took steps 2 and 3 was not read, but at least as many as step 4."""
    found = {row["arm"]: row for row in read(folder / "trials.tsv") if row["trial"] == "STAR*D"}
    rows = []
    for step in "1234":
        row = found[f"step {step}"]
        note = "" if row["n"] else "at least that many, who went on to step 4"
        n = row["n"] or found["step 4"]["n"]
        rows.append((step, row["value"], n, note, "10.1176/ajp.2006.163.11.1905", ABSTRACT))
    write(CC0 / "response_steps.tsv", ("step", "remission_percent", "n", "note", "doi", "read"), rows)


def exposure(folder: Path) -> None:
    """Write `response_exposure.tsv`."""
    rows = []
    for row in read(folder / "genotype_exposure_ratio.tsv"):
        if row["status"].startswith("verified") and row["ci_low"]:
            doi = row["source"].split(" ")[0]
            three = (row["ratio_of_means"], row["ci_low"], row["ci_high"])
            rows.append((row["drug"], row["gene"], WORDS[row["contrast"]], *three, row["n"], doi, ABSTRACT))
    doi = "10.1038/s41386-019-0554-x"
    for words, ratio, low, high, n in SERTRALINE:
        rows.append(("sertraline", "CYP2C19", words, ratio, low, high, n, doi, "abstract and its table 3"))
    header = ("drug", "gene", "phenotypes", "ratio", "low", "high", "n", "doi", "read")
    write(CC0 / "response_exposure.tsv", header, sorted(rows))


def side_effects(folder: Path) -> None:
    """Write `response_side_effects.tsv`: the two columns of which no cell moved, and no ambiguous cell of them."""
    rows = []
    for row in read(folder / "antidepressant_adverse_events_canmat2016.tsv"):
        if row["drug"].startswith("#") or " IR" in row["drug"]:
            continue
        drug = row["drug"].removesuffix(" XR").removesuffix(" SR")
        form = "extended release" if row["drug"] != drug else ""
        cells = {"nausea": row["nausea_pct"], "male sexual dysfunction": row["male_sexual_dysfunction_pct"]}
        for effect, percent in cells.items():
            if percent.isdecimal():
                rows.append((drug, effect, percent, form, "10.1177/0706743716659417", "table 7 (PMC4994790)"))
    header = ("drug", "effect", "percent", "form", "doi", "read")
    write(CC0 / "response_side_effects.tsv", header, sorted(rows))


def cautions() -> None:
    """Write `response_cautions.tsv`."""
    bupropion = "FDA label of bupropion hydrochloride, contraindications, as quoted there"
    ziprasidone = "FDA label of ziprasidone, contraindications, as quoted by NLM's HSDB"
    citalopram = "FDA safety communication of 2012-03-28, as reported by the AAFP"
    hsdb = "https://pubchem.ncbi.nlm.nih.gov/source/hsdb/7745"
    aafp = "http://www.aafp.org/news/health-of-the-public/20120329citalopramupdate.html"
    eating = (
        "https://www.droracle.ai/articles/252453/why-is-bupropion-bupropion-contraindicated-in-patients-with-eating"
    )
    patient = "http://www.ipharmacy.com/Drug-Information/Drugs-Beginning-With-The-Letter-B/Bupropion-Oral"
    tricyclic = "http://wikidoc.org/index.php?title=Amitriptyline_hydrochloride_contraindications"
    rows = [
        ("bupropion", "eating disorder", "contraindicated", "more seizures in bulimia and anorexia", bupropion, eating),
        *(
            ("bupropion", condition, "contraindicated", "seizures", "US patient information", patient)
            for condition in ("seizure disorder", "withdrawal of alcohol or sedatives")
        ),
        ("amitriptyline", "recent myocardial infarction", "not recommended", "acute recovery phase",
         "FDA label of amitriptyline, contraindications, as quoted there", tricyclic),
        *(
            ("citalopram", condition, "not recommended", "QT prolongation; ECG if it must be used", citalopram, aafp)
            for condition in ("long QT", "bradycardia", "low potassium or magnesium", "recent myocardial infarction",
                              "uncompensated heart failure")
        ),
        *(
            ("ziprasidone", condition, "contraindicated", "QT prolongation", ziprasidone, hsdb)
            for condition in ("long QT", "recent myocardial infarction", "uncompensated heart failure")
        ),
        ("any antipsychotic", "dementia", "boxed warning", "more deaths of old people with dementia-related psychosis",
         "FDA boxed warning of the class, as quoted by NLM's HSDB", hsdb),
    ]  # fmt: skip
    write(CC0 / "response_cautions.tsv", ("drug", "condition", "strength", "why", "source", "url"), rows)


def main() -> None:
    """Write all six tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    effects(folder)
    baselines()
    steps(folder)
    exposure(folder)
    side_effects(folder)
    cautions()


if __name__ == "__main__":
    main()
