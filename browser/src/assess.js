// What was answered becomes features, and opened sums become percentages. Nothing is assumed: what is not answered
// refuses what needs it, by name; what is out of its published range is refused, never cut off.

/** Prepare one predictor: `{features, values, outputs, reasons}`; no features where it cannot be calculated at all. */
export function prepare(predictor, module, values) {
  const ruledOut = [...brokenRules(predictor, values), ...outsideRange(predictor, values)];
  const missing = predictor.inputs.filter(({ fact }) => values[fact] === undefined);
  const outputs = predictor.outputs.filter((output) => applies(output, missing, values.age));
  const reasons = [...ruledOut, ...missing.map(({ label }) => `${label} is not answered`)];
  predictor.outputs.forEach(({ title, years, low, high }) => {
    if (values.age !== undefined && (values.age < low || values.age > high)) {
      reasons.push(`${title} in ${years} years is published for ages ${low} to ${high}`);
    }
  });
  if (ruledOut.length || !outputs.length) {
    return { predictor, outputs: [], reasons };
  }
  return { predictor, module, values, outputs, reasons, features: module.prepare(values) };
}

/** The vector of the whole panel; features of predictors that cannot be calculated are 0. */
export function panelValues(panel, prepared) {
  const values = new Array(panel.features.length).fill(0);
  prepared.forEach(({ predictor, features = {} }) => {
    Object.entries(features).forEach(([name, value]) => {
      const place = panel.features.indexOf(`${predictor.id}:${name}`);
      if (place < 0) {
        throw new Error(`Feature ${name} of ${predictor.id} is not in the panel.`);
      }
      values[place] = value;
    });
  });
  return values;
}

/** What is shown: constant and link of each output, applied to the opened and rounded sum of its row. */
export function results(panel, prepared, sums, settings) {
  return prepared.flatMap(({ predictor, module, values, outputs }) =>
    outputs.map((output) => {
      const { row, constant } = output.by_sex[values.sex];
      const linear = sums[panel.rows.indexOf(`${predictor.id}:${row}`)] + constant;
      const probability = module.link(linear, output, settings);
      if (!(probability >= 0 && probability <= 1)) {
        throw new Error(`The link of ${predictor.id} gave no probability.`);
      }
      return { predictor: predictor.title, outcome: output.title, years: output.years, percent: shown(probability) };
    }),
  );
}

/** Percent with one decimal; two below a tenth; never 0 and never 100. */
function shown(probability) {
  const percent = 100 * probability;
  return percent < 0.1 ? Math.max(percent, 0.01).toFixed(2) : Math.min(percent, 99.9).toFixed(1);
}

function brokenRules(predictor, values) {
  return predictor.rules.flatMap(({ fact, must_be: mustBe, reason, label }) => {
    if (values[fact] === undefined) {
      return [`${label} is not answered`];
    }
    return values[fact] === mustBe ? [] : [reason];
  });
}

function outsideRange(predictor, values) {
  return predictor.inputs.filter((input) => !holds(input, values[input.fact])).map(({ label, range }) => `${label} is outside the published range ${range}`);
}

function holds({ low, high, high_excluded: excluded }, value) {
  if (typeof value !== 'number') {
    return true;
  }
  return (low === null || value >= low) && (high === null || value < high || (value === high && !excluded));
}

function applies({ needs, low, high }, missing, age) {
  return age >= low && age <= high && missing.every(({ fact }) => !needs.includes(fact));
}
