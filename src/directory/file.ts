import { readAccount } from './account-file.js';
import type { DeclaredAccount, Declaration } from './declaration.js';
import { FileChecks } from './file-checks.js';
import { YamlSource } from './yaml-source.js';

export interface FileContext {
  /** What `self` means in a site's origins: `ownOrigins(settings.http)`. */
  readonly ownOrigins: readonly string[];
}

/**
 * Reads a declaration, `apiVersion: tagswitch/v1`.
 *
 * @throws DeclarationFault that names every fault with its path, line and column, and what was expected.
 */
export function readDeclaration(text: string, context: FileContext): Declaration {
  const source = new YamlSource(text);
  const checks = new FileChecks(context.ownOrigins);
  const fields = source.root.map(['apiVersion', 'accounts']);
  fields.required('apiVersion', (version) =>
    version === 'tagswitch/v1' ? { value: version } : { expected: '"tagswitch/v1"' },
  );
  if (source.root.isMap && fields.get('accounts') === undefined) {
    source.root.fault(
      '"accounts" is missing: expected a list of accounts (an empty one, [], takes everything away)',
    );
  }
  const accounts: DeclaredAccount[] = [];
  for (const field of fields.list('accounts', 'accounts')) {
    const account = readAccount(field, checks);
    if (account !== undefined) accounts.push(account);
  }
  checks.finish();
  source.finish();
  return { accounts };
}
