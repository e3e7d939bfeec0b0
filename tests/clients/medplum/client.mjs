// Discovery, prefetch by this client's own reading of the templates, and a call: node client.mjs HOST SERVICE PATIENT
// Prints one JSON object for the test to judge. Talks to HOST alone.
globalThis.WebSocket ??= class {}; // Node 20 has none, and the package names it when it loads
const { MedplumClient, replaceQueryVariables } = await import('@medplum/core');

const [host, serviceId, patient] = process.argv.slice(2);
const hosts = new Set();
const watched = (url, options) => {
  hosts.add(new URL(url).origin);
  return fetch(url, options);
};
const client = new MedplumClient({ baseUrl: `${host}/`, fhirUrlPath: 'fhir', fetch: watched });
const discovery = await client.getCdsServices();
const service = discovery.services.find((each) => each.id === serviceId);

const user = { resourceType: 'Practitioner', id: 'p1' };
const context = { userId: 'Practitioner/p1', patientId: patient };
const queries = {};
const prefetch = {};
for (const [key, template] of Object.entries(service.prefetch ?? {})) {
  queries[key] = replaceQueryVariables(user, context, template);
  const answer = await watched(`${host}/fhir/${queries[key]}`);
  prefetch[key] = await answer.json();
}
const answer = await client.callCdsService(serviceId, {
  hook: service.hook,
  hookInstance: crypto.randomUUID(),
  fhirServer: `${host}/fhir`,
  context,
  prefetch,
});
let refused = '';
try {
  await client.callCdsService(serviceId, { hook: service.hook, hookInstance: crypto.randomUUID(), context });
} catch (error) {
  refused = JSON.stringify(error.outcome ?? String(error));
}
console.log(JSON.stringify({ discovery, queries, answer, refused, hosts: [...hosts] }));
