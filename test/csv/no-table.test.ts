import { describe, expect, it } from 'vitest';
import { problemOf } from '../support/read-csv.ts';

describe('a file that is no table is told what it is, and what to do', () => {
  const time = '2026-11-21T12:00:00Z';
  it.each<[string, string | Buffer, string, string]>([
    ['lines of JSON', `{"ts":"${time}","state":"denied","n":5}\n`, 'is JSON', "jq -r '[.ts, .state, .n] | @csv'"],
    [
      'JSON with counts',
      `[{"timestamp":"${time}","counts":{"denied":5}}]`,
      'is JSON',
      "jq -r '.[] | .timestamp as $time | .counts | to_entries[] | [$time, .key, .value] | @csv'",
    ],
    ['a list in JSON', `{"rows": [{"time":"${time}","status":"denied"}]}`, 'is JSON', "'.rows[] | [.time, .status"],
    ['lists of JSON', `[["${time}","denied",5]]`, 'is JSON', "jq -r '.[] | @csv'"],
    [
      "Prometheus's API",
      '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"status":"denied"},"values":[[1,"2"]]}]}}',
      'is JSON',
      '.data.result[] | .metric.status as $status',
    ],
    ["promtool's answer", '{status="denied"} => 12 @[1795262400]\n', 'is an answer of promtool', '--format=json'],
    ['an error', '{"error":"unauthorized"}', 'is JSON', 'an error message in place of the export'],
    ['logfmt', `level=info ts=${time} msg="it was" status=denied count=5\n`, 'is logfmt', 'mlr --idkvp'],
    ['metrics', '# HELP transactions_total All.\ntransactions_total 5\n', "is Prometheus's text", 'scrape it'],
    [
      'metrics with times',
      'transactions_total{status="denied"} 5 1795262400000\n',
      "is Prometheus's text",
      'scrape it',
    ],
    ["InfluxDB's lines", 'transactions,status=denied count=2i 1795262400000000000\n', 'of InfluxDB', 'as CSV'],
    ['YAML', `- timestamp: ${time}\n  status: denied\n`, 'is YAML', 'yq -o=csv'],
    ['SQL', "-- dump\nINSERT INTO t VALUES ('x',5);\n", 'is SQL', "a query's result as CSV"],
    ['a mail', 'From: a@b.c\nSubject: counts\n\ntimestamp,status,count\n', 'is a mail', 'a file of its own'],
    ['a page with a table', '<!DOCTYPE html>\n<table><tr><td>time', 'HTML with a table', 'open it in a spreadsheet'],
    ['a page', '<html>Sign in</html>', 'is a page of HTML', 'Download it again'],
    ['a workbook in XML', '<?xml version="1.0"?>\n<Workbook>', 'is a workbook', 'save the sheet as CSV'],
    ['a workbook', zip('[Content_Types].xml'), 'is a workbook (.xlsx', 'save the sheet as CSV'],
    ['a zip archive', zip('history.csv'), 'is a zip archive', 'unpack it'],
    ['a PDF', '%PDF-1.7\n', 'is a PDF', 'export the table as CSV'],
    ['a database', 'SQLite format 3\0', 'is an SQLite database', 'sqlite3 -header -csv'],
  ])('%s', async (_, content, is, remedy) => {
    const problem = await problemOf(content);
    expect(problem).toContain(is);
    expect(problem).toContain(remedy);
  });
});

function zip(first: string): Buffer {
  return Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(26), Buffer.from(`${first}xxxx`)]);
}
