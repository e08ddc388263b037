type Child = Node | string | number | null | undefined | false;
type Attribute = string | number | boolean | null | undefined | ((event: Event) => void);

const SVG = 'http://www.w3.org/2000/svg';

/**
 * An element with attributes, listeners (`onclick` and the like) and children. Strings become text,
 * never markup: everything that the service sends is shown this way.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Attribute> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined)
      element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false).map(toNode));
  return element;
}

const toNode = (child: Node | string | number | boolean): Node | string =>
  child instanceof Node ? child : String(child);

export function svg(tag: string, attributes: Record<string, string | number>, ...children: Node[]): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** A symbol of the sprite in index.html; decoration, the word stands beside it. */
export const icon = (name: string, size = 16): SVGElement =>
  svg(
    'svg',
    { class: `icon icon-${name}`, width: size, height: size, viewBox: '0 0 24 24', 'aria-hidden': 'true' },
    svg('use', { href: `#i-${name}` }),
  );

/** The element of index.html with this id. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`index.html has no #${id}`);
  return element as T;
}

const filled = new WeakMap<Element, string>();

/** Replaces the children, but only when what they show has changed: `key` says it. */
export function fill(element: Element, key: unknown, build: () => Child[]): void {
  const text = JSON.stringify(key);
  if (filled.get(element) === text) return;
  filled.set(element, text);
  const children = build().filter((child) => child !== null && child !== undefined && child !== false);
  element.replaceChildren(...children.map(toNode));
}

export interface Part<T> {
  node: HTMLElement;
  update(item: T): void;
}

const parts = new WeakMap<Element, Map<string, Part<unknown>>>();

/** One child per item, kept as long as its key stays, so that focus and selection do too. */
export function keyed<T>(
  parent: Element,
  items: readonly T[],
  keyOf: (item: T) => string,
  create: () => Part<T>,
): void {
  const before = (parts.get(parent) ?? new Map()) as Map<string, Part<T>>;
  const after = new Map<string, Part<T>>();
  for (const item of items) {
    const part = before.get(keyOf(item)) ?? create();
    part.update(item);
    after.set(keyOf(item), part);
  }
  for (const [key, { node }] of before) if (!after.has(key)) node.remove();
  let at = parent.firstElementChild;
  for (const { node } of after.values()) {
    if (node === at) at = at.nextElementSibling;
    else parent.insertBefore(node, at);
  }
  parts.set(parent, after as Map<string, Part<unknown>>);
}

/**
 * Runs once when the element is about to be seen: what is further down need not be fetched at the
 * start.
 */
export function whenSeen(element: Element, run: () => void): void {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      run();
    },
    { rootMargin: '200px' },
  );
  observer.observe(element);
}

/** A link that leads to the web, or text where the address is of another kind. */
export const link = (href: string | undefined, text: string): HTMLElement | null =>
  href !== undefined && /^https?:\/\//i.test(href)
    ? h('a', { href, rel: 'noreferrer', target: '_blank' }, text, h('span', { class: 'hidden-text' }, ' (new tab)'))
    : null;

/** Makes every box that scrolls reachable with the keyboard, and no other. */
export function keepScrollable(): void {
  for (const box of document.querySelectorAll<HTMLElement>('.scroll, .entries, pre')) {
    const sideways = box.scrollWidth > box.clientWidth + 1;
    const scrolls = sideways || box.scrollHeight > box.clientHeight + 1;
    if (box.classList.contains('scroll')) box.toggleAttribute('data-scrolls', sideways);
    if (scrolls) box.tabIndex = 0;
    else box.removeAttribute('tabindex');
  }
}

/** Does what may fail, and says in `box` why it did. */
export async function sayingWhy(box: HTMLElement, act: () => Promise<void>): Promise<void> {
  try {
    await act();
    box.hidden = true;
  } catch (problem) {
    box.textContent = problem instanceof Error ? problem.message : String(problem);
    box.hidden = false;
  }
}
