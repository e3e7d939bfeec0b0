// Unpacks the browser and the libraries it needs into the folder that TMPDIR names.
process.env.AWS_EXECUTION_ENV = 'AWS_Lambda_nodejs22.x'; // on other machines the package leaves the libraries out
const { default: chromium } = await import('@sparticuz/chromium');
console.log(await chromium.executablePath());
