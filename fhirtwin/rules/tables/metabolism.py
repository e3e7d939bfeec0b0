"""One medicine slows, or speeds, the breakdown of another.

Each row repeats a label that names the medicines, or a class of them with examples, of which the examples are taken.
"""

from __future__ import annotations

from typing import Final

from fhirtwin.rules.findings import Citation, Severity
from fhirtwin.rules.tables.model import Interaction, label, of

_C, _W, _I = Severity.CRITICAL, Severity.WARNING, Severity.INFO
_NOT = "The label contraindicates the two together."
_AVOID = "The label says to avoid the two together."
_MUSCLE = "myopathy and rhabdomyolysis"
_DDGI = Citation(
    "CPT Pharmacometrics Syst Pharmacol 2019, doi:10.1002/psp4.12411, table 4", "https://doi.org/10.1002/psp4.12411"
)
_FDA_2D6 = Citation(
    "FDA table of CYP2D6 inhibitors, as repeated in Clin Pharmacol Ther 2020;108:116-125 (PMC7292748)",
    "https://pmc.ncbi.nlm.nih.gov/articles/PMC7292748/",
)
_DDINTER = Citation(
    "DDInter, interaction of allopurinol and azathioprine (thiopurines)",
    "https://ddinter.scbdd.com/ddinter/interact/964928",
)
_ZOCOR = label("simvastatin (Zocor), 4", "8f55d5de-5a4f-4a39-8c84-c53976dd6af9", "2025-03-28")
_LOVASTATIN = label("lovastatin, Contraindications and Warnings", "df7ddf4f-d569-431e-81f1-9129d7043150", "2026-05-06")
_THIORIDAZINE = label("thioridazine, Contraindications", "1fd16a99-e856-4a37-9dae-c443714fac14")
_PIMOZIDE = label("pimozide, Contraindications", "70b079e2-a1f7-4a93-8685-d60a4d7c1280")
_LATUDA = label("lurasidone (Latuda), 4", "afad3051-9df2-4c54-9684-e8262a133af8")
_RANEXA = label("ranolazine (Ranexa), 4 and 7.1", "e038f963-d78f-460e-a11f-46f224061505")
_METHADONE = label("methadone, boxed warning and 7", "6984eb5a-57a3-4686-bc67-91bc3e7a531e", "2025-12-23")
_TAMOXIFEN = Citation(
    "MHRA public assessment report: tamoxifen, reduced effectiveness when used with CYP2D6 inhibitors, 2011-09-01",
    "https://www.mhra.gov.uk/safety-public-assessment-reports/CON221598",
)
_CODEINE = Citation(
    "US label of acetaminophen and codeine phosphate tablets, drug interactions, as reprinted by medlibrary.org",
    "https://medlibrary.org/lib/rx/meds/acetaminophen-and-codeine-phosphate-51/page/4/",
)
_FLUVOXAMINE = label("fluvoxamine, 4", "6eeb14df-6fcf-a737-5359-5744eb4accea")


def _row(
    id_: str, left: str, right: str, severity: Severity, effect: str, advice: str, *sources: Citation
) -> Interaction:
    return Interaction(id_, of(left), of(right), severity, effect, advice, sources)


ROWS: Final = (
    _row(
        "thioridazine-inhibitors",
        "thioridazine",
        "fluoxetine, paroxetine, fluvoxamine, propranolol, pindolol",
        _C,
        "more thioridazine, QT prolongation",
        _NOT,
        _THIORIDAZINE,
    ),
    _row(
        "pimozide-macrolides-azoles",
        "pimozide",
        "clarithromycin, erythromycin, azithromycin, itraconazole, ketoconazole",
        _C,
        "more pimozide, QT prolongation",
        _NOT,
        _PIMOZIDE,
    ),
    _row(
        "pimozide-cyp2d6",
        "pimozide",
        "cyp2d6-strong-inhibitors",
        _C,
        "more pimozide, QT prolongation",
        "The label contraindicates pimozide with paroxetine and other strong inhibitors of CYP2D6.",
        _PIMOZIDE,
        _FDA_2D6,
    ),
    _row(
        "tamoxifen-cyp2d6",
        "tamoxifen",
        "cyp2d6-strong-inhibitors",
        _W,
        "less of what tamoxifen acts by",
        "The assessment says to avoid strong inhibitors of CYP2D6 (paroxetine, fluoxetine, bupropion, quinidine, "
        "cinacalcet) in people who take tamoxifen: CYP2D6 makes what it acts by. That holds whatever the genes are.",
        _TAMOXIFEN,
        _FDA_2D6,
    ),
    _row(
        "codeine-cyp2d6",
        "codeine",
        "paroxetine, fluoxetine, bupropion, quinidine",
        _I,
        "less morphine, pain relief may fail",
        "The label names them among inhibitors of CYP2D6, which makes morphine of codeine: less pain relief, or signs "
        "of opioid withdrawal where one is added. When one is stopped morphine rises again, and breathing may fail. It "
        "says to watch closely at either change, and to consider another dose of codeine.",
        _CODEINE,
    ),
    _row("pimozide-fluvoxamine", "pimozide", "fluvoxamine", _C, "more pimozide, QT prolongation", _NOT, _FLUVOXAMINE),
    _row(
        "lurasidone-inhibitors",
        "lurasidone",
        "ketoconazole, clarithromycin, ritonavir, voriconazole",
        _C,
        "much more lurasidone",
        _NOT,
        _LATUDA,
    ),
    _row(
        "lurasidone-inducers",
        "lurasidone",
        "rifampin, phenytoin, carbamazepine",
        _C,
        "much less lurasidone",
        _NOT,
        _LATUDA,
    ),
    _row(
        "tizanidine-cyp1a2",
        "tizanidine",
        "fluvoxamine, ciprofloxacin",
        _C,
        "much more tizanidine",
        _NOT,
        label("tizanidine (Zanaflex), 4 and 7.1", "60c27d35-7349-4fc6-86ad-70fffdbe3e08"),
    ),
    _row(
        "alosetron-fluvoxamine",
        "alosetron",
        "fluvoxamine",
        _C,
        "much more alosetron",
        _NOT,
        label("alosetron (Lotronex), 4.3", "35cbb9d5-639b-207a-e054-00144ff88e88"),
    ),
    _row(
        "triazolam-inhibitors",
        "triazolam",
        "ketoconazole, itraconazole, nefazodone, lopinavir, ritonavir",
        _C,
        "much more triazolam",
        _NOT,
        label("triazolam, 4", "5add318e-11b9-42f8-b052-0d8cebb32fcf"),
    ),
    _row(
        "simvastatin-inhibitors",
        "simvastatin",
        "itraconazole, ketoconazole, posaconazole, voriconazole, erythromycin, clarithromycin, nelfinavir, ritonavir, "
        "nefazodone",
        _C,
        _MUSCLE,
        _NOT,
        _ZOCOR,
    ),
    _row(
        "simvastatin-gemfibrozil-cyclosporine",
        "simvastatin",
        "gemfibrozil, cyclosporine",
        _C,
        _MUSCLE,
        _NOT,
        label("simvastatin, 7.1", "5c1c694c-4b08-469e-b538-08e69df06146", "2023-08-21"),
    ),
    _row(
        "lovastatin-inhibitors",
        "lovastatin",
        "itraconazole, ketoconazole, posaconazole, voriconazole, erythromycin, clarithromycin, telithromycin, "
        "nefazodone",
        _C,
        _MUSCLE,
        _NOT,
        _LOVASTATIN,
    ),
    _row("lovastatin-gemfibrozil", "lovastatin", "gemfibrozil", _W, _MUSCLE, _AVOID, _LOVASTATIN),
    _row(
        "dronedarone-inhibitors",
        "dronedarone",
        "ketoconazole, itraconazole, voriconazole, cyclosporine, telithromycin, clarithromycin, nefazodone, ritonavir",
        _C,
        "much more dronedarone",
        _NOT,
        label("dronedarone (Multaq), 4", "3bd4006a-8bad-4909-ac6d-b6d84390155c"),
    ),
    _row(
        "ranolazine-inhibitors",
        "ranolazine",
        "ketoconazole, itraconazole, clarithromycin, nefazodone, nelfinavir, ritonavir, indinavir",
        _C,
        "much more ranolazine",
        _NOT,
        _RANEXA,
    ),
    _row(
        "ranolazine-inducers",
        "ranolazine",
        "rifampin, phenobarbital, phenytoin, carbamazepine",
        _C,
        "much less ranolazine",
        _NOT,
        _RANEXA,
    ),
    _row(
        "eplerenone-inhibitors",
        "eplerenone",
        "ketoconazole, itraconazole, nefazodone, clarithromycin, ritonavir, nelfinavir",
        _C,
        "much more eplerenone, hyperkalemia",
        _NOT,
        label("eplerenone (Inspra), 4", "1a52bedc-8e2c-4116-a296-a87770676b4a", "2025-06-23"),
    ),
    _row(
        "ergotamine-inhibitors",
        "ergotamine",
        "ritonavir, nelfinavir, indinavir, erythromycin, clarithromycin",
        _C,
        "acute ergot toxicity",
        _NOT,
        label("ergotamine (Cafergot), Contraindications", "4db7eece-2eef-bc1b-e063-6394a90a98cb"),
    ),
    _row(
        "clopidogrel-omeprazole",
        "clopidogrel",
        "omeprazole, esomeprazole",
        _W,
        "less effect of clopidogrel",
        _AVOID,
        label("clopidogrel (Plavix), 7.2", "de8b0b67-eb25-4684-83b5-7ad785314227"),
    ),
    _row(
        "ticagrelor-inhibitors",
        "ticagrelor",
        "ketoconazole, itraconazole, voriconazole, clarithromycin, nefazodone, ritonavir",
        _W,
        "more ticagrelor, bleeding",
        _AVOID,
        label("ticagrelor (Brilinta), 7.1", "f7b3f443-e83d-4bf2-0e96-023448fed9a8"),
    ),
    _row(
        "apixaban-inducers",
        "apixaban",
        "rifampin, carbamazepine, phenytoin",
        _W,
        "less apixaban, clots",
        _AVOID,
        label("apixaban (Eliquis), 7.2", "41a133ef-e461-48ad-8221-b735bdd0ec25"),
    ),
    _row(
        "rivaroxaban-inhibitors",
        "rivaroxaban",
        "ketoconazole, ritonavir",
        _W,
        "more rivaroxaban, bleeding",
        _AVOID,
        label("rivaroxaban (Xarelto), 7.2", "10db92f9-2300-4a80-836b-673e1ae91610"),
    ),
    _row(
        "rivaroxaban-inducers",
        "rivaroxaban",
        "carbamazepine, phenytoin, rifampin",
        _W,
        "less rivaroxaban, clots",
        _AVOID,
        Citation(
            "Xarelto (rivaroxaban), important safety information of the maker, 2013-08",
            "https://viewer.joomag.com/cardiosource-worldnews-august-2013/0877379001377187034/p26",
        ),
    ),
    _row(
        "azathioprine-allopurinol",
        "azathioprine",
        "allopurinol",
        _W,
        "severe bone marrow suppression",
        "The label reduces azathioprine to a third or a quarter of the usual dose when allopurinol is given with it. "
        "Blood counts fell all the same in published series: watch them closely.",
        Citation("Imuran (azathioprine), as MPR gives its label", "https://www.renalandurologynews.com/drug/imuran/"),
        _DDINTER,
    ),
    _row(
        "mercaptopurine-allopurinol",
        "mercaptopurine",
        "allopurinol",
        _W,
        "severe bone marrow suppression",
        "Most authorities reduce mercaptopurine to a third or a quarter of the usual dose when allopurinol is given "
        "with it, and have blood counts watched closely.",
        _DDINTER,
    ),
    _row(
        "methadone-inhibitors",
        "methadone",
        "cyp2d6-strong-inhibitors, cyp2d6-moderate-inhibitors, ketoconazole, fluconazole, fluvoxamine, ritonavir",
        _W,
        "more methadone, fatal overdose possible",
        "Boxed warning: consider a lower dose, and look often for respiratory depression and sedation, above all when "
        "the inhibitor is added to a stable dose. When the inhibitor is stopped, withdrawal may follow.",
        _METHADONE,
        _FDA_2D6,
    ),
    _row(
        "methadone-inducers",
        "methadone",
        "rifampin, carbamazepine, phenytoin",
        _I,
        "less methadone, withdrawal",
        "The label says that inducers can lower the concentration of methadone: watch for withdrawal.",
        label("methadone, 7", "540edd43-165d-4257-b989-3bccc8f54afb"),
    ),
    _row(
        "citalopram-cimetidine",
        "citalopram",
        "cimetidine",
        _W,
        "more citalopram, QT prolongation",
        "The label limits citalopram to 20 mg a day with cimetidine or another inhibitor of CYP2C19.",
        label("citalopram, Warnings", "fd761647-e16b-45b3-a4bc-364de0ed7015", "2023-09-07"),
    ),
    _row(
        "voriconazole-rifampin",
        "voriconazole",
        "rifampin",
        _C,
        "too little voriconazole",
        _NOT,
        label("voriconazole (Vfend), 4", "08d08721-1f4c-478a-8abf-d9c402d50553"),
    ),
    _row(
        "atazanavir-rifampin",
        "atazanavir",
        "rifampin",
        _C,
        "too little atazanavir",
        _NOT,
        label("rifampin (Rifadin), Contraindications", "1b074c23-dd35-43c9-820c-0e603481fdd3"),
    ),
    _row(
        "risperidone-fluoxetine",
        "risperidone",
        "fluoxetine",
        _I,
        "more risperidone",
        "A strong inhibitor of CYP2D6. Observed: 4.2 times the exposure to risperidone in extensive metabolisers.",
        _DDGI,
        _FDA_2D6,
    ),
    _row(
        "tolterodine-fluoxetine",
        "tolterodine",
        "fluoxetine",
        _I,
        "more tolterodine",
        "A strong inhibitor of CYP2D6. Observed: 5 to 17 times the exposure to tolterodine, by genotype.",
        _DDGI,
        _FDA_2D6,
    ),
    _row(
        "dextromethorphan-cyp2d6",
        "dextromethorphan",
        "paroxetine, duloxetine",
        _I,
        "more dextromethorphan",
        "Inhibitors of CYP2D6. Observed: 8 to 15 times the exposure with paroxetine, twice with duloxetine.",
        _DDGI,
        _FDA_2D6,
    ),
)
