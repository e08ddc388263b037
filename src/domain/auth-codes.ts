/** Meanings of the common answers of an issuer: ISO 8583, field 39. Networks add their own. */
const MEANINGS: Readonly<Record<string, string>> = {
  '00': 'approved',
  '01': 'refer to card issuer',
  '02': 'refer to card issuer, special conditions',
  '03': 'invalid merchant',
  '04': 'pick up card',
  '05': 'do not honour',
  '06': 'error',
  '07': 'pick up card, special conditions',
  '08': 'honour with identification',
  '10': 'approved for a partial amount',
  '11': 'approved, VIP',
  '12': 'invalid transaction',
  '13': 'invalid amount',
  '14': 'invalid card number',
  '15': 'no such issuer',
  '17': 'cancelled by the customer',
  '19': 're-enter transaction',
  '21': 'no action taken',
  '25': 'record not found',
  '28': 'file temporarily unavailable',
  '30': 'format error',
  '33': 'expired card, pick up',
  '34': 'suspected fraud, pick up',
  '36': 'restricted card, pick up',
  '38': 'PIN tries exceeded, pick up',
  '39': 'no credit account',
  '41': 'lost card, pick up',
  '43': 'stolen card, pick up',
  '51': 'insufficient funds',
  '52': 'no checking account',
  '53': 'no savings account',
  '54': 'expired card',
  '55': 'incorrect PIN',
  '56': 'no card record',
  '57': 'not permitted to cardholder',
  '58': 'not permitted to terminal',
  '59': 'suspected fraud',
  '61': 'exceeds amount limit',
  '62': 'restricted card',
  '63': 'security violation',
  '64': 'original amount incorrect',
  '65': 'exceeds frequency limit',
  '68': 'response received too late',
  '75': 'PIN tries exceeded',
  '76': 'reversal: original not found',
  '77': 'inconsistent with the original',
  '78': 'blocked, or not yet used',
  '79': 'declined by the network (meaning differs)',
  '82': 'CVV or cryptogram error',
  '85': 'no reason to decline',
  '86': 'PIN cannot be verified',
  '87': 'purchase amount only, no cash back',
  '88': 'cryptographic failure',
  '89': 'authentication failure',
  '90': 'cutoff in progress',
  '91': 'issuer or switch unavailable',
  '92': 'no route to the issuer',
  '93': 'violates law',
  '94': 'duplicate transaction',
  '95': 'reconciliation error',
  '96': 'system malfunction',
};

export const meaningOf = (code: string): string => MEANINGS[code] ?? 'not a common ISO 8583 code';

/** Codes that mean that the transaction went through. */
export const APPROVED_CODES: readonly string[] = ['00', '08', '10', '11', '85'];

/**
 * The code as issuers write it: spreadsheets and data frames turn `00` into `0` or `0.0`, and `51`
 * into `51.0`. Anything that is no bare number of one or two digits stays as it is.
 */
export function authCodeOf(text: string): string {
  const digits = /^(\d{1,2})(?:\.0+)?$/.exec(text)?.[1];
  return digits === undefined ? text : digits.padStart(2, '0');
}

/** True for a code of ISO 8583 that everybody knows. */
export const isCommonCode = (code: string): boolean => Object.hasOwn(MEANINGS, code);
