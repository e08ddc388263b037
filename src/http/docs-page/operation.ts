import { esc, type Html } from '../../reports/escape.ts';
import {
  alternatives,
  type Content,
  type Entry,
  type OpenApi,
  type Parameter,
  resolve,
  type Schema,
} from './document.ts';
import { exampleOf } from './example.ts';
import { fieldList, fieldsOf, prose, typeOf } from './fields.ts';

export interface PageOptions {
  /** The origin of the requests in the examples: `http://127.0.0.1:8080`. */
  origin: string;
  /** True where requests need a token. */
  tokens: boolean;
}

const JSON_TYPE = 'application/json';
const block = (text: string, label: string): Html =>
  `<figure class="code"><figcaption>${esc(label)}</figcaption><pre tabindex="0"><code>${esc(text)}</code></pre></figure>`;
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const asJson = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));

export const roleOf = ({ operation }: Entry): string | undefined => operation['x-role'];

function bodyExample(content: Content, document: OpenApi): unknown {
  const { schema, example } = content[JSON_TYPE] ?? {};
  return example ?? (schema && exampleOf(schema, document));
}

/** The request as a command line that works when pasted. */
function curl(entry: Entry, document: OpenApi, { origin, tokens }: PageOptions): string {
  const { operation, method } = entry;
  const given = (where: string) => (operation.parameters ?? []).filter((each) => each.in === where);
  const value = ({ schema = {} }: Parameter) => String(exampleOf(schema, document));
  const path = given('path').reduce(
    (text, each) => text.replace(`{${each.name}}`, value(each) === '…' ? each.name.toUpperCase() : value(each)),
    entry.path,
  );
  const needed = given('query').filter(({ required }) => required);
  const query = needed.map((each) => `${each.name}=${encodeURIComponent(value(each))}`).join('&');
  const body = operation.requestBody && bodyExample(operation.requestBody.content, document);
  const stream = Object.keys(operation.responses[200]?.content ?? {}).includes('text/event-stream');
  return [
    `curl${stream ? ' -N' : ''}${method === 'GET' || body !== undefined ? '' : ` -X ${method}`} ${quoted(`${origin}${path}${query === '' ? '' : `?${query}`}`)}`,
    ...(tokens && roleOf(entry) !== undefined ? [`-H "Authorization: Bearer $TOKEN"`] : []),
    ...(body === undefined ? [] : [`-H 'Content-Type: ${JSON_TYPE}'`, `-d ${quoted(asJson(body))}`]),
  ].join(' \\\n  ');
}

function parameters({ operation: { parameters: all = [] } }: Entry, document: OpenApi): Html {
  if (all.length === 0) return '';
  const fields = all.map(({ name, required = false, description, schema = {}, in: where }) => {
    const described = description === undefined ? schema : { ...schema, description };
    return { name, required, where, type: typeOf(schema, document), schema: described };
  });
  return `<h4>Parameters</h4>${fieldList(fields, document)}`;
}

interface Shape {
  name: string;
  schema: Schema;
}

/** `MinuteReport` as people read it. */
const words = (name: string): string => name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();

/** Each shape that a body may have; a list of a shape is said, not shown again. */
function shapes(named: Schema, document: OpenApi, before = ''): Shape[] {
  const name = words(named.$ref?.split('/').at(-1) ?? before);
  const schema = resolve(named, document);
  const { options } = alternatives(schema);
  if (options.length < 2) return [{ name, schema }];
  const single = options.filter((option) => resolve(option, document).type !== 'array');
  return single.flatMap((option) => shapes(option, document, name));
}

function schemaHtml(schema: Schema | undefined, document: OpenApi): Html {
  if (schema === undefined) return '';
  const listed = shapes(schema, document).map((shape) => ({ ...shape, fields: fieldsOf(shape.schema, document) }));
  const shown = listed.filter(({ fields }) => fields.length > 0);
  const lists = shown.map(({ name, fields }) => {
    const heading = shown.length > 1 ? `<h5>${esc(name)}</h5>` : '';
    return heading + fieldList(fields, document);
  });
  return lists.join('');
}

function requestBody({ operation }: Entry, document: OpenApi): Html {
  const content = Object.entries(operation.requestBody?.content ?? {});
  if (content.length === 0) return '';
  return content
    .map(([type, { schema }]) => {
      const whole = schema && resolve(schema, document);
      const said = whole?.description === undefined ? '' : `<p>${prose(whole.description)}.</p>`;
      const lists = whole && alternatives(whole).options.some((option) => resolve(option, document).type === 'array');
      const many = lists ? '<p>One object, or a list of them.</p>' : '';
      return `<h4>Body <span class="type">${esc(type)}</span></h4>${said}${many}${schemaHtml(schema, document)}`;
    })
    .join('');
}

const isProblem = (content: Content | undefined): boolean => content?.['application/problem+json'] !== undefined;

function responses({ operation }: Entry, document: OpenApi): Html {
  const rows = Object.entries(operation.responses).map(([status, { description = '', content }]) => {
    const types = Object.keys(content ?? {});
    const type = isProblem(content) || types.length === 0 ? '' : ` <span class="type">${esc(types.join(', '))}</span>`;
    return `<div class="field"><dt><code class="s${status[0]}">${esc(status)}</code>${type}</dt><dd>${prose(description)}</dd></div>`;
  });
  const [schema] = Object.values(operation.responses[200]?.content ?? {}).map((content) => content.schema);
  const fields = schemaHtml(schema, document);
  const answer = fields === '' ? '' : `<details><summary>Fields of the answer</summary>${fields}</details>`;
  return `<h4>Answers</h4><dl class="fields answers">${rows.join('\n')}</dl>${answer}`;
}

function exampleAnswer({ operation }: Entry, document: OpenApi): Html {
  const { schema, example } = operation.responses[200]?.content?.[JSON_TYPE] ?? {};
  if (schema === undefined || Object.keys(resolve(schema, document)).length === 0) return '';
  return block(asJson(example ?? exampleOf(schema, document)), 'Answer');
}

const paragraphs = (text: string): Html =>
  text
    .split('\n\n')
    .map((each) => `<p>${prose(each)}</p>`)
    .join('');

/** A path that may break between its parts. */
export const pathHtml = (path: string): Html => esc(path).replaceAll('/', '/<wbr>');

export const methodHtml = (method: string): Html =>
  `<span class="method ${method.toLowerCase()}">${esc(method)}</span>`;

export function operationHtml(entry: Entry, document: OpenApi, options: PageOptions): Html {
  const { operation, method, path, id } = entry;
  const role = roleOf(entry);
  return `<article id="${esc(id)}" aria-labelledby="${esc(id)}-h">
<header><h3 id="${esc(id)}-h"><a href="#${esc(id)}">${methodHtml(method)} <code>${pathHtml(path)}</code></a></h3>
${role === undefined ? '<span class="role open">no role needed</span>' : `<span class="role">role ${esc(role)}</span>`}</header>
<div class="about"><p class="summary">${prose(operation.summary ?? '')}</p>
${operation.description === undefined ? '' : paragraphs(operation.description)}
${parameters(entry, document)}
${requestBody(entry, document)}
${responses(entry, document)}</div>
<div class="examples">${block(curl(entry, document, options), 'Request')}${exampleAnswer(entry, document)}</div>
</article>`;
}
