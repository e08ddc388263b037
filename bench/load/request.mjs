/**
 * Describes the load that the generator makes, and its result.
 * @typedef {object} Load
 * @property {number} port on 127.0.0.1
 * @property {string} request whole, as bytes in Latin-1
 * @property {number} connections
 * @property {number} seconds 0: one request on each connection
 *
 * @typedef {object} Loaded
 * @property {number} requests
 * @property {number} refused requests that were not answered with 2xx
 * @property {number} seconds
 * @property {number} median seconds from the first byte sent to the last received
 * @property {number} p99
 * @property {number} cpuSeconds of the generator
 */

/** Stands in a request for a number that no other request has. */
export const NUMBER = '#########';

/**
 * @param {string} path
 * @param {string} type
 * @param {string} body
 */
export const postOf = (path, type, body) =>
  `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body, 'latin1')}\r\n\r\n${body}`;

/** @param {string} path */
export const getOf = (path) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
