import { readAccount } from './account-file.js';
import type { DeclaredAccount, Declaration } from './declaration.js';
import { FileChecks, type FileContext } from './file-checks.js';
import { readReuse } from './reuse-file.js';
import { YamlSource } from './yaml-source.js';

export type { FileContext };

/**
 * Reads a declaration, `apiVersion: tagswitch/v1`.
 *
 * @throws DeclarationFault that names every fault with its path, line and column, and what was expected.
 */
export function readDeclaration(text: string, context: FileContext): Declaration {
  const source = new YamlSource(text);
  const checks = new FileChecks(context);
  const fields = source.root.map(['apiVersion', 'reuse', 'accounts']);
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
  const reuseField = fields.get('reuse');
  const reuse = reuseField === undefined ? undefined : readReuse(reuseField);
  checks.finish();
  source.finish();
  return { accounts, ...(reuse === undefined ? {} : { reuse }) };
}
