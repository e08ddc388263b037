import { describe, expect, it } from 'vitest';
import { authCodeOf } from '../../src/domain/auth-codes.ts';
import { STATUSES } from '../../src/domain/names.ts';
import { statusOf, wordKey } from '../../src/domain/status-words.ts';

describe('statusOf', () => {
  it.each([
    ['approved', ['approved', 'APPROVED', ' Approved ', 'APROVADA', 'aprobado', 'Authorised', 'ok']],
    [
      'denied',
      ['declined', 'Refused', 'NEGADA', 'Recusada', 'rechazada', 'Not approved', 'NÃO AUTORIZADA', 'Abgelehnt'],
    ],
    ['failed', ['FAILURE', 'error', 'FALHA', 'fallida', 'timed-out', 'Échouée']],
    ['reversed', ['reversal', 'voided', 'ESTORNADA', 'anulada', 'canceled']],
    ['backend_reversed', ['backend_reversed', 'backend-reversed', 'BackendReversed', 'Estornada (backend)']],
    ['refunded', ['Refund', 'REEMBOLSADA', 'devolução']],
    ['processing', ['in progress', 'Pending', 'EM PROCESSAMENTO', 'en proceso']],
  ])('knows words for %s', (status, words) => {
    expect(words.map((word) => statusOf(word))).toEqual(words.map(() => status));
  });

  it('knows every status by its own name, and no word that may mean two', () => {
    expect(STATUSES.map((status) => statusOf(status))).toEqual(STATUSES);
    expect(['chargeback', 'processed', 'closed', '', '00'].map((word) => statusOf(word))).toEqual(
      Array(5).fill(undefined),
    );
  });

  it('lets the words of a user win over the common ones', () => {
    const further = new Map([
      [wordKey('Charge-back'), 'reversed' as const],
      [wordKey('error'), 'denied' as const],
    ]);
    expect(['CHARGEBACK', 'Error', 'denied'].map((word) => statusOf(word, further))).toEqual([
      'reversed',
      'denied',
      'denied',
    ]);
  });
});

describe('authCodeOf', () => {
  it('gives back the zero that a spreadsheet took, and leaves other codes alone', () => {
    const codes = ['0', '5', '00', '51', '0.0', '51.0', 'N7', '1A', '000', '100', 'Z3'];
    expect(codes.map(authCodeOf)).toEqual(['00', '05', '00', '51', '00', '51', 'N7', '1A', '000', '100', 'Z3']);
  });
});
