// Puts what the browser loads into one folder: our modules as they are, node-seal with its licence, and a manifest that
// is written last and names each file with its digest. Run by `npm run build` after `npm ci`; nothing is fetched.

import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const target = process.argv[2] ?? join(here, '..', 'fhirtwin', 'api', 'ui', 'built');
const made = `${target}.new`;
const seal = join(here, 'node_modules', 'node-seal');

await rm(made, { recursive: true, force: true });
await mkdir(join(made, 'node-seal'), { recursive: true });
await cp(join(here, 'src'), made, { recursive: true });
for (const name of ['index_throws.js', 'seal_throws.js', 'seal_throws.wasm']) {
  await cp(join(seal, 'dist', name), join(made, 'node-seal', name));
}
await cp(join(seal, 'LICENSE'), join(made, 'node-seal', 'LICENSE.txt'));

const { version } = JSON.parse(await readFile(join(seal, 'package.json'), 'utf8'));
const entries = await readdir(made, { recursive: true, withFileTypes: true });
const files = {};
for (const entry of entries.filter((one) => one.isFile())) {
  const path = join(entry.parentPath ?? entry.path, entry.name);
  files[relative(made, path).split(sep).join('/')] = createHash('sha256').update(await readFile(path)).digest('hex');
}
const listed = Object.fromEntries(Object.entries(files).sort());
const digest = createHash('sha256').update(JSON.stringify(listed)).digest('hex').slice(0, 16);
await writeFile(join(made, 'manifest.json'), JSON.stringify({ digest, 'node-seal': version, files: listed }, null, 1));
await rm(target, { recursive: true, force: true });
await rename(made, target);
console.log(`${relative(process.cwd(), target)}: ${Object.keys(listed).length} files, ${digest}`);
