import type { ServerResponse } from 'node:http';
import { RECORDED, TUNABLE } from '../../src/domain/names.ts';
import type { Sample } from '../../src/prometheus/client.ts';
import { startHttpServer } from './http-server.ts';

const sample = (name: string, labels: Record<string, string>, value: number): Sample => ({
  labels: { __name__: name, ...labels },
  value,
});

/**
 * Recorded series as the rules would make them: 5 denied per 100 approved, 100 approved in the
 * last minute.
 */
export const RECORDINGS: Sample[] = [
  sample(RECORDED.odds, { status: 'denied' }, 0.05),
  sample(RECORDED.odds, { status: 'failed' }, 0),
  sample(RECORDED.perMinute, { status: 'approved' }, 100),
  sample(RECORDED.perMinute, { status: 'denied' }, 5),
  sample(RECORDED.relativeVariance, { status: 'denied' }, 0.01),
  sample(RECORDED.relativeVariance, { status: 'failed' }, 0.05),
  ...(['1m', '2m'] as const).flatMap((window) => [
    sample(RECORDED.floor, { status: 'denied', window }, 2.5),
    sample(RECORDED.floor, { status: 'failed', window }, 2.5),
    sample(TUNABLE.z, { window }, 3.3),
  ]),
  sample(TUNABLE.noiseZ, {}, 7),
  sample(TUNABLE.blipScore, {}, 2),
];

export type Mood = 'ready' | 'empty' | 'no JSON' | 'other JSON' | 'mad times' | 'error' | 'slow' | 'silent' | 'cut off';

const vector = (samples: Sample[], time: number) => ({
  status: 'success',
  data: {
    resultType: 'vector',
    result: samples.map(({ labels, value }) => ({ metric: labels, value: [time, String(value)] })),
  },
});

function answer(mood: Mood, query: string, response: ServerResponse): void {
  const now = Date.now() / 1000;
  if (mood === 'silent') return;
  if (mood === 'slow') setTimeout(() => answer('ready', query, response), 100);
  else if (mood === 'cut off') response.destroy();
  else if (mood === 'no JSON') response.end('<html>Bad Gateway</html>');
  else if (mood === 'other JSON') response.end('{"status":"success","data":{"resultType":"scalar","result":[]}}');
  else if (mood === 'error')
    response.writeHead(422).end('{"status":"error","errorType":"execution","error":"too many samples"}');
  else if (mood === 'mad times')
    response.end(JSON.stringify(vector(query.includes('timestamp(') ? [sample('', {}, 1e300)] : RECORDINGS, 1e300)));
  else if (mood === 'empty' || query.startsWith('ALERTS') || query.includes(RECORDED.blips))
    response.end(JSON.stringify(vector([], now)));
  else
    response.end(JSON.stringify(vector(query.includes('timestamp(') ? [sample('', {}, now - 15)] : RECORDINGS, now)));
}

/** Answers queries as its mood is; only for what a real Prometheus can't be made to do. */
export async function fakePrometheus(mood: Mood) {
  const state = { mood };
  const server = await startHttpServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://fake');
    answer(state.mood, searchParams.get('query') ?? '', response);
  });
  return { ...server, state };
}
