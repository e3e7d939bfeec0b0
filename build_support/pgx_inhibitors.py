"""Write which drugs inhibit or induce which enzyme, and how strongly: only rows of which a source was read.

    python build_support/pgx_inhibitors.py EVIDENCE_FOLDER

EVIDENCE_FOLDER holds `cyp_inhibitors_inducers.tsv` with a column `status`; rows that are not verified there are left
out, and those that were read elsewhere stand here.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pgx_functions import CC0, read, write

FDA = "FDA table of inhibitors, as listed in UpToDate or in Cicali 2020 (10.1002/cpt.1768)"
NOTES = {
    "terbinafine": "UpToDate calls it moderate",
    "fluvoxamine": "observed weak unless other pathways are inhibited too (10.1002/cpt.1768)",
    "cimetidine": "the FDA lists it as weak and as moderate; observed weak (10.1002/cpt.1768)",
    "abiraterone": "weak in the FDA's list as of 2020 (10.1002/cpt.1768)",
}
OSP = "FDA index inhibitor, as stated by the Open Systems Pharmacology fluvoxamine model"
UF = "FDA's list, as named by UF Health Precision Medicine (https://precisionmedicine.ufhealth.org)"
CIBINQO = "product information of abrocitinib (Cibinqo), as reprinted by MIMS Singapore"
CIBINQO_CANADA = "Canadian product monograph of abrocitinib (Cibinqo), section 9.2"
UPTODATE = "UpToDate's table of CYP3A inhibitors and inducers, by FDA criteria"
CTS = "Clin Transl Sci 2022;15:2075-2095 (10.1111/cts.13357), table 1"

UNCLEAR = "unclear"
OMEPRAZOLE = "moderate in the Open Systems Pharmacology qualification of CYP2C19; no list of the FDA's was read"
READ = [
    ("lorcaserin", "CYP2D6", "moderate", UF, ""),
    ("fluvoxamine", "CYP2C19", "strong", OSP, "strong in the product information of abrocitinib too"),
    ("fluconazole", "CYP2C19", "strong", CIBINQO, ""),
    ("fluoxetine", "CYP2C19", "strong", CIBINQO_CANADA, ""),
    ("omeprazole", "CYP2C19", UNCLEAR, "Open Systems Pharmacology, qualification of CYP2C19 interactions", OMEPRAZOLE),
    ("moclobemide", "CYP2C19", UNCLEAR, "Open Systems Pharmacology, qualification of CYP2C19 interactions", OMEPRAZOLE),
    ("fluconazole", "CYP2C9", "moderate", CIBINQO, ""),
    ("amiodarone", "CYP2C9", "moderate", CIBINQO_CANADA, ""),
    ("fluvoxamine", "CYP3A4", "moderate", CIBINQO, ""),
]
CYP3A_STRONG = (
    "atazanavir ceritinib clarithromycin cobicistat darunavir idelalisib indinavir itraconazole ketoconazole "
    "levoketoconazole lonafarnib lopinavir mifepristone nefazodone nelfinavir posaconazole ritonavir saquinavir "
    "telithromycin tucatinib voriconazole"
)
CYP3A_MODERATE = (
    "aprepitant berotralstat conivaptan crizotinib diltiazem dronedarone duvelisib erythromycin fedratinib fluconazole "
    "fosamprenavir imatinib lefamulin letermovir netupitant nilotinib ribociclib verapamil"
)
MARK = "marked with a footnote there that was not read"
MARKED = "amiodarone cimetidine cyclosporine fosaprepitant"
INDUCER_NOTES = {
    "rifapentine": "strong in 10.1111/cts.13357",
    "st. john's wort": "strong in 10.1111/cts.13357",
}
INDUCE_STRONG = (
    "apalutamide carbamazepine enzalutamide fosphenytoin lumacaftor mitotane phenobarbital phenytoin primidone rifampin"
)
INDUCE_MODERATE = (
    "bexarotene bosentan cenobamate dabrafenib dexamethasone efavirenz eslicarbazepine etravirine lorlatinib modafinil "
    "nafcillin pexidartinib rifabutin rifapentine sotorasib"
)
EMPTY = "moderate or weak: the table as it was read does not show in which column it stands"
INDUCERS = [
    ("rifampin", "CYP2C19", "strong", CTS, ""),
    ("apalutamide", "CYP2C19", "strong", CTS, ""),
    ("carbamazepine", "CYP2C19", "weak", CTS, ""),
    ("enzalutamide", "CYP2C19", UNCLEAR, CTS, EMPTY),
    ("phenytoin", "CYP2C19", UNCLEAR, CTS, EMPTY),
    ("st. john's wort", "CYP2C19", UNCLEAR, CTS, EMPTY),
    ("carbamazepine", "CYP2B6", "strong", CTS, ""),
    ("rifampin", "CYP2B6", UNCLEAR, CTS, EMPTY),
    ("carbamazepine", "CYP2C9", "moderate", CTS, ""),
    ("apalutamide", "CYP2C9", UNCLEAR, CTS, EMPTY),
    ("enzalutamide", "CYP2C9", UNCLEAR, CTS, EMPTY),
    ("rifampin", "CYP2C9", UNCLEAR, CTS, EMPTY),
    ("st. john's wort", "CYP2C9", UNCLEAR, CTS, EMPTY),
    ("ivosidenib", "CYP3A4", "strong", CTS, ""),
    ("st. john's wort", "CYP3A4", "moderate", UPTODATE, INDUCER_NOTES["st. john's wort"]),
]
HEADER = ("drug", "enzyme", "strength", "source", "note")


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    rows = [
        (row["drug"], row["enzyme"], row["strength"].split()[0], FDA, NOTES.get(row["drug"], ""))
        for row in read(folder / "cyp_inhibitors_inducers.tsv")
        if row["status"].startswith("verified") and row["role"] == "inhibitor"
    ]
    rows += READ
    rows += [(drug, "CYP3A4", "strong", UPTODATE, "") for drug in CYP3A_STRONG.split()]
    rows += [(drug, "CYP3A4", "moderate", UPTODATE, "") for drug in CYP3A_MODERATE.split()]
    rows += [(drug, "CYP3A4", "moderate", UPTODATE, MARK) for drug in MARKED.split()]
    write(CC0 / "inhibitors.tsv", HEADER, sorted(rows))
    induce = [
        *INDUCERS,
        *((drug, "CYP3A4", "strong", UPTODATE, "") for drug in INDUCE_STRONG.split()),
        *((drug, "CYP3A4", "moderate", UPTODATE, INDUCER_NOTES.get(drug, "")) for drug in INDUCE_MODERATE.split()),
    ]
    write(CC0 / "inducers.tsv", HEADER, sorted(induce))


if __name__ == "__main__":
    main()
