/**
 * Text that is ready to stand in a page. Everything that a caller passes as text is escaped on its
 * way here.
 */
export type Html = string;

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text as it may stand between tags and within a quoted attribute. */
export const esc = (text: string | number): Html => String(text).replace(/[&<>"']/g, (mark) => ENTITIES[mark] ?? mark);

/** Data for an inline script; nothing in it can end the script. */
export const jsonScript = (data: unknown): Html =>
  `<script type="application/json">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>`;
