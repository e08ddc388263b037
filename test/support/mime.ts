/** A mail as a mail program reads it. */
export interface ParsedMail {
  /** By lower-case name, unfolded, encoded words undone. */
  headers: Record<string, string>;
  text: string;
  html: string;
}

/**
 * Reads multipart/alternative of text/plain and text/html, quoted-printable or plain. @throws when
 * a mail is anything else
 */
export function parseMail(raw: string): ParsedMail {
  const { headers, body } = splitPart(raw);
  const boundary = /^multipart\/alternative;\s*boundary="?([^";]+)"?/i.exec(headers['content-type'] ?? '')?.[1];
  if (boundary === undefined) throw new Error(`no multipart/alternative: ${headers['content-type']}`);
  const pieces = `\r\n${body}`.split(`\r\n--${boundary}`);
  if (pieces.at(-1)?.startsWith('--') !== true) throw new Error('the last boundary is missing');
  const parts = pieces.slice(1, -1).map((piece) => splitPart(piece.replace(/^\r\n/, '')));
  const ofType = (type: string) => {
    const part = parts.find((one) => one.headers['content-type']?.startsWith(type));
    if (part === undefined) throw new Error(`no part ${type}`);
    return decodeBody(part);
  };
  return { headers, text: ofType('text/plain'), html: ofType('text/html') };
}

function splitPart(raw: string): { headers: Record<string, string>; body: string } {
  const end = raw.indexOf('\r\n\r\n');
  const lines = raw
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const headers = lines.map((line) => {
    const at = line.indexOf(':');
    if (at < 1) throw new Error(`no header: ${line}`);
    return [line.slice(0, at).toLowerCase(), decodeWords(line.slice(at + 1).trim())] as const;
  });
  return { headers: Object.fromEntries(headers), body: raw.slice(end + 4) };
}

function decodeBody({ headers, body }: { headers: Record<string, string>; body: string }): string {
  if (headers['content-transfer-encoding'] !== 'quoted-printable') return body;
  return bytesToText(body.replace(/=\r\n/g, ''));
}

/** =?utf-8?q?...?= of RFC 2047. */
function decodeWords(value: string): string {
  return value
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?q\?(.*?)\?=/gi, (_, word: string) => bytesToText(word.replaceAll('_', ' ')));
}

const bytesToText = (text: string): string =>
  text.replace(/(?:=[0-9A-F]{2})+/g, (bytes) => Buffer.from(bytes.replaceAll('=', ''), 'hex').toString());
