// The terms of AHA PREVENT, base model: the same as fhirtwin/predictors/cardiovascular/prevent.py, with its source.

export const version = '2023.1';

const MMOL_PER_MG = 0.02586;

const AGE_TIMES = {
  'age-x-non-hdl': 'non-hdl',
  'age-x-hdl': 'hdl',
  'age-x-sbp': 'sbp-from-110',
  'age-x-diabetes': 'diabetes',
  'age-x-smoking': 'smoking',
  'age-x-bmi-from-30': 'bmi-from-30',
  'age-x-egfr-below-60': 'egfr-below-60',
};

/** Values in range to terms. Body mass index may be absent, and so may both cholesterols with the statin. */
export function prepare(values) {
  const age = (values.age - 55) / 10;
  const { 'systolic-bp': sbp, egfr, bmi } = values;
  const [total, hdl] = [values['total-cholesterol'], values['hdl-cholesterol']];
  const lipids = total !== undefined && hdl !== undefined;
  const treated = Number(values.antihypertensive);
  const terms = {
    age,
    'age-squared': age * age,
    'non-hdl': lipids ? (total - hdl) * MMOL_PER_MG - 3.5 : 0,
    hdl: lipids ? (hdl * MMOL_PER_MG - 1.3) / 0.3 : 0,
    'sbp-below-110': (Math.min(sbp, 110) - 110) / 20,
    'sbp-from-110': (Math.max(sbp, 110) - 130) / 20,
    diabetes: Number(values.diabetes),
    smoking: Number(values['current-smoker']),
    'bmi-below-30': bmi === undefined ? 0 : (Math.min(bmi, 30) - 25) / 5,
    'bmi-from-30': bmi === undefined ? 0 : (Math.max(bmi, 30) - 30) / 5,
    'egfr-below-60': (Math.min(egfr, 60) - 60) / -15,
    'egfr-from-60': (Math.max(egfr, 60) - 90) / -15,
    antihypertensive: treated,
    statin: Number(values.statin ?? false),
  };
  terms['treated-sbp'] = treated * terms['sbp-from-110'];
  terms['treated-non-hdl'] = terms.statin * terms['non-hdl'];
  const times = Object.entries(AGE_TIMES).map(([name, term]) => [name, age * terms[term]]);
  return { ...terms, ...Object.fromEntries(times) };
}

/** Log odds to a probability. */
export function link(linear) {
  return 1 / (1 + Math.exp(-linear));
}
