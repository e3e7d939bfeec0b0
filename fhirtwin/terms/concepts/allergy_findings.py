"""Findings that somebody is allergic to a medicine ("Penicillin allergy"): which medicine each is about.

Lists of these codes that go round in public contradict one another. These rows were read in the expansion that HL7
published with its value set allergyintolerance-code; 91936005 also stands in the examples of HL7's International
Patient Summary and 91939003 in those of HL7 Belgium. SNOMED International calls them "Allergy to ..." today; the codes
mean the same. Only medicines that the tables of `fhirtwin.terms.drugs` know are here. An allergy to several medicines
at once ("Amoxicillin + clavulanate potassium allergy") stands for each of them, because it may be to either.

Source: http://hl7.org/fhir/R4/valueset-allergyintolerance-code.html (descendants of 418038007, propensity to adverse
reactions to substance).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_GROUPS: Final[Mapping[str, tuple[str, str]]] = {
    "91936005": ("Penicillin allergy", "penicillins"),
    "294532003": ("Cephalosporin allergy", "cephalosporins"),
    "91939003": ("Sulfonamide allergy", "sulfonamide-antibiotics"),
    "293610009": ("Non-steroidal anti-inflammatory drug allergy", "nsaids"),
    "293587005": ("Opioid analgesic allergy", "opioids"),
    "293821002": ("Tricyclic antidepressant drug allergy", "tricyclics"),
    "293844004": ("Selective serotonin re-uptake inhibitor allergy", "ssris"),
}
"""Code to the name in the expansion, and the group of `fhirtwin.terms.drugs.groups` that it is taken for."""

_INGREDIENTS: Final[Mapping[str, tuple[str, str]]] = {
    "293584003": ("Acetaminophen allergy", "161"),
    "293586001": ("Aspirin allergy", "1191"),
    "293588000": ("Pentazocine allergy", "8001"),
    "293594008": ("Methadone allergy", "6813"),
    "293597001": ("Codeine allergy", "2670"),
    "293600000": ("Nalbuphine allergy", "7238"),
    "293601001": ("Morphine allergy", "7052"),
    "293604009": ("Alfentanil allergy", "480"),
    "293605005": ("Fentanyl allergy", "4337"),
    "293606006": ("Pethidine allergy", "6754"),  # meperidine
    "293613006": ("Diclofenac allergy", "3355"),
    "293614000": ("Etodolac allergy", "24605"),
    "293618002": ("Flurbiprofen allergy", "4502"),
    "293619005": ("Ibuprofen allergy", "5640"),
    "293620004": ("Indometacin allergy", "5781"),  # indomethacin
    "293621000": ("Ketoprofen allergy", "6142"),
    "293622007": ("Ketorolac allergy", "35827"),
    "293624008": ("Nabumetone allergy", "31448"),
    "293625009": ("Naproxen allergy", "7258"),
    "293629003": ("Piroxicam allergy", "8356"),
    "293630008": ("Sulindac allergy", "10237"),
    "293633005": ("Tolmetin allergy", "10636"),
    "293646000": ("Sucralfate allergy", "10156"),
    "293648004": ("Misoprostol allergy", "42331"),
    "293650007": ("Cimetidine allergy", "2541"),
    "293651006": ("Famotidine allergy", "4278"),
    "293653009": ("Ranitidine allergy", "9143"),
    "293655002": ("Omeprazole allergy", "7646"),
    "293656001": ("Lansoprazole allergy", "17128"),
    "293660003": ("Mesalazine allergy", "52582"),
    "293663001": ("Sulfasalazine allergy", "9524"),
    "293668005": ("Loperamide allergy", "6468"),
    "293675006": ("Metoclopramide allergy", "6915"),
    "293707005": ("Ketamine allergy", "6130"),
    "293708000": ("Propofol allergy", "8782"),
    "293722000": ("Lidocaine allergy", "6387"),
    "293748008": ("Cyclophosphamide allergy", "3002"),
    "293771005": ("Methotrexate allergy", "6851"),
    "293772003": ("Mercaptopurine allergy", "103"),
    "293773008": ("Tioguanine allergy", "10485"),  # thioguanine
    "293776000": ("Fluorouracil allergy", "4492"),
    "293777009": ("Etoposide allergy", "4179"),
    "293779007": ("Carboplatin allergy", "40048"),
    "293780005": ("Cisplatin allergy", "2555"),
    "293785000": ("Paclitaxel allergy", "56946"),
    "293790002": ("Tamoxifen allergy", "10324"),
    "293798009": ("Ciclosporin allergy", "3008"),  # cyclosporine
    "293799001": ("Azathioprine allergy", "1256"),
    "293811005": ("Amantadine allergy", "620"),
    "293817009": ("Lithium allergy", "6448"),
    "293818004": ("Lithium carbonate allergy", "6448"),
    "293823004": ("Doxepin allergy", "3638"),
    "293826007": ("Nortriptyline allergy", "7531"),
    "293827003": ("Trimipramine allergy", "10834"),
    "293829000": ("Amitriptyline allergy", "704"),
    "293830005": ("Clomipramine allergy", "2597"),
    "293831009": ("Desipramine allergy", "3247"),
    "293833007": ("Imipramine allergy", "5691"),
    "293834001": ("Protriptyline allergy", "8886"),
    "293836004": ("Phenelzine allergy", "8123"),
    "293839006": ("Tranylcypromine allergy", "10734"),
    "293843005": ("Venlafaxine allergy", "39786"),
    "293845003": ("Sertraline allergy", "36437"),
    "293847006": ("Paroxetine allergy", "32937"),
    "293848001": ("Nefazodone allergy", "31565"),
    "293849009": ("Citalopram allergy", "2556"),
    "293850009": ("Fluoxetine allergy", "4493"),
    "293851008": ("Fluvoxamine allergy", "42355"),
    "293855004": ("Trazodone allergy", "10737"),
    "293859005": ("Lamotrigine allergy", "28439"),
    "293861001": ("Gabapentin allergy", "25480"),
    "293862008": ("Sodium valproate allergy", "40254"),  # valproate
    "293865005": ("Phenobarbital allergy", "8134"),
    "293866006": ("Primidone allergy", "8691"),
    "293867002": ("Carbamazepine allergy", "2002"),
    "293869004": ("Phenytoin allergy", "8183"),
    "293871004": ("Clonazepam allergy", "2598"),
    "293875008": ("Zolpidem allergy", "39993"),
    "293891006": ("Triazolam allergy", "10767"),
    "293892004": ("Alprazolam allergy", "596"),
    "293894003": ("Chlordiazepoxide allergy", "2356"),
    "293895002": ("Clobazam allergy", "21241"),
    "293899008": ("Oxazepam allergy", "7781"),
    "293901004": ("Midazolam allergy", "6960"),
    "293902006": ("Diazepam allergy", "3322"),
    "293903001": ("Lorazepam allergy", "6470"),
    "293904007": ("Temazepam allergy", "10355"),
    "293911006": ("Buspirone allergy", "1827"),
    "293916001": ("Clozapine allergy", "2626"),
    "293917005": ("Risperidone allergy", "35636"),
    "293923000": ("Droperidol allergy", "3648"),
    "293924006": ("Haloperidol allergy", "5093"),
    "293926008": ("Pimozide allergy", "8331"),
    "293934002": ("Fluphenazine allergy", "4496"),
    "293935001": ("Chlorpromazine allergy", "2403"),
    "293938004": ("Thioridazine allergy", "10502"),
    "293939007": ("Perphenazine allergy", "8076"),
    "293940009": ("Prochlorperazine allergy", "8704"),
    "293941008": ("Trifluoperazine allergy", "10800"),
    "293955000": ("Methylphenidate allergy", "6901"),
    "293964005": ("Acebutolol allergy", "149"),
    "293965006": ("Atenolol allergy", "1202"),
    "293967003": ("Bisoprolol allergy", "19484"),
    "293970004": ("Metoprolol allergy", "6918"),
    "293972007": ("Nadolol allergy", "7226"),
    "293973002": ("Pindolol allergy", "8332"),
    "293974008": ("Carvedilol allergy", "20352"),
    "293977001": ("Labetalol allergy", "6185"),
    "293982008": ("Propranolol allergy", "8787"),
    "293983003": ("Sotalol allergy", "9947"),
    "293984009": ("Timolol allergy", "10600"),
    "293986006": ("Alfuzosin allergy", "17300"),
    "293987002": ("Doxazosin allergy", "49276"),
    "293991007": ("Prazosin allergy", "8629"),
    "293992000": ("Terazosin allergy", "37798"),
    "293996002": ("Nifedipine allergy", "7417"),
    "293999009": ("Felodipine allergy", "4316"),
    "294002003": ("Amlodipine allergy", "17767"),
    "294003008": ("Diltiazem allergy", "3443"),
    "294005001": ("Verapamil allergy", "11170"),
    "294055009": ("Methyldopa allergy", "6876"),
    "294058006": ("Clonidine allergy", "2599"),
    "294088002": ("Oxybutynin allergy", "32675"),
    "294114008": ("Loratadine allergy", "28889"),
    "294116005": ("Cetirizine allergy", "20610"),
    "294126003": ("Promethazine allergy", "8745"),
    "294133003": ("Diphenhydramine allergy", "3498"),
    "294135005": ("Hydroxyzine allergy", "5553"),
    "294151002": ("Dextromethorphan hydrobromide allergy", "3289"),  # dextromethorphan
    "294158008": ("Aminophylline allergy", "689"),
    "294160005": ("Theophylline allergy", "10438"),
    "294362008": ("Ketoconazole allergy", "6135"),
    "294363003": ("Miconazole allergy", "6932"),
    "294365005": ("Fluconazole allergy", "4450"),
    "294366006": ("Itraconazole allergy", "28031"),
    "294374007": ("Valaciclovir allergy", "73645"),  # valacyclovir
    "294384008": ("Aciclovir allergy", "281"),  # acyclovir
    "294391006": ("Primaquine allergy", "8687"),
    "294392004": ("Mefloquine allergy", "6694"),
    "294393009": ("Hydroxychloroquine allergy", "5521"),
    "294394003": ("Chloroquine allergy", "2393"),
    "294398000": ("Quinine allergy", "9071"),
    "294466005": ("Streptomycin allergy", "10109"),
    "294468006": ("Neomycin allergy", "7299"),
    "294469003": ("Gentamicin allergy", "1596450"),
    "294470002": ("Tobramycin allergy", "10627"),
    "91931000": ("Erythromycin allergy", "4053"),
    "294471003": ("Clarithromycin allergy", "21212"),
    "294472005": ("Azithromycin allergy", "18631"),
    "294475007": ("Vancomycin allergy", "11124"),
    "294477004": ("Trimethoprim allergy", "10829"),
    "294478009": ("Nitrofurantoin allergy", "7454"),
    "294480003": ("Mupirocin allergy", "42372"),
    "294486009": ("Nalidixic acid allergy", "7240"),
    "294487000": ("Ciprofloxacin allergy", "2551"),
    "294489002": ("Ofloxacin allergy", "7623"),
    "294490006": ("Norfloxacin allergy", "7517"),
    "294497009": ("Phenoxymethylpenicillin allergy", "7984"),  # penicillin v
    "294499007": ("Benzylpenicillin allergy", "7980"),  # penicillin g
    "294505008": ("Amoxicillin allergy", "723"),
    "294506009": ("Ampicillin allergy", "733"),
    "294530006": ("Polymyxin B allergy", "8536"),
    "294534002": ("Cefadroxil allergy", "2177"),
    "294535001": ("Cefalexin allergy", "2231"),  # cephalexin
    "294537009": ("Cefazolin allergy", "2180"),
    "294541008": ("Cefaclor allergy", "2176"),
    "294542001": ("Cefuroxime allergy", "2194"),
    "294546003": ("Ceftazidime allergy", "2191"),
    "294548002": ("Cefixime allergy", "25033"),
    "294550005": ("Cefpodoxime allergy", "20489"),
    "294551009": ("Ceftriaxone allergy", "2193"),
    "294558003": ("Cefoxitin allergy", "2189"),
    "294561002": ("Clindamycin allergy", "2582"),
    "294562009": ("Lincomycin allergy", "6398"),
    "294565006": ("Aztreonam allergy", "1272"),
    "294567003": ("Metronidazole allergy", "6922"),
    "294573002": ("Sulfadiazine allergy", "10171"),
    "294576005": ("Sulfafurazole allergy", "10207"),  # sulfisoxazole
}
"""Code to the name in the expansion, and the RxNorm ingredient."""

_BOTH: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "294523000": ("Amoxicillin + clavulanate potassium allergy", ("723", "48203")),
}

NAMES: Final[Mapping[str, str]] = {
    code: row[0] for table in (_GROUPS, _INGREDIENTS, _BOTH) for code, row in table.items()
}
"""Every code with its name."""

FINDINGS: Final[Mapping[str, tuple[str, ...]]] = {
    **{code: (row[1],) for table in (_GROUPS, _INGREDIENTS) for code, row in table.items()},
    **{code: row[1] for code, row in _BOTH.items()},
}
"""Every code with the ingredients, or the groups, that the allergy is to."""
