import { ConfigurationError } from './source.js';
import type { XmlElement } from './xml.js';

export interface Action {
  readonly application: string;
  readonly data: string;
  /** Run while the dialplan is still being searched. */
  readonly inline: boolean;
}

export type Break = 'on-false' | 'on-true' | 'always' | 'never';

export interface Condition {
  /** Absent: the condition always holds. */
  readonly field?: string;
  readonly expression: string;
  readonly break: Break;
  readonly actions: readonly Action[];
  readonly antiActions: readonly Action[];
}

export interface Extension {
  readonly name: string;
  readonly continue: boolean;
  readonly conditions: readonly Condition[];
}

/** Contexts by name. */
export type Dialplan = ReadonlyMap<string, readonly Extension[]>;

const breaks: readonly string[] = ['on-false', 'on-true', 'always', 'never'];

/** The contexts in the dialplan sections. Nested conditions, `<regex>` and date conditions are refused by file and line. */
export function readDialplan(sections: readonly XmlElement[]): Dialplan {
  const contexts = new Map<string, Extension[]>();
  for (const context of sections.flatMap((section) => section.children)) {
    if (context.name !== 'context')
      throw new ConfigurationError(context.file, context.line, `<${context.name}> in the dialplan`);
    const name = required(context, 'name');
    const extensions = contexts.get(name) ?? [];
    contexts.set(name, extensions);
    for (const extension of context.children) {
      if (extension.name !== 'extension')
        throw new ConfigurationError(extension.file, extension.line, `<${extension.name}> in a context`);
      extensions.push({
        name: extension.attributes.get('name') ?? '_anon_',
        continue: extension.attributes.get('continue') === 'true',
        conditions: extension.children.map(readCondition),
      });
    }
  }
  return contexts;
}

const known = new Set(['field', 'expression', 'break']);

function readCondition(element: XmlElement): Condition {
  const fail = (what: string): never => {
    throw new ConfigurationError(element.file, element.line, what);
  };
  if (element.name !== 'condition') return fail(`<${element.name}> in an extension`);
  for (const attribute of element.attributes.keys()) {
    if (!known.has(attribute)) return fail(`attribute ${attribute} of a condition is not supported`);
  }
  const field = element.attributes.get('field');
  const breakWord = element.attributes.get('break') ?? 'on-false';
  if (!breaks.includes(breakWord)) return fail(`break "${breakWord}" is none of ${breaks.join(', ')}`);
  for (const child of element.children) {
    if (child.name !== 'action' && child.name !== 'anti-action' && child.name !== 'expression') {
      throw new ConfigurationError(child.file, child.line, `<${child.name}> in a condition is not supported`);
    }
  }
  const inner = element.children.find((child) => child.name === 'expression')?.text;
  return {
    ...(field === undefined ? {} : { field }),
    expression: inner ?? element.attributes.get('expression') ?? '',
    break: breakWord as Break,
    actions: actionsOf(element, 'action'),
    antiActions: actionsOf(element, 'anti-action'),
  };
}

function actionsOf(element: XmlElement, name: string): Action[] {
  return element.children
    .filter((child) => child.name === name)
    .map((child) => {
      if (child.attributes.has('loop'))
        throw new ConfigurationError(child.file, child.line, 'attribute loop is not supported');
      return {
        application: required(child, 'application'),
        data: child.text.trim() === '' ? (child.attributes.get('data') ?? '') : child.text,
        inline: child.attributes.get('inline') === 'true',
      };
    });
}

function required(element: XmlElement, attribute: string): string {
  const value = element.attributes.get(attribute);
  if (value === undefined || value === '') {
    throw new ConfigurationError(element.file, element.line, `<${element.name}> needs ${attribute}`);
  }
  return value;
}
