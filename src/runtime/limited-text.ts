/** The answer is longer than was asked for. */
export class TooLong extends Error {
  override name = 'TooLong';
}

/**
 * The body of an answer as text, of which no more than `most` bytes are read. @throws TooLong, or
 * why it ended early
 */
export async function limitedText(response: Response, most: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > most) throw new TooLong(`the answer is longer than ${Math.floor(most / 1024 / 1024)} MB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
