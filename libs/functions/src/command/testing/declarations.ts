import type { CommandDefinition } from '../../definition.ts';
import { DeclarationError } from '../../errors.ts';
import { commandFunctions } from '../commands.ts';

export const fileId = '0199f6a0-5c1e-7b3a-9d5e-2f6b8c4a1e70';

/** A declaration as an operator writes it. */
export function aDeclaration(given: object = {}): object {
  return {
    name: 'tool',
    version: '1.0.0',
    description: 'A tool.',
    program: 'tool',
    args: ['{{data}}', '--word={{word}}'],
    parameters: {
      type: 'object',
      properties: {
        data: { type: 'string', format: 'perdure-file', description: 'The data' },
        word: { type: 'string', maxLength: 100 },
        words: { type: 'array', items: { type: 'string' }, maxItems: 100 },
        free: { type: 'string' },
        count: { type: 'integer', minimum: -10, default: 3 },
        exact: { type: 'boolean' },
      },
      required: ['data'],
    },
    freeText: ['free'],
    ...given,
  };
}

export function aCommand(given: object = {}, environment: Record<string, string> = {}): CommandDefinition {
  const [definition] = commandFunctions([aDeclaration(given)], {
    file: '/etc/perdure/agent.yaml',
    environment,
  });
  if (!definition) throw new Error('a command was declared');
  return definition;
}

export function problemsIn(declarations: unknown): readonly string[] {
  try {
    commandFunctions(declarations, { file: 'agent.yaml', environment: {} });
  } catch (failure) {
    if (failure instanceof DeclarationError) return failure.problems;
    throw failure;
  }
  return [];
}
