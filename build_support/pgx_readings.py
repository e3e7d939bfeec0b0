# ruff: noqa: E501  phrases are one a line
"""How the texts of CPIC's recommendations are read: phrases on the left, steps of our own on the right.

A step is `verb:what=amount@when`; `or` before it means "or instead", `~` that it is to be considered rather than done.
Whatever speaks of an action and is not matched here stops the build, so nothing is passed over.
"""

from __future__ import annotations

import re

_IF = r"(?:if (?:an? )?(?:\S+|tricyclic antidepressant|tertiary amine) is warranted,|for tertiary amines,)"

# (phrase, steps). The first that matches at a place takes it; longer ones stand before shorter ones.
PHRASES: tuple[tuple[str, str], ...] = (
    # Hypersensitivity
    (r"if patient is \S+-naive and alternative agents are not available, consider the use of carbamazepine with increased frequency of clinical monitoring", "~caution:use@naive;monitor:more often@naive"),
    (r"discontinue therapy at first evidence of a cutaneous adverse reaction", "stop:skin reaction"),
    (r"if patient is \S+-naive and alternative agents are available, do not use \S+", "avoid:drug@naive"),
    (r"if patient is \S+-naive, do not use \S+(?=\.)", "avoid:drug@naive"),
    (r"avoid carbamazepine and oxcarbazepine", "avoid:also=carbamazepine, oxcarbazepine"),
    (r"(?:therefore, )?if the patient has previously used \S+ (?:consistently|continuously) for longer than three months without incidence of cutaneous adverse reactions, cautiously consider use of \S+?(?: in the future)?(?=\.)", "~caution:use@taken over 3 months without a skin reaction"),
    # Aminoglycosides, G6PD, malignant hyperthermia
    (r"use aminoglycoside antibiotics at standard doses for the shortest feasible course with therapeutic dose monitoring", "use:standard dose;use:shortest course;monitor:drug level"),
    (r"evaluate regularly for hearing loss in line with local guidance", "monitor:hearing"),
    (r"avoid aminoglycoside anitbiotics unless the high risk of permanent hearing loss is outweighed by the severity of infection and lack of safe or effective alternative therapies", "avoid:unless outweighed"),
    (r"(?:to ascertain|if deemed necessary to ascertain) g6pd status, enzyme activity must be measured\. drug use should be guided per the recommendations based on the activity-based phenotype", "test:G6PD activity"),
    (r"no reason to avoid b?ased on g6pd status(?: at standard doses)?", "use:standard dose"),
    (r"use drug cautiously; if used, close monitoring for acute exacerbation of chronic hemolysis is recommended", "caution:use;monitor:haemolysis"),
    (r"use at standard doses with caution and with close monitoring for anemia", "caution:standard dose;monitor:anaemia"),
    (r"avoid primaquine, except in the following cases where established expert consensus guidelines for the treatment of malaria should be followed: .*", "avoid:except malaria regimens of the guideline"),
    (r"clinical findings, family history, further genetic testing and other laboratory data should guide use of halogenated volatile anesthetics or depolarizing muscle relaxants", "judge:clinical findings and family history"),
    (r"halogenated volatile anesthetics or the depolarizing muscle relaxant succinylcholine are relatively contraindicated .* they should not be used, except in extraordinary circumstances where the benefits outweigh the risks\. in general, alternative anesthetics are widely available and effective in patients with mhs", "avoid:unless outweighed;alternative:another anaesthetic"),
    # Tricyclics
    (r"avoid tertiary amine use due to potential for sub-optimal response\. consider alternative drug not metabolized by cyp2c19\. tcas without major cyp2c19 metabolism include the secondary amines nortriptyline and desipramine", "avoid:drug;~alternative:not by CYP2C19=nortriptyline, desipramine"),
    (r"avoid tricyclic use due to potential (?:for side effects|lack of efficacy)", "avoid:drug"),
    (_IF + r" consider a 50% reduction of (?:the )?recommended starting dose", "~reduce:start=50%@if still used"),
    (_IF + r" consider titrating to a higher target dose \(compared to normal metabolizers\)", "~increase:target@if still used"),
    (_IF + r" utilize therapeutic drug monitoring to guide dose adjustments?", "monitor:drug level@if still used"),
    (r"utiliz(?:e|ing) therapeutic drug monitoring to guide dose adjustments?(?: is strongly recommended)?", "monitor:drug level"),
    (r"titrate dose to observed clinical response with symptom improvement and minimal \(if any\) side effects", "titrate:to response"),
    (r"consider a (\d+)% reduction of recommended starting dose", r"~reduce:start=\1%"),
    (r"avoid (?:amitriptyline|clomipramine|doxepin|imipramine|trimipramine) use", "avoid:drug"),
    # Serotonin reuptake inhibitors and others
    (r"initiate 50% of starting dose \(e\.g\., 5 mg\) and titrate to the maximum recommended dose of 10 mg or consider a clinically appropriate alternative antidepressant not predominantly metabolized by cyp2d6", "reduce:start=50%;limit:dose=10 mg;or ~alternative:not by CYP2D6"),
    (r"select alternative drug not predominantly metabolized by cyp2d6 \(i\.e\., granisetron\)", "alternative:not by CYP2D6=granisetron"),
    (r"if vortioxetine use is warranted, initiate therapy at standard starting dose and titrate to maintenance dose based on efficacy and side effects\. increasing the target maintenance dose by 50% or more may be needed for efficacy", "use:standard start@if still used;~increase:maintenance=50% or more@if still used"),
    (r"if patient does not adequately respond to recommended maintenance dosing, consider titrating to a higher maintenance dose or switching to a clinically appropriate alternative antidepressant not predominantly metabolized by cyp2c19", "~increase:maintenance@if no response;or ~alternative:not by CYP2C19@if no response"),
    (r"if patient does not adequately respond to recommended maintenance dosing, consider titrating to a higher$", "~increase:maintenance@if no response"),
    (r"if citalopram or escitalopram are clinically appropriate, and adequate efficacy is not achieved at standard maintenance dosing, consider titrating to a higher maintenance dose", "~increase:maintenance@if still used and no response"),
    (r"if citalopram or escitalopram are clinically appropriate, consider a lower starting dose, slower titration schedule and 50% reduction of the standard maintenance dose as compared to normal metabolizers", "~reduce:start@if still used;~titrate:slower@if still used;~reduce:maintenance=50%@if still used"),
    (r"consider a lower starting dose, slower titration schedule and (\d+)% reduction of standard maintenance dose as (?:compared to )?(?:cyp2c19|cyp2b6) normal metabolizers", r"~reduce:start;~titrate:slower;~reduce:maintenance=\1%"),
    (r"or select a clinically appropriate alternative antidepressant not predominantly metabolized by (cyp2c19|cyp2b6)", r"or alternative:not by \1"),
    (r"consider a slower titration schedule and lower maintenance dose(?: than (?:cyp2b6 |cyp2c19 )?normal metabolizers)?", "~titrate:slower;~reduce:maintenance"),
    (r"consider a lower starting dose and slower titration schedule as compared to normal metabolizers", "~reduce:start;~titrate:slower"),
    (r"consider a 50% reduction in recommended starting dose, slower titration schedule, and a 50% lower maintenance dose as compared to normal metabolizers", "~reduce:start=50%;~titrate:slower;~reduce:maintenance=50%"),
    (r"consider a 25-50% lower starting dose and slower titration schedule as compared to normal metabolizers or consider a clinically appropriate alternative antidepressant not predominantly metabolized by cyp2d6", "~reduce:start=25-50%;~titrate:slower;or ~alternative:not by CYP2D6"),
    (r"select an alternative antidepressant not primarily metabolized by cyp2c19 or cyp2b6", "alternative:not by CYP2C19 or CYP2B6"),
    (r"consider (?:a )?(?:clinically appropriate )?(?:alternative )?(?:antidepressant|drug) not (?:predominantly )?metabolized by (cyp\w+)", r"~alternative:not by \1"),
    (r"consider a clinically appropriate alternative antidepressant not predominantly metabolized by (cyp\w+)", r"~alternative:not by \1"),
    (r"select alternative drug not predominantly metabolized by (cyp\w+)", r"alternative:not by \1"),
    (r"no action recommended based on genotype for venlafaxine because of minimal evidence regarding the impact on efficacy or side effects", "none:no action for this genotype, evidence is small"),
    (r"insufficient evidence demonstrating clinical impact based on cyp2d6 genotype", "none:insufficient evidence"),
    # Atomoxetine
    (r"initiate with a dose of (40 mg/day|0\.5 mg/kg(?:/day)?) and if no clinical response and in the absence of adverse events after 2 weeks(,| increase dose to 80 mg/day)", "titrate:own schedule;use:start=@@ATO"),
    (r"initiate with a dose of (40 mg/day|0\.5 mg/kg(?:/day)?) and increase to (80 mg/day|1\.2 mg/kg/day) after 3 days", r"titrate:own schedule;use:start=\1;increase:dose=\2@after 3 days"),
    (r"if no clinical response and in the absence of adverse events after 2 weeks, consider increasing dose to 100 mg/day", "~increase:dose=100 mg/day@no response after 2 weeks"),
    (r"(?:if no clinical response (?:observed after 2 weeks|and in the absence of adverse events after 2 weeks),|if response is inadequate after 2 weeks,?|^) ?consider obtaining a (?:peak )?plasma concentration [^.]*", "~monitor:drug level@no response after 2 weeks"),
    (r"consider obtaining a plasma concentration [^.]*", "~monitor:drug level@no response after 2 weeks"),
    (r"if (?:concentration is |response is inadequate and concentration is )?< ?200 ng/ml, consider a proportional (?:dose increase|increase in dose) to (?:achieve a concentration to )?approach 400 ng/ml", "~increase:dose=in proportion, towards 400 ng/mL@level under 200 ng/mL"),
    (r"dosages greater than 100 mg/day may be needed to achieve target concentrations", "~increase:dose=over 100 mg/day@level under 200 ng/mL"),
    (r"if unacceptable side effects are present at any time, consider a reduction in dose", "~reduce:dose@side effects"),
    # Clopidogrel
    (r"avoid standard (?:dose )?(?:\(75 mg(?:/day)?\) )?(?:dose )?(?:\(75 mg/day\) )?clopidogrel (?:\(75 mg\) )?if possible\. use prasugrel or ticagrelor at standard dose if no contraindication", "avoid:drug;alternative:named=prasugrel, ticagrelor"),
    (r"avoid clopidogrel if possible\. consider an alternative p2y12 inhibitor at standard dose if clinically indicated and no contraindication", "avoid:drug;~alternative:another P2Y12 inhibitor"),
    (r"consider an alternative p2y12 inhibitor at standard dose if clinically indicated and no contraindication", "~alternative:another P2Y12 inhibitor"),
    (r"if considering clopidogrel, use at standard dose \(75 mg/day\)", "use:standard dose=75 mg/day"),
    # Opioids
    (r"use \S+ label recommended age- or weight-specific dosing", "use:label dose"),
    (r"if no response and opioid use is warranted, consider (?:a )?(non-\S+(?: (?:and|or) non-tramadol)?) opioid", r"~alternative:\1 opioid@if no response"),
    (r"avoid (?:codeine|tramadol) use because of (?:possibility of diminished analgesia|potential for (?:serious )?toxicity)", "avoid:drug"),
    (r"if opioid use is warranted, consider a (non-\S+) opioid", r"~alternative:\1 opioid"),
    # Statins
    (r"prescribe desired starting dose and adjust doses[^.]*?guidelines", "use:desired start"),
    (r"(?:prescribe|prescribe) ?≤ ?(\d+) ?mg (?:per day )?as a starting dose and adjust doses of \S+ based on [^.]*?guidelines", r"limit:start=\1 mg/day"),
    (r"prescriber should be aware of possible increased risk for myopathy[^.]*", "monitor:muscle symptoms"),
    (r"if dose ?> ?(\d+) ?mg (?:is )?needed for desired efficacy, consider rosuvastatin or combination therapy[^.]*(?:\.e\.[^.]*)?", r"~alternative:named=rosuvastatin@if over \1 mg is needed;or ~add:non-statin@if over \1 mg is needed"),
    (r"if dose ?> ?(\d+) ?mg (?:is )?needed for desired efficacy, consider an alternative statin(?: \(see figure 1 of pmid: 35152405[^)]*\))? or combination therapy[^.]*(?:\.e\.[^.]*)?", r"~alternative:another statin@if over \1 mg is needed;or ~add:non-statin@if over \1 mg is needed"),
    (r"if dose ?> ?(\d+) ?mg (?:is )?needed for desired efficacy, consider combination therapy[^.]*(?:\.e\.[^.]*)?", r"~add:non-statin@if over \1 mg is needed"),
    (r"if patient is tolerating (\d+) ?mg (?:per day|dose) but higher potency is needed, a higher dose \(>\d+mg\) or an alternative statin(?: \(see[^)]*\))? or combination therapy[^.]*(?:\.e\.[^.]*)? could be considered", r"~increase:dose=over \1 mg/day@if more is needed;or ~alternative:another statin@if more is needed;or ~add:non-statin@if more is needed"),
    (r"prescribe an alternative statin depending on the desired potency\.? ?\(see[^)]*\)", "alternative:another statin"),
    (r"if (?:lovastatin|simvastatin) therapy is warranted, limit dose to (≤|<)20mg/day", "limit:@@LIMIT"),
    # Anti-inflammatory drugs, phenytoin
    (r"initiate therapy with (25-50%|50%) of the lowest recommended starting dose\. titrate dose upward to clinical effect or (?:25-50%|50%) of the maximum recommended dose with caution", r"reduce:start=to \1 of the lowest;limit:dose=\1 of the maximum"),
    (r"initiate therapy with lowest recommended starting dose\. titrate dose upward to clinical effect or maximum recommended dose with caution", "limit:start=the lowest recommended dose;titrate:with caution"),
    (r"in accordance with the (?:meloxicam )?prescribing information, use the lowest effective dosage for shortest duration consistent with individual patient treatment goals", "use:lowest effective dose, shortest time"),
    (r"upward dose titration should not occur until after steady state is reached[^)]*\)", "titrate:after steady state"),
    (r"carefully monitor adverse events such as blood pressure and kidney function during course of therapy", "monitor:blood pressure and kidney function"),
    (r"alternatively, consider (?:an alternate therapy not metabolized|alternative therapy\. choose an alternative therapy not metabolized) by cyp2c9 or not significantly impacted by cyp2c9 genetic variants in vivo(?: or choose an nsaid[^)]*\))?", "or ~alternative:not by CYP2C9"),
    (r"choose an alternative therapy not metabolized by cyp2c9 or not significantly impacted by cyp2c9 genetic variants in vivo or choose an nsaid metabolized by cyp2c9 but with a shorter half-life[^)]*\)", "alternative:not by CYP2C9;or alternative:anti-inflammatory drug of shorter half-life"),
    (r"for first dose, use typical initial or loading dose\. for subsequent doses,? use approximately (\d+)% less than typical maintenance dose", r"use:standard start;reduce:maintenance=about \1%"),
    (r"no adjustments needed from typical dosing strategies", "use:standard dose"),
    (r"subsequent doses should be adjusted according to therapeutic drug monitoring, response,? and side effects", "monitor:drug level"),
    (r"an hla-b\*15:02 negative test does not eliminate the risk of phenytoin-induced sjs/ten,? and patients should be carefully monitored according to a usual standard", "monitor:skin reactions"),
    # Proton pump inhibitors, tacrolimus, efavirenz, voriconazole, atazanavir, fluoropyrimidines
    (r"increase starting daily dose by 100%", "increase:start=100%"),
    (r"daily dose may be given in divided doses\.? ?(monitor for efficacy)?", "monitor:effect"),
    (r"consider increasing dose by 50-100% for the treatment of h\. pylori infection and erosive esophagitis", "~increase:dose=50-100%@H. pylori or erosive oesophagitis"),
    (r"for chronic therapy \(>12 weeks\) and efficacy achieved, consider 50% reduction in daily dose and monitor for continued efficacy", "~reduce:dose=50%@over 12 weeks and effective;monitor:effect@over 12 weeks and effective"),
    (r"increase starting dose 1\.5 to 2 times recommended starting dose\. total starting dose should not exceed 0\.3 mg/kg/day", "increase:start=to 1.5 to 2 times the usual;limit:start=0.3 mg/kg/day"),
    (r"use therapeutic drug monitoring to (?:guide dose adjustments|titrate dose to therapeutic trough concentrations)", "monitor:drug level"),
    (r"consider initiating efavirenz with decreased dose of ([\w ]+ mg/day)", r"~reduce:start=to \1"),
    (r"initiate efavirenz with standard dosing \(600 mg/day\)", "use:standard dose=600 mg/day"),
    (r"choose an alternative agent that is not dependent on cyp2c19 metabolism as primary therapy in lieu of voriconazole\. such agents include (isavuconazole, liposomal amphotericin b, and posaconazole|liposomal amphotericin b and posaconazole)", "alternative:not by CYP2C19=@@AZOLE"),
    (r"in the event that voriconazole is considered to be the most appropriate agent, based on clinical advice, for a patient with poor metabolizer genotype, voriconazole should be administered at a preferably lower than standard dosage with careful therapeutic drug monitoring", "reduce:dose@if still used;monitor:drug level@if still used"),
    (r"consider an alternative agent particularly where jaundice would be of concern to the patient\. if atazanavir is to be prescribed, .*", "~alternative:any"),
    (r"there is no need to avoid prescribing of atazanavir based on ugt1a1 genetic test result\. inform the patient .*", "use:standard dose;monitor:jaundice"),
    (r"reduce starting dose by 50% followed by titration of dose based on toxicity or therapeutic drug monitoring \(if available\)(?:\. patients with the c\.2846a>t/c\.2846a>t genotype may require >50% reduction in starting dose)?", "reduce:start=50%@@DPYD;titrate:to toxicity or drug level"),
    (r"avoid use of 5-fluorouracil or 5-fluorouracil prodrug-based regimens", "avoid:drug"),
    (r"in the event, based on clinical advice, alternative agents are not considered a suitable therapeutic option, 5-fluorouracil should be administered at a strongly reduced dose with early therapeutic drug monitoring", "reduce:dose=strongly@no suitable alternative;monitor:drug level@no suitable alternative"),
    (r"based on genotype, there is no indication to change dose or therapy\. use label-recommended dosage and administration", "use:label dose"),
    # Tamoxifen
    (r"consider hormonal therapy such as an aromatase inhibitor .*? regardless of cyp2d6 genotype \(pmid 26211827\)", "~alternative:aromatase inhibitor, with ovarian suppression before the menopause"),
    (r"if aromatase inhibitor use is contraindicated, consideration should be given to use a higher but fda approved tamoxifen dose \(40 mg/day\)", "~increase:dose=to 40 mg/day@aromatase inhibitor contraindicated"),
    (r"avoid cyp2d6 strong to weak inhibitors", "without:CYP2D6 inhibitors of any strength"),
    (r"avoid moderate and strong cyp2d6 inhibitors", "without:moderate and strong CYP2D6 inhibitors"),
    (r"initiate therapy with recommended standard of care dosing \(tamoxifen 20 mg/day\)", "use:standard dose=20 mg/day"),
    (r"recommend alternative hormonal therapy such as an aromatase inhibitor .*? \(pmid 23213055\)", "alternative:aromatase inhibitor, with ovarian suppression before the menopause"),
    (r"note, higher dose tamoxifen \(40 mg/day\) increases but does not normalize endoxifen concentrations and can be considered if there are contraindications to aromatase inhibitor therapy", "~increase:dose=to 40 mg/day@aromatase inhibitor contraindicated"),
    # Thiopurines
    (r"for non-malignant conditions, consider alternative non-thiopurine immunosuppressant therapy", "~alternative:not a thiopurine@not cancer"),
    (r"(?:for malignan(?:cy|t conditions), )?start with drastically reduced (?:normal daily )?doses ?(?:\(pmid 11037857\) )?\(reduce daily dose by 10-fold(?:( and (?:dose|reduce frequency to) thrice weekly instead of daily)(?:, e\.g\., 10 mg/m2/day given just 3 days/week)?)?\)", "reduce:start=to a tenth@@THIO"),
    (r"for malignancy, initiate dose at 10 mg/m2/day", "reduce:start=to 10 mg/m2/day@cancer"),
    (r"reduce starting doses to 25% of normal dose", "reduce:start=to 25% of normal"),
    (r"start with reduced (?:starting )?doses \((\d+)% ?(?:-| to )(\d+)% of normal dose\) if normal starting dose is ≥? ?[^(]*\(e\.g\.,? [^)]*\)", r"reduce:start=to \1-\2% of normal"),
    (r"start with normal starting dose \(e\.g\., [^)]*\)", "use:standard start"),
    (r"if normal starting dose is already < 75 mg/m2/day or < 1\.5 mg/kg/day, dose reduction may not be recommended", "~use:as it is@usual start already under 75 mg/m2/day or 1.5 mg/kg/day"),
    (r"and adjust doses? (?:of )?[^.]*?(?:degree of myelosuppression and disease-specific guidelines|myelosuppression and disease-specific guidelines|disease-specific guidelines|without any special emphasis on \w+(?: compared to other agents)?)", "titrate:to blood count and guideline"),
    (r"allow (?:at least )?([\d-]+) weeks to reach steady[- ]state after each dose adjustment", r"titrate:\1 weeks between steps"),
    (r"(?:in setting of myelosuppression|if myelosuppression occurs),(?: and depending on other therapy,)? emphasis should be on reducing \w+ over other agents", "reduce:dose=this drug rather than others@low blood count"),
    (r"consider evaluating (?:erythrocyte tpmt|tpmt erythrocyte) activity to assess tpmt phenotype", "~test:TPMT activity"),
    (r"if thiopurines are required and (?:either )?(?:tpmt|nudt15)(?: or nudt15)? status is unknown, monitor closely for toxicity", "monitor:toxicity"),
    # General
    (r"(?:initiate|start) (?:therapy )?(?:with )?(?:the )?(?:standard|recommended)(?: recommended)? (?:starting (?:daily )?dose|dose)", "use:standard start"),
    (r"initiate therapy with recommended standard of care dosing", "use:standard dose"),
    (r"initiate standard starting daily dose", "use:standard start"),
    (r"use \S+ (?:per standard dosing guidelines|according to the product label)", "use:standard dose"),
    (r"\S+ is (?:not recommended|contraindicated)", "avoid:drug"),
    (r"^avoid(?: use| primaquine)?$", "avoid:drug"),
    (r"no recommendation(?: due to lack of evidence| for hydrocodone therapy because of minimal evidence regarding adverse events or analgesia)?", "none:no recommendation"),
    (r"^n/a$", "none:no recommendation"),
    (r"(?:tpmt|nudt15|cyp2c9|slco1b1|abcg2)(?: and \w+)? (?:genotype(?: result)?(?: is not available|(?: result)?)|phenotype could not be assigned)[^.]*", "note:other gene unknown"),
    (r"(?:neither tpmt or nudt15 phenotype could be assigned|nudt15 status could not be determined)[^.]*", "note:other gene unknown"),
)  # fmt: skip

SPEAKS = re.compile(
    r"avoid|alternativ|reduc|increas|lower|higher|dose|dosing|titrat|monitor|consider|select|choose|stop|use "
)


NEUTRAL = re.compile(r"continuous dosing|three months of (?:regular )?dosing")


def read(text: str) -> tuple[str, ...]:
    """Give the steps of one text, in its order; stop when part of it that speaks of an action was not read."""
    rest = " ".join(text.replace("ï", "i").split()).rstrip(".").lower()
    rest += "." if rest.count(" ") > 1 else ""
    found: list[tuple[int, str]] = []
    for phrase, steps in PHRASES:
        while match := re.search(phrase, rest):
            found.append((match.start(), special(steps, match) if "@@" in steps else match.expand(steps)))
            rest = rest[: match.start()] + "\0" * len(match[0]) + rest[match.end() :]
    left = re.sub(r"\0+", " | ", rest)
    if not found or SPEAKS.search(NEUTRAL.sub("", left)):
        raise SystemExit(f"not read: {left!r} of {text!r}")
    every = (step for _, said in sorted(found) for step in said.split(";"))
    return tuple(dict.fromkeys(re.sub(r"cyp\w+", lambda m: m[0].upper(), step) for step in every))


def special(steps: str, match: re.Match[str]) -> str:
    """Amounts that depend on more than one part of a phrase."""
    if "@@AZOLE" in steps:
        names = re.split(r", and | and |, ", match[1])
        return steps.replace("@@AZOLE", ", ".join(names).replace("amphotericin b", "amphotericin B"))
    if "@@LIMIT" in steps:
        return f"limit:{'below' if match[1] == '<' else 'dose'}=20 mg/day@if still used"
    if "@@ATO" in steps:
        later = ";increase:dose=80 mg/day@no response after 2 weeks" if "80" in match[2] else ""
        return steps.replace("@@ATO", match[1]) + later
    if "@@DPYD" in steps:
        return steps.replace("50%@@DPYD", "50%, perhaps more for c.2846A>T twice" if "2846" in match[0] else "50%")
    amount = "to a tenth, three days a week" if match[1] else "to a tenth"
    return f"reduce:start={amount}@cancer" if "malignan" in match[0] else f"reduce:start={amount}"


VERBS = ("avoid", "alternative", "reduce", "increase", "limit", "caution", "judge")


def main_action(steps: tuple[str, ...]) -> str:
    """The first thing to do that is not ordinary use and hangs on no condition; `naive` is the row's own population."""
    plain = [step for step in steps if not step.startswith("or ")]
    verbs = [(step.lstrip("~").split(":")[0], step) for step in plain]
    free = [verb for verb, step in verbs if "@" not in step or step.endswith(("@naive", "@cancer", "skin reaction"))]
    titrated = ["titrate"] if "titrate:own schedule" in plain else []
    first = [verb for verb in free if verb in VERBS and not (titrated)]
    every = [verb for verb, _ in verbs]
    for found in (titrated, first, [v for v in free if v == "use"], [v for v in every if v == "use"]):
        if found:
            return found[0]
    return next((v for v in every if v in ("monitor", "none", "test")), "see guideline")


# What an implication says, in our words; every phrase that matches is told, in this order.
IMPLICATIONS: tuple[tuple[str, str], ...] = (
    (r"^n/a$", ""),
    (r"^(?:complete dpd deficiency|decreased dpd activity)", r"DPD activity lost or lowered"),
    (r"^normal dpd activity", "usual DPD activity and risk"),
    (r"(?:extremely high|moderate to high) concentrations of tgn", "thioguanine nucleotides high"),
    (r"^lower concentrations of tgn", "thioguanine nucleotides as usual"),
    (r"fatal", "toxicity may be fatal"),
    (r"(greatly|significantly|markedly) (?:reduced|decreased) (?:metabolism|ugt1a1 activity)", "broken down much more slowly"),
    (r"(?:greatly|significantly) reduced (?:\S+ )*?formation", "much less of the active substance is formed"),
    (r"^(?:reduced|moderately reduced|decreased) (?:phenytoin )?metabolism", "broken down more slowly"),
    (r"^(?:slightly reduced phenytoin|mildly reduced) metabolism|^somewhat decreased ugt1a1", "broken down a little more slowly"),
    (r"^reduced (?:\S+ )*?(?:\(active metabolite\) )?formation", "less of the active substance is formed"),
    (r"^small increase in metabolism", "broken down a little faster"),
    (r"^increased? (?:in )?metabolism", "broken down faster"),
    (r"^increased (?:clopidogrel active metabolite )?formation", "more of the active substance is formed"),
    (r"^normal or increased clopidogrel", "as much of the active substance is formed as usual, or more"),
    (r"^(?:normal|expected) (?!or )(?:\S+ )*?(?:\(active metabolite\) )?formation", "as much of the active substance is formed as usual"),
    (r"^normal (?:\S+ )?metabolism|^normal exposure|^reference ugt1a1", "broken down as usual"),
    (r"higher (?:\(\"normal\"\) )?dose-adjusted trough", "levels higher for a dose"),
    (r"(?:slightly )?lower dose-adjusted trough", "levels lower for a dose"),
    (r"^decreased plasma concentrations", "levels lower"),
    (r"increased plasma concentration", "levels higher"),
    (r"^(?:increased) \S+ (?:acid |statin )?exposure", "exposure higher"),
    (r"lower endoxifen", "less endoxifen"),
    (r"therapeutic endoxifen", "usual endoxifen"),
    (r"increased on-treatment platelet reactivity", "platelets less inhibited"),
    (r"no association with higher bleeding", "not tied to more bleeding"),
    (r"adverse cardiac and cerebrovascular", "more cardiac and cerebrovascular events"),
    (r"higher risk of breast cancer recurrence", "recurrence more likely"),
    (r"leading to diminished analgesia", "pain relief may be poor"),
    (r"higher risk of toxicity", "toxicity more likely"),
    (r"(?:increase|may increase|will increase) (?:the )?(?:probability|occurrence)[^.]*(?:side effects|adverse events|toxicities)|may increase probability of toxicities|probability and/or severity of toxicities|may increase the occurrence of", "side effects more likely"),
    (r"probability of pharmacotherapy failure|decrease the probability of clinical benefit|unlikely ultrarapid metabolizers would achieve|; increased risk of therapeutic failure|decreased response to", "benefit less likely"),
    (r"high likelihood of bilirubin", "often stopped for jaundice"),
    (r"low likelihood of bilirubin", "seldom stopped for jaundice"),
    (r"(?:highly increased|increased) myopathy risk|increased risk of myopathy", "muscle damage more likely"),
    (r"typical myopathy risk and", "usual exposure and risk of muscle damage"),
    (r"typical myopathy risk with", "usual risk of muscle damage at the doses named"),
    (r"unknown (?:risk for myopathy|myopathy risk)", "risk of muscle damage unknown"),
    (r"cns adverse events", "more effects on the nervous system"),
    (r"probability of attainment of therapeutic", "target level seldom or not surely reached"),
    (r"increased chance of efficacy", "effect more likely, and perhaps toxicity"),
    (r"may be at increased risk of therapeutic failure", "failure likelier than in slower metabolizers"),
    (r"decreased chance of achieving target", "target level less often reached"),
    (r"increased chance of achieving target", "target level more often reached"),
    (r"(?:greatly increased|increased) risk of thiopurine", "low blood counts more likely"),
    (r"normal risk of thiopurine", "usual risk of low blood counts"),
    (r"(?:greater|increased) risk of \S+-induced (sjs/ten, dress, and mpe|sjs/ten|scar)", "severe skin reactions more likely"),
    (r"normal risk of \S+-induced|low or reduced risk of \S+-induced", "severe skin reactions not more likely than usual"),
    (r"increased risk of abacavir hyper", "hypersensitivity more likely"),
    (r"reduced risk of abacavir hyper", "hypersensitivity unlikely"),
    (r"very high risk of developing hearing", "hearing loss very likely"),
    (r"weak or no evidence for an increased risk of mt-rnr1|^normal risk of developing hearing", "usual risk of hearing loss"),
    (r"increased risk of developing malignant", "malignant hyperthermia more likely"),
    (r"do not eliminate the chance", "malignant hyperthermia not ruled out"),
    (r"^an individual [^.]*\(cf\) and cftr variants listed", "a variant that responds"),
    (r"negative for a cftr variant", "no variant that responds"),
    (r"high risk of acute (?:of )?(?:acute )?e?x?a?e?a?cerbation|high risk of acute eacerbation", "acute on chronic haemolysis likely"),
    (r"high risk of acute hemolytic", "acute haemolysis likely"),
    (r"medium risk of acute hemolytic", "acute haemolysis possible"),
    (r"^low\S* risk of acute hemolytic", "acute haemolysis unlikely"),
    (r"unknown risk of acute hemolytic|variable risk of acute hemolytic", "risk of haemolysis not known from genes"),
    (r"(?:limited|no) (?:data|evidence)|minimal evidence|insufficient evidence|no data available|questionable", "little evidence"),
    (r"possibly higher atomoxetine|higher atomoxetine concentrations|may result in higher concentrations", "levels higher"),
    (r"normal metabolizers of atomoxetine", "benefit less likely than in poor metabolizers"),
    (r"autoinhibition", "paroxetine itself slows CYP2D6"),
    (r"cyp2d6 pm genotype has been associated with adverse effects", "side effects reported"),
    (r"does not appear to translate into increased side", "without more side effects"),
    (r"may affect response or side effects", "response or side effects may change"),
)  # fmt: skip


def imply(text: str) -> str:
    """Say what an implication means, in words of ours; stop when nothing in it was understood."""
    plain = " ".join(text.split()).lower()
    said = [words for phrase, words in IMPLICATIONS if words and re.search(phrase, plain)]
    if not said and plain != "n/a":
        raise SystemExit(f"not understood: {text!r}")
    return "; ".join(dict.fromkeys(said))
