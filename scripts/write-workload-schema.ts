/** Writes `workloads/workload.schema.json` from the schema in the code. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../src/lib/project-root.js';
import { workloadJsonSchema } from '../src/workload/schema.js';

const file = join(projectRoot(), 'workloads', 'workload.schema.json');
writeFileSync(file, `${JSON.stringify(workloadJsonSchema(), null, 2)}\n`);
console.log(`wrote ${file}`);
