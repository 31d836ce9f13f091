import type { FastifyRequest } from 'fastify';
import type { Static, TSchema } from 'typebox';
import { badValue, schemaFaults, type SchemaFault } from './problems.js';

/**
 * `value` as `schema` describes it, where it does not come through a route's own schema.
 * @throws Problem badValue with every fault in it
 */
export function validated<T extends TSchema>(request: FastifyRequest, schema: T, value: unknown): Static<T> {
  const isGood = request.compileValidationSchema(schema) as unknown as {
    (given: unknown): given is Static<T>;
    readonly errors?: readonly SchemaFault[] | null;
  };
  if (!isGood(value)) throw badValue(schemaFaults(isGood.errors ?? []));
  return value;
}
