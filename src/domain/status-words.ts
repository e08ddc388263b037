import leven from 'leven';
import type { Status } from './names.ts';

/**
 * The words for each status in English, Portuguese, Spanish, German, French, Italian, Dutch, Polish,
 * Turkish, Russian, Japanese and Chinese, in the singular. A word that means one thing here and another there
 * ("processed", "closed", "chargeback") is left out on purpose: it is asked for.
 */
const WORDS: Readonly<Record<Status, string>> = {
  approved: `
    approved approve approval accepted accept authorized authorised authorisation authorization captured settled success
    successful succeeded ok paid completed complete
    aprovada aprovado aprovacao autorizada autorizado aceita aceito paga pago concluida concluido
    confirmada confirmado capturada capturado finalizada finalizado efetivada efetivado sucesso
    aprobada aprobado aceptada aceptado pagada pagado completada completado exitosa exitoso exito
    genehmigt autorisiert erfolgreich bezahlt approvata approvato autorizzata autorizzato goedgekeurd geslaagd approuve
    approuvee accepte acceptee autorise autorisee reussi reussie paye payee
    zatwierdzona zatwierdzono zaakceptowana autoryzowana zrealizowana udana opłacona
    onaylandı onaylı başarılı tamamlandı одобрено одобрена одобрен успешно успешная оплачено
    承認 承認済 承認済み 成功 完了 批准 已批准 已支付 支付成功 交易成功`,
  denied: `
    denied deny denial decline declined refused refusal reject rejected rejection notapproved notauthorized
    notauthorised
    unauthorized unauthorised unapproved
    negada negado recusada recusado rejeitada rejeitado naoaprovada naoautorizada
    naoaprovado naoautorizado
    denegada denegado rechazada rechazado declinada declinado noaprobada
    noautorizada noaprobado noautorizado
    abgelehnt verweigert rifiutata rifiutato negata negato respinta respinto geweigerd afgewezen refuse refusee
    rejete rejetee odrzucona odrzucono odmowa reddedildi отклонено отклонена отклонен отказ отказано
    nichtgenehmigt nichtautorisiert nonautorise nonautorisee nonapprouve nonapprouvee nonautorizzata nonautorizzato
    nonapprovata nonapprovato nietgoedgekeurd
    拒否 否認 却下 拒绝 已拒绝 被拒绝`,
  failed: `
    failed fail failure failing error errored err exception timeout timedout
    unsuccessful notsuccessful semsucesso sinexito nichterfolgreich
    falha falhou falhada falhado erro
    fallida fallido fallo falla fallada fallado
    fallita fallito errore mislukt fout fehlgeschlagen fehler gescheitert echoue echouee echec erreur
    nieudana błąd niepowodzenie başarısız hata ошибка сбой неуспешно
    失敗 エラー タイムアウト 失败 交易失败 支付失败 错误 超时`,
  reversed: `
    reversed reverse reversal void voided cancelled canceled cancel cancellation
    estornada estornado estorno cancelada cancelado revertida revertido
    reversada reversado reversa reversao
    anulada anulado anulacion reversion reverso
    stornata stornato annullata annullato geannuleerd teruggedraaid storniert storno annulliert annule annulee
    anulowana anulowano iptal iptaledildi отменено отменена отмена
    取消 取消済 取消済み キャンセル 撤销 已撤销 冲正 已取消`,
  backend_reversed: 'backendreversed',
  refunded: `
    refunded refund refunding
    reembolsada reembolsado reembolso devolvida devolvido devolucao
    devuelta devuelto devolucion
    rimborsata rimborsato terugbetaald erstattet ruckerstattet rembourse remboursee
    zwrócona zwrócono zwrot iade iadeedildi возврат возвращено возвращена 返金 返金済 返金済み 退款 已退款`,
  processing: `
    processing process pending inprocess inprogress
    processando emprocessamento processamento pendente emandamento emanalise aguardando
    procesando enproceso procesamiento pendiente
    inelaborazione inattesa incorso inbehandeling inbearbeitung ausstehend encours enattente
    wtoku oczekująca przetwarzana beklemede işleniyor вобработке ожидание 処理中 保留 处理中 待处理`,
};

/**
 * Only letters and digits, in lower case and without accents: `Backend-Reversed` is
 * `backendreversed`.
 */
export const wordKey = (word: string): string =>
  word
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll('ı', 'i')
    .replaceAll('ł', 'l')
    .replaceAll(/[^\p{L}\p{N}]/gu, '');

const STATUS_OF: ReadonlyMap<string, Status> = new Map(
  (Object.entries(WORDS) as [Status, string][]).flatMap(([status, words]) =>
    words
      .trim()
      .split(/\s+/)
      .map((word) => [wordKey(word), status] as const),
  ),
);

/** The words of a text, in lower case and without accents: `backendReversed` has two. */
export const wordsIn = (text: string): string[] =>
  text
    .replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');

/**
 * Words that say nothing beside one that means a status: what had it, who gave it, and how much of
 * it.
 */
const BESIDE = new Set(
  `transaction transactions txn txns tx trx transacao transacoes transaccion transacciones transazione transazioni
  transaktion transaktionen payment payments pagamento pagamentos pago pagos zahlung zahlungen paiement paiements
  auth authorization authorisation autorizacao autorizacion intent charge card order sale purchase cartao tarjeta karte carte
  issuer emissor emisor bank banco processor gateway host acquirer network customer client cliente user
  hard soft technical tecnico tecnica internal partial partially parcial parcialmente
  is was been status state result of the by de da do na la le el les der die das du des por pelo pela par del dal vom von door het een
  with com con mit avec met`
    .trim()
    .split(/\s+/),
);
/** Words that say that a system reversed the transaction, and not a person. */
const BACKEND = /^(?:backend|back|end|system[ea]?|systeem|sistema|automati(?:c[ao]?|cally|que|sch|camente)|auto)$/;
/** A number before a status, and a code behind it: `1 - Approved`, `Approved (00)`. */
const NUMBERED = /^\s*\d{1,3}\s?[-–.):]\s?(?=\p{L})|\s?[([]\d{1,3}[)\]]\s*$/gu;

/** `Transação aprovada`, `STATUS_DENIED`, `estornada pelo sistema`. */
function statusInPhrase(text: string): Status | undefined {
  const words = wordsIn(text.replaceAll(NUMBERED, '')).filter((word) => !BESIDE.has(word));
  const others = words.filter((word) => !BACKEND.test(word));
  const ofWord = (word: string) => STATUS_OF.get(word) ?? STATUS_OF.get(word.replace(/s$/, ''));
  const status = ofWord(words.join('')) ?? ofWord(others.join(''));
  return status === 'reversed' && others.length < words.length ? 'backend_reversed' : status;
}

/**
 * The status that a word means, in any case and spelling; undefined for a word that is not known.
 * @param further words of this user's own, by `wordKey`; they win over the common ones
 */
export function statusOf(word: string, further?: ReadonlyMap<string, Status>): Status | undefined {
  const key = wordKey(word);
  return further?.get(key) ?? STATUS_OF.get(key) ?? statusInPhrase(word);
}

/** The status that a misspelt word may mean, for a message that asks. */
export function nearStatus(word: string): Status | undefined {
  const key = wordKey(word);
  const most = key.length < 5 ? 0 : key.length < 8 ? 1 : 2;
  return [...STATUS_OF].find(([known]) => leven(known, key, { maxDistance: 3 }) <= most)?.[1];
}

/** What is asked for, and not what comes of it. */
const OPERATION =
  /^(?:auth|pre|authori[sz]ation|autoriza(?:cao|cion)|autorisation|autorizzazione|capture|sale|purchase|refund|reversal|void|cancellation|estorno|reembolso|devolu(?:cao|cion)|storno|anulacion)$/;
/** True for words such as `Authorization` and `Refund`. */
export const isOperation = (text: string): boolean => wordsIn(text).every((word) => OPERATION.test(word));

/** `Error: none`. */
const NONE = /^(?:none|nil|null|nenhum|ninguno|kein)$/;

/** Between a status and its reason: `Declined: no funds`, `Erro de comunicação`. */
const REASON =
  /^(.*?\p{L})(?:\s?[:;,([/|]|\s[-–—]\s|\s(?:and|due|because|by|at|in|on|of|with|after|from|e|y|por|de|do|da|em|en|no|na|ao|al|com|con|und|wegen|bei|beim|mit|et|par|di|nel|nella)\s)(.+)$/u;

/**
 * The status of a transaction in a cell, which may have a reason behind it. A reason that speaks of
 * another status leaves open which is meant.
 */
export function statusOfCell(text: string): Status | undefined {
  const whole = statusOf(text);
  if (whole !== undefined) return whole;
  const [, said = '', reason = ''] = REASON.exec(text) ?? [];
  const status = isOperation(said) ? undefined : statusOf(said);
  if (status === undefined || statusOf(reason) === status) return status;
  const isOther = (word: string) => {
    const other = statusOf(word);
    return (
      (other !== undefined && other !== status) || NONE.test(word) || (status === 'reversed' && BACKEND.test(word))
    );
  };
  return wordsIn(reason).some(isOther) ? undefined : status;
}
