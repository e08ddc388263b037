import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../runtime/project.ts';

/** A question that people ask, and the query that answers it. */
export interface Recipe {
  section: string;
  question: string;
  /** PromQL. */
  query: string;
  /** Says how to read the answer. */
  reading: string;
}

/** A reading is shown as plain text: of a link only its text is left. */
const withoutLinks = (markdown: string): string => markdown.replaceAll(/\[([^\]]+)\]\([^)]*\)/g, '$1');

const RECIPE = /^(.*)\n\n```promql\n([^`]+)```\n\n(.+)$/s;

/**
 * The recipes of a document: sections of `##`, each with questions of `###`, a query and how to
 * read it.
 */
export function recipesIn(markdown: string): Recipe[] {
  return markdown.split(/^## /m).flatMap((part) => {
    const [section = '', ...questions] = part.split(/^### /m);
    return questions.flatMap((text) => {
      const [, question, query, reading] = RECIPE.exec(text.trim()) ?? [];
      if (question === undefined || query === undefined || reading === undefined) return [];
      return [
        {
          section: section.split('\n')[0]?.trim() ?? '',
          question,
          query: query.trim(),
          reading: withoutLinks(reading),
        },
      ];
    });
  });
}

/** @throws Error where the document is missing */
export const readCookbook = (): Recipe[] => recipesIn(readFileSync(join(PROJECT, 'docs', 'promql.md'), 'utf8'));
