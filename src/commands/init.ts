import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { SETTINGS, variable } from '../config/config.ts';
import { UsageError } from '../config/usage-error.ts';
import { calledAs } from '../runtime/called-as.ts';
import { makeFolder } from '../runtime/folder.ts';
import { messageOf } from '../runtime/log.ts';
import { PROJECT } from '../runtime/project.ts';
import type { CommandIo } from './io.ts';
import { SETTINGS_FILE } from './settings-file.ts';

/**
 * Files and folders that are copied. No secrets are among them, only the page that explains them.
 */
const COPIED = ['prometheus', 'alertmanager', 'grafana/provisioning', 'grafana/dashboards', 'grafana/README.md'];
const COMPOSE = 'docker-compose.yml';
const DOCKERFILE = 'Dockerfile';
const IGNORED = '/data/\n/.env\n/alertmanager/secrets/*\n!/alertmanager/secrets/README.md\n';

function filesIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map((name) => join(path, name))
    .filter((file) => statSync(file).isFile());
}

const isSecret = (file: string): boolean => /[\\/]secrets[\\/](?!README\.md$)/.test(file);

/** Every setting with its default, as comments to take the sign off. */
function settingsText(): string {
  const lines = Object.values(SETTINGS).map(
    ({ flag, help, default: fallback }) => `# ${help}\n#${variable(flag)}=${fallback}\n`,
  );
  return `# Settings of Tillwatch, for \`tillwatch up --config\` and for Docker Compose. Take the # off a line that is to count.\n\n${lines.join('\n')}`;
}

/**
 * A package from npm has been built already: its image needs what it depends on, and no compiler.
 */
const BUILT = `FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json ./
RUN npm install --omit=dev --ignore-scripts --no-audit --no-fund
COPY dist dist

`;
const isPackage = !existsSync(join(PROJECT, 'src'));
const dockerfileText = (): string =>
  readFileSync(join(PROJECT, DOCKERFILE), 'utf8').replace(/^FROM \S+ AS build\n[\s\S]*?(?=^FROM )/m, () => BUILT);

/**
 * The compose file builds its image from the program's own folder.
 * @param dockerfile its path, where it is another
 */
function composeText(dockerfile: string | undefined): string {
  const named = dockerfile === undefined ? '' : `\n      dockerfile: ${JSON.stringify(dockerfile)}`;
  return readFileSync(join(PROJECT, COMPOSE), 'utf8').replaceAll(
    'context: .',
    () => `context: ${JSON.stringify(PROJECT)}${named}`,
  );
}

/**
 * Writes a folder to start from: settings, rules, the configurations of Alertmanager and Grafana,
 * a compose file. Existing files stay as they are.
 * @returns the exit code
 */
export async function init(dir: string, io: CommandIo): Promise<number> {
  const root = resolve(dir);
  if (existsSync(root) && !statSync(root).isDirectory())
    throw new UsageError(`${dir} is not a folder: give the name of one that is there, or is to be made`);
  try {
    makeFolder(root);
  } catch (error) {
    throw new Error(`cannot make the folder ${root}: ${messageOf(error)}. Give one where you may write`);
  }
  let [written, kept] = [0, 0];
  function make(name: string, write: (file: string) => void): void {
    const file = join(root, name);
    if (existsSync(file)) {
      kept++;
      io.stdout.write(`kept    ${name}: it exists\n`);
      return;
    }
    makeFolder(dirname(file));
    write(file);
    written++;
  }
  const sources = COPIED.flatMap((name) => filesIn(join(PROJECT, name))).filter((file) => !isSecret(file));
  for (const source of sources) make(relative(PROJECT, source), (file) => cpSync(source, file));
  make(SETTINGS_FILE, (file) => writeFileSync(file, settingsText(), { mode: 0o600 }));
  make('.gitignore', (file) => writeFileSync(file, IGNORED));
  if (isPackage) make(DOCKERFILE, (file) => writeFileSync(file, dockerfileText()));
  make(COMPOSE, (file) => writeFileSync(file, composeText(isPackage ? join(root, DOCKERFILE) : undefined)));
  const program = calledAs(process.argv[1] ?? '', io.env);
  io.stdout.write(`${written} files written to ${root}${kept === 0 ? '' : `, ${kept} kept`}

  ${SETTINGS_FILE.padEnd(31)} settings
  ${'prometheus/rules/'.padEnd(31)} what is normal, and what alerts
  ${'alertmanager/alertmanager.yml'.padEnd(31)} who hears of it

Start it:    ${program} up --config ${dir}
Check it:    ${program} check ${dir}
`);
  return 0;
}
