"""ATC codes of the fifth level that stand for one systemic medicine, as CPIC's table of drugs gives them.

Codes of creams, drops and inhalers are left out: they would stand for less than the ingredient taken. Of fixed
combinations only those are here that name both their ingredients.

Source: CPIC, cpic-data 1.56.0 (CC0), table of drugs; combinations of opioids: WHO Collaborating Centre for Drug
Statistics Methodology, 2016-01-22,
https://www.whocc.no/news/atc_classification_of_combinations_of_opioids_and_other_anal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ATC: Final[Mapping[str, str]] = {
    "A02BC01": "7646",  # omeprazole
    "A02BC02": "40790",  # pantoprazole
    "A02BC03": "17128",  # lansoprazole
    "A02BC04": "114979",  # rabeprazole
    "A02BC05": "283742",  # esomeprazole
    "A03FA01": "6915",  # metoclopramide
    "A04AA01": "26225",  # ondansetron
    "A04AA03": "27392",  # tropisetron
    "A04AA04": "68091",  # dolasetron
    "A04AA05": "70561",  # palonosetron
    "A07EC01": "9524",  # sulfasalazine
    "A07EC02": "52582",  # mesalamine
    "A10BA02": "6809",  # metformin
    "A10BB01": "4815",  # glyburide
    "A10BB02": "2404",  # chlorpropamide
    "A10BB07": "4821",  # glipizide
    "A10BB12": "25789",  # glimepiride
    "A10BG02": "84108",  # rosiglitazone
    "A16AA05": "401713",  # carglumic acid
    "B01AA03": "11289",  # warfarin
    "B01AA04": "8150",  # phenprocoumon
    "B01AA07": "154",  # acenocoumarol
    "B01AC04": "32968",  # clopidogrel
    "B01AC06": "1191",  # aspirin
    "C01AA05": "3407",  # digoxin
    "C01BA01": "9068",  # quinidine
    "C01BB01": "6387",  # lidocaine
    "C01BC03": "8754",  # propafenone
    "C01BC04": "4441",  # flecainide
    "C01DA08": "6058",  # isosorbide dinitrate
    "C02DB02": "5470",  # hydralazine
    "C03AA03": "5487",  # hydrochlorothiazide
    "C03CA01": "4603",  # furosemide
    "C03DA01": "9997",  # spironolactone
    "C07AA05": "8787",  # propranolol
    "C07AA06": "10600",  # timolol
    "C07AB02": "6918",  # metoprolol
    "C07AG02": "20352",  # carvedilol
    "C09AA01": "1998",  # captopril
    "C10AA01": "36567",  # simvastatin
    "C10AA03": "42463",  # pravastatin
    "C10AA05": "83367",  # atorvastatin
    "C10AA06": "596723",  # cerivastatin
    "C10AA07": "301542",  # rosuvastatin
    "G04BD07": "119565",  # tolterodine
    "G04BD10": "136198",  # darifenacin
    "G04BD11": "797195",  # fesoterodine
    "G04BE03": "136411",  # sildenafil
    "G04CA02": "77492",  # tamsulosin
    "H02AB08": "10759",  # triamcinolone
    "H03BA02": "8794",  # propylthiouracil
    "H03BB01": "2020",  # carbimazole
    "H03BB02": "6835",  # methimazole
    "J01BA01": "2348",  # chloramphenicol
    "J01EB05": "10207",  # sulfisoxazole
    "J01EC02": "10171",  # sulfadiazine
    "J01FA01": "4053",  # erythromycin
    "J01MA02": "2551",  # ciprofloxacin
    "J01MA06": "7517",  # norfloxacin
    "J01MA12": "82122",  # levofloxacin
    "J01MA14": "139462",  # moxifloxacin
    "J01MB02": "7240",  # nalidixic acid
    "J01XE01": "7454",  # nitrofurantoin
    "J02AC03": "121243",  # voriconazole
    "J04AC01": "6038",  # isoniazid
    "J04BA02": "3108",  # dapsone
    "J05AB04": "9344",  # ribavirin
    "J05AE08": "343047",  # atazanavir
    "J05AF06": "190521",  # abacavir
    "J05AG01": "53654",  # nevirapine
    "J05AG03": "195085",  # efavirenz
    "L01AA01": "3002",  # cyclophosphamide
    "L01BA01": "6851",  # methotrexate
    "L01BB02": "103",  # mercaptopurine
    "L01BB03": "10485",  # thioguanine
    "L01BC02": "4492",  # fluorouracil
    "L01BC03": "4582",  # tegafur
    "L01BC05": "12574",  # gemcitabine
    "L01BC06": "194000",  # capecitabine
    "L01CB01": "4179",  # etoposide
    "L01DB03": "3995",  # epirubicin
    "L01XA01": "2555",  # cisplatin
    "L01XA02": "40048",  # carboplatin
    "L01XA03": "32592",  # oxaliplatin
    "L01XC02": "121191",  # rituximab
    "L01XC06": "318341",  # cetuximab
    "L01XE04": "357977",  # sunitinib
    "L01XE07": "480167",  # lapatinib
    "L01XE08": "662281",  # nilotinib
    "L01XX19": "51499",  # irinotecan
    "L01XX33": "140587",  # celecoxib
    "L02BA01": "10324",  # tamoxifen
    "L03AB05": "5880",  # interferon alfa-2b, recombinant
    "L03AB10": "253453",  # peginterferon alfa-2b
    "L03AB11": "120608",  # peginterferon alfa-2a
    "L04AA06": "7145",  # mycophenolic acid
    "L04AA10": "35302",  # sirolimus
    "L04AD01": "3008",  # cyclosporine
    "L04AD02": "42316",  # tacrolimus
    "L04AX01": "1256",  # azathioprine
    "L04AX03": "6851",  # methotrexate
    "M01AB05": "3355",  # diclofenac
    "M01AE09": "4502",  # flurbiprofen
    "M01AH01": "140587",  # celecoxib
    "M03AB01": "10154",  # succinylcholine
    "M03BA02": "2101",  # carisoprodol
    "M04AA01": "519",  # allopurinol
    "M04AB01": "8698",  # probenecid
    "M04AX01": "283821",  # rasburicase
    "N02AA01": "7052",  # morphine
    "N02AA05": "7804",  # oxycodone
    "N02AB03": "4337",  # fentanyl
    "N02AX02": "10689",  # tramadol
    "N02BA01": "1191",  # aspirin
    "N02BG09": "6857",  # methoxyflurane
    "N03AB02": "8183",  # phenytoin
    "N03AF01": "2002",  # carbamazepine
    "N03AF02": "32624",  # oxcarbazepine
    "N03AG01": "40254",  # valproate
    "N03AX09": "28439",  # lamotrigine
    "N05AB03": "8076",  # perphenazine
    "N05AC02": "10502",  # thioridazine
    "N05AD01": "5093",  # haloperidol
    "N05AF05": "114176",  # zuclopenthixol
    "N05AG02": "8331",  # pimozide
    "N05AH02": "2626",  # clozapine
    "N05AH03": "61381",  # olanzapine
    "N05AX08": "35636",  # risperidone
    "N05AX12": "89013",  # aripiprazole
    "N05BA01": "3322",  # diazepam
    "N05BA04": "7781",  # oxazepam
    "N05BA09": "21241",  # clobazam
    "N05CD08": "6960",  # midazolam
    "N06AA01": "3247",  # desipramine
    "N06AA02": "5691",  # imipramine
    "N06AA04": "2597",  # clomipramine
    "N06AA06": "10834",  # trimipramine
    "N06AA09": "704",  # amitriptyline
    "N06AA10": "7531",  # nortriptyline
    "N06AA11": "8886",  # protriptyline
    "N06AA12": "3638",  # doxepin
    "N06AB03": "4493",  # fluoxetine
    "N06AB04": "2556",  # citalopram
    "N06AB05": "32937",  # paroxetine
    "N06AB06": "36437",  # sertraline
    "N06AB08": "42355",  # fluvoxamine
    "N06AB10": "321988",  # escitalopram
    "N06AX11": "15996",  # mirtazapine
    "N06AX12": "42347",  # bupropion
    "N06AX16": "39786",  # venlafaxine
    "N06AX21": "72625",  # duloxetine
    "N06BA04": "6901",  # methylphenidate
    "N06BA07": "30125",  # modafinil
    "N06BA09": "38400",  # atomoxetine
    "N06BC01": "1886",  # caffeine
    "N06DA02": "135447",  # donepezil
    "N06DA04": "4637",  # galantamine
    "N07AX03": "44281",  # cevimeline
    "N07BA01": "7407",  # nicotine
    "N07BB04": "7243",  # naltrexone
    "N07BC02": "6813",  # methadone
    "N07XX06": "10390",  # tetrabenazine
    "N07XX11": "2197878",  # pitolisant
    "P01BA01": "2393",  # chloroquine
    "P01BA02": "5521",  # hydroxychloroquine
    "P01BA03": "8687",  # primaquine
    "P01BC01": "9071",  # quinine
    "P01BC02": "6694",  # mefloquine
    "R05DA04": "2670",  # codeine
    "R05DA09": "3289",  # dextromethorphan
    "R07AX02": "1243041",  # ivacaftor
}
"""ATC code to RxNorm ingredient."""

COMBINED: Final[Mapping[str, tuple[str, ...]]] = {
    "N02AJ06": ("161", "2670"),  # codeine and paracetamol
    "N02AJ07": ("1191", "2670"),  # codeine and acetylsalicylic acid
    "N02AJ08": ("2670", "5640"),  # codeine and ibuprofen
    "N02AJ13": ("10689", "161"),  # tramadol and paracetamol
    "N02AJ17": ("161", "7804"),  # oxycodone and paracetamol
    "N02AJ18": ("1191", "7804"),  # oxycodone and acetylsalicylic acid
    "N02AJ19": ("5640", "7804"),  # oxycodone and ibuprofen
}
"""ATC code of a fixed combination to its RxNorm ingredients, sorted."""
