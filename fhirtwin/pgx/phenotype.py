"""A diplotype becomes a phenotype: function of each allele, then the rule for the pair; never a guess.

*Source*: CPIC's allele functionality and diplotype-phenotype tables, https://cpicpgx.org/genes-drugs/ (CC0 1.0).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import product

from fhirtwin.pgx import coverage, functions
from fhirtwin.pgx.coverage import Coverage
from fhirtwin.pgx.defined import genes
from fhirtwin.pgx.results import GENES, AlleleFunction, GenePhenotype, Known, Pair, Phenotype
from fhirtwin.pgx.variant_lists import LISTED

WITHOUT_PHENOTYPE = {
    "CYP4F2": "guidelines use its genotype itself",
    "HLA-A": "guidelines ask whether a certain allele is there",
    "HLA-B": "guidelines ask whether a certain allele is there",
    "IFNL3": "guidelines use its genotype itself",
}

Rules = Mapping[tuple[str, str, str], tuple[str, str]]
"""Gene and two functions (or activity values) to the phenotype and its date, as `functions.pairs` gives them."""


def of_call(call: Known, rules: Rules | None = None) -> GenePhenotype:
    """Tell every phenotype that a call allows, or why there is none.

    Where alleles that would change it were not looked for, it is open; of a list of variants the usual one is not known
    then. What would change it is told by the tables of this package in any case.

    Args:
        call: what is known of the gene.
        rules: those of `asked(call)` at least; the tables of this package when None.
    """
    if call.not_called:
        return GenePhenotype(call.gene, (), call.not_called, call.notes)
    if call.gene not in GENES:
        return GenePhenotype(call.gene, (), f"not called, because no table here knows the gene {call.gene}")
    if call.gene in WITHOUT_PHENOTYPE:
        return GenePhenotype(call.gene, (), f"{call.gene} has no phenotype: {WITHOUT_PHENOTYPE[call.gene]}", call.notes)
    if not call.diplotypes:
        return _reported(call)
    found = _all(call, functions.pairs() if rules is None else rules)
    open_ = _open(call, found)
    why = coverage.keeps_open(call.gene, open_, frozenset(one.word for one in found.alternatives))
    return GenePhenotype(call.gene, (), why, call.notes) if why else replace(found, open=open_)


def _open(call: Known, found: GenePhenotype) -> Coverage | None:
    """What was not tested, with the alleles that would lead to another phenotype in the place of a called one."""
    if call.coverage is None or not found.alternatives:
        return None
    keys = {one.key for one in found.alternatives}
    changing = tuple(
        name
        for name in call.coverage.alleles
        if coverage.decides(call.gene, name)
        and any(one.key not in keys for pair in _instead(call, name) for one in of_diplotype(call.gene, pair)[0])
    )
    return replace(call.coverage, alleles=changing) if changing else None


def _instead(call: Known, allele: str) -> Iterator[Pair]:
    """The diplotypes of a call with an allele in the place of each; variants of a list that were found stay."""
    for pair in call.diplotypes:
        if _gives_way(call.gene, pair.first, allele):
            yield replace(pair, first=allele)
        if pair.second and _gives_way(call.gene, pair.second, allele):
            yield replace(pair, second=allele)


def _gives_way(gene: str, called: str, allele: str) -> bool:
    """Whether another allele may stand for a called one; for a listed variant only one that does less."""
    if gene not in LISTED or called == genes()[gene].reference:
        return True
    values = [one.activity for name in (allele, called) for one in functions.candidates(gene, name)]
    return len(values) == 2 and all(map(_is_number, values)) and Decimal(values[0]) < Decimal(values[1])


def _is_number(value: str) -> bool:
    return value.replace(".", "", 1).isdecimal()


def asked(call: Known) -> tuple[tuple[str, str, str], ...]:
    """Name every rule that `of_call` looks for, whether there is one or not."""
    if call.not_called or call.gene not in GENES or call.gene in WITHOUT_PHENOTYPE:
        return ()
    return tuple(dict.fromkeys(rule for one in call.diplotypes for rule in _asked(call.gene, one)))


def _asked(gene: str, diplotype: Pair) -> Iterator[tuple[str, str, str]]:
    for chosen in product(*_options(gene, diplotype)):
        yield _rule(gene, _keys(gene, chosen))


def _all(call: Known, rules: Rules) -> GenePhenotype:
    found: dict[tuple[str, str], Phenotype] = {}
    missing = []
    for diplotype in call.diplotypes:
        told, why = of_diplotype(call.gene, diplotype, rules)
        missing += [why] if why else []
        for one in told:
            found.setdefault((one.word, one.score), one)
    return GenePhenotype(call.gene, tuple(found.values()), "; ".join(dict.fromkeys(missing)), call.notes)


def of_diplotype(gene: str, diplotype: Pair, rules: Rules | None = None) -> tuple[tuple[Phenotype, ...], str]:
    """Tell the phenotypes of one diplotype, and why there is none where that is so."""
    names, options = diplotype.alleles, _options(gene, diplotype)
    if unknown := [name for name, found in zip(names, options, strict=True) if not found]:
        return (), f"not called, because no table knows the allele {' and '.join(unknown)} of {gene}"
    known = functions.pairs() if rules is None else rules
    told = [_pair(gene, diplotype, chosen, known) for chosen in product(*options)]
    if None in told:
        return (), f"not called, because no rule knows {'two copies' if len(names) > 1 else 'a single copy'} of {gene}"
    return tuple(one for one in told if one), ""


def _options(gene: str, diplotype: Pair) -> list[tuple[AlleleFunction, ...]]:
    return [functions.candidates(gene, name) for name in diplotype.alleles]


def _keys(gene: str, chosen: tuple[AlleleFunction, ...]) -> list[str]:
    return [one.activity if gene in functions.scored() else one.function for one in chosen]


def _rule(gene: str, keys: list[str]) -> tuple[str, str, str]:
    return gene, keys[0], keys[1] if len(keys) > 1 else ""


def _pair(gene: str, diplotype: Pair, chosen: tuple[AlleleFunction, ...], rules: Rules) -> Phenotype | None:
    keys = _keys(gene, chosen)
    rule = rules.get(_rule(gene, keys))
    if rule is None:
        return None
    word, date = rule
    says = " + ".join(f"{one.allele} {key}" for one, key in zip(chosen, keys, strict=True))
    return Phenotype(gene, word, score(gene, keys), diplotype, chosen, says, date)


def score(gene: str, keys: list[str]) -> str:
    """Give the activity score of two activity values; empty for a gene that has none."""
    return total(keys) if gene in functions.scored() else ""


def total(values: list[str]) -> str:
    """Add activity values: `n/a` as soon as one is unknown, `≥` as soon as one is a lower bound."""
    if "n/a" in values:
        return "n/a"
    bound = "≥" if any(value.startswith("≥") for value in values) else ""
    number = sum((Decimal(value.lstrip("≥")) for value in values), Decimal(0))
    return bound + written(number)


def written(number: Decimal) -> str:
    """Write an activity score as the tables do: `1.0`, `0.25`."""
    text = f"{number.normalize():f}"
    return text if "." in text else f"{text}.0"


def words(gene: str) -> frozenset[str]:
    """Every phenotype that the rules of a gene can give."""
    return frozenset(word for (of, _, _), (word, _) in functions.pairs().items() if of == gene)


def scores(gene: str, word: str) -> tuple[str, ...]:
    """Every activity score that means a phenotype, in the order of the rules; none of a gene that has no scores."""
    if gene not in functions.scored():
        return ()
    found = {total([a, b]): None for (of, a, b), (said, _) in functions.pairs().items() if of == gene and said == word}
    return tuple(found)


def _reported(call: Known) -> GenePhenotype:
    """Take the laboratory's own words, when they are words of the guideline."""
    known = {word.casefold(): word for word in words(call.gene)}
    found = [_word(call.gene, known, said) for said in call.reported]
    if not found or None in found:
        why = f"not called, because what was reported of {call.gene} is no phenotype that the guideline uses"
        return GenePhenotype(call.gene, (), why, call.notes)
    return GenePhenotype(call.gene, tuple(one for one in found if one), "", call.notes)


def _word(gene: str, known: dict[str, str], said: str) -> Phenotype | None:
    plain = " ".join(said.split()).casefold().removeprefix(f"{gene.casefold()} ").replace("metaboliser", "metabolizer")
    rule = "as the laboratory reported it"
    if plain in known:
        return Phenotype(gene, known[plain], "", None, (), rule)
    if gene in functions.scored():
        for word in sorted(words(gene)):
            if plain.replace(">=", "≥") in scores(gene, word):
                return Phenotype(gene, word, plain.replace(">=", "≥"), None, (), rule)
    return None
