// The kidney failure risk equation: the same as fhirtwin/predictors/kidney/kfre.py, with its source.

export const version = '2016.1';

const BASELINE = {
  'north-american': { 2: 0.975, 5: 0.924 },
  'non-north-american': { 2: 0.9832, 5: 0.9365 },
};

export function prepare({ age, sex, egfr, uacr }) {
  return {
    age: age / 10 - 7.036,
    male: Number(sex === 'male') - 0.5642,
    egfr: egfr / 5 - 7.222,
    'ln-uacr': Math.log(uacr) - 5.137,
  };
}

/** The linear predictor to the probability of kidney failure within the years of the output. */
export function link(linear, output, settings) {
  return -Math.expm1(Math.exp(linear) * Math.log(BASELINE[settings['kfre-region']][output.years]));
}
