import { writeFile } from 'node:fs/promises';
import { dashboards, render } from './dashboards.ts';

// Run in the project's folder, by `npm run dashboards`.
for (const [name, dashboard] of Object.entries(await dashboards('prometheus/rules'))) {
  await writeFile(`grafana/dashboards/${name}`, render(dashboard));
}
