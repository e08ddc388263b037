/**
 * The load generator, a process of its own so that it never shares a thread with what it measures.
 * Each connection has one request under way; a request is bytes made once, in which only a number
 * of fixed width changes, so that the machine's time goes to the server: on two cores a general
 * client takes more than the services that are measured.
 */
import net from 'node:net';
import { NUMBER } from './request.mjs';

/** @typedef {import('./request.mjs').Load} Load */
/** @typedef {import('./request.mjs').Loaded} Loaded */

let next = 1;

/**
 * Reads answers off one connection, however they are cut: by their length, or up to their last
 * chunk.
 */
function answerReader() {
  const unread = () => ({ head: '', status: '', left: -1, chunked: false, tail: '' });
  let answer = unread();
  /** @param {Buffer} data */
  function begin(data) {
    answer.head += data.toString('latin1');
    const end = answer.head.indexOf('\r\n\r\n');
    if (end === -1) return;
    const head = answer.head.slice(0, end);
    answer.status = head.slice(9, 12);
    answer.chunked = /\r\ntransfer-encoding: *chunked/i.test(head);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined && !answer.chunked) throw new Error(`an answer without a length: ${head}`);
    answer.left = Number(length ?? 0) - (answer.head.length - end - 4);
    answer.tail = answer.head.slice(-5);
  }
  /**
   * @param {Buffer} data
   * @returns {string | undefined} the status of the answer that this completes
   */
  return (data) => {
    if (answer.status === '') begin(data);
    else {
      answer.left -= data.length;
      answer.tail = (answer.tail + data.toString('latin1', Math.max(0, data.length - 5))).slice(-5);
    }
    const whole = answer.status !== '' && (answer.chunked ? answer.tail === '0\r\n\r\n' : answer.left <= 0);
    if (!whole) return undefined;
    const { status } = answer;
    answer = unread();
    return status;
  };
}

/**
 * Sends a request again and again on one connection.
 * @param {Load} load
 * @param {number} until
 * @param {(milliseconds: number, ok: boolean) => void} answered
 * @returns {Promise<void>}
 */
function keepSending({ port, request }, until, answered) {
  const bytes = Buffer.from(request, 'latin1');
  /** @type {number[]} */
  const places = [];
  for (let at = bytes.indexOf(NUMBER); at !== -1; at = bytes.indexOf(NUMBER, at + 1)) places.push(at);
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  const read = answerReader();
  let sent = 0;
  function send() {
    const number = String(next++).padStart(NUMBER.length, '0');
    for (const at of places) bytes.write(number, at, 'latin1');
    sent = performance.now();
    socket.write(bytes);
  }
  return new Promise((resolve, reject) => {
    socket.once('connect', send);
    socket.once('error', reject);
    socket.once('close', () => resolve());
    socket.on('data', (data) => {
      const status = read(data);
      if (status === undefined) return;
      const now = performance.now();
      answered(now - sent, status.startsWith('2'));
      if (now < until) send();
      else socket.end();
    });
  });
}

/**
 * @param {Load} load
 * @returns {Promise<Loaded>}
 */
async function run(load) {
  /** @type {number[]} */
  const latencies = [];
  let refused = 0;
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  const until = started + load.seconds * 1000;
  const senders = Array.from({ length: load.connections }, () =>
    keepSending(load, until, (milliseconds, ok) => {
      latencies.push(milliseconds);
      if (!ok) refused++;
    }),
  );
  await Promise.all(senders);
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  latencies.sort((a, b) => a - b);
  const quantile = (/** @type {number} */ q) => (latencies[Math.floor(q * (latencies.length - 1))] ?? 0) / 1000;
  return {
    requests: latencies.length,
    refused,
    seconds,
    median: quantile(0.5),
    p99: quantile(0.99),
    cpuSeconds: (user + system) / 1e6,
  };
}

process.on('message', async (/** @type {Load} */ load) => {
  const result = await run(load).catch((error) => ({ error: `${load.request.split('\r\n')[0]}: ${error.message}` }));
  process.send?.(result);
});
