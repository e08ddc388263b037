import type { Status } from './names.ts';

/**
 * The words for each status in English, Portuguese, Spanish, German and French, as `wordKey` writes
 * them. A word that means one thing here and another there ("processed", "closed", "chargeback") is
 * left out on purpose: it is asked for.
 */
const WORDS: Readonly<Record<Status, string>> = {
  approved: `
    approved approve approval accepted authorized authorised authorisation authorization captured settled success
    successful succeeded ok paid completed
    aprovada aprovado aprovadas aprovados aprovacao autorizada autorizado aceita aceito paga pago concluida concluido
    confirmada confirmado capturada capturado sucesso
    aprobada aprobado aprobadas aprobados aceptada aceptado pagada pagado completada completado exitosa exitoso exito
    genehmigt erfolgreich bezahlt approuve approuvee accepte acceptee autorise autorisee reussi reussie`,
  denied: `
    denied deny denial decline declined refused refusal reject rejected rejection notapproved notauthorized notauthorised
    unauthorized unauthorised
    negada negado negadas negados recusada recusado recusadas recusados rejeitada rejeitado naoaprovada naoautorizada
    naoaprovado naoautorizado
    denegada denegado denegadas denegados rechazada rechazado rechazadas rechazados declinada declinado noaprobada
    noautorizada noaprobado noautorizado
    abgelehnt verweigert refuse refusee rejete rejetee`,
  failed: `
    failed fail failure failing error errored timeout timedout
    falha falhou falhada falhado falhas erro
    fallida fallido fallidas fallidos fallo falla fallada fallado
    fehlgeschlagen fehler gescheitert echoue echouee echec erreur`,
  reversed: `
    reversed reverse reversal void voided cancelled canceled cancel cancellation
    estornada estornado estornadas estornados estorno cancelada cancelado canceladas cancelados revertida revertido
    reversada reversado reversao
    anulada anulado anuladas anulados anulacion reversion reverso
    storniert annulliert annule annulee`,
  backend_reversed: `
    backendreversed backendreverse backendreversal reversedbackend reversedbybackend systemreversed reversedbysystem
    autoreversed autoreversal
    estornadabackend estornadapelobackend estornadapelosistema estornadobackend estornadopelobackend
    estornadopelosistema estornobackend revertidabackend revertidobackend backendestornada backendestornado
    reversadabackend reversadobackend anuladabackend anuladobackend anuladaporelbackend anuladaporelsistema
    backendreversada backendrevertida backendanulada`,
  refunded: `
    refunded refund refunding
    reembolsada reembolsado reembolsadas reembolsados reembolso devolvida devolvido devolucao
    devuelta devuelto devolucion
    erstattet ruckerstattet rembourse remboursee`,
  processing: `
    processing process pending inprocess inprogress
    processando emprocessamento processamento pendente pendentes emandamento aguardando
    procesando enproceso procesamiento pendiente pendientes
    inbearbeitung ausstehend encours enattente`,
};

const STATUS_OF: ReadonlyMap<string, Status> = new Map(
  (Object.entries(WORDS) as [Status, string][]).flatMap(([status, words]) =>
    words
      .trim()
      .split(/\s+/)
      .map((word) => [word, status] as const),
  ),
);

/**
 * Only letters and digits, in lower case and without accents: `Backend-Reversed` is
 * `backendreversed`.
 */
export const wordKey = (word: string): string =>
  word
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');

/**
 * The status that a word means, in any case and spelling; undefined for a word that is not known.
 * @param further words of this user's own, by `wordKey`; they win over the common ones
 */
export function statusOf(word: string, further?: ReadonlyMap<string, Status>): Status | undefined {
  const key = wordKey(word);
  return further?.get(key) ?? STATUS_OF.get(key);
}
