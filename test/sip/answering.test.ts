import t from 'tap';
import type { Account, Endpoint, Pool } from '../../src/directory/model.js';
import type { FormerOwner } from '../../src/directory/number-state.js';
import { answering } from '../../src/sip/answering.js';

const NUMBER = '+12025550100';
const pool: Pool = {
  id: 'pool_new',
  name: 'new',
  numbers: [],
  defaultEndpoint: 'end_new',
  trunk: 'trk_new',
};
const make = (id: Account['id'], pools: readonly Pool[]): Account => ({
  id,
  name: id,
  timeZone: 'UTC',
  apiKeys: [],
  sites: [],
  endpoints: [],
  pools,
  trunks: [],
});
const owner = { account: make('acc_new', [pool]), pool };
const endpoint: Endpoint = { id: 'end_old', name: 'old', ring: [] };
const former = (policy: FormerOwner['policy'], more: Partial<FormerOwner> = {}): FormerOwner => ({
  former: { first: NUMBER, last: NUMBER, account: 'acc_old', pool: 'pool_old', at: 0 },
  account: make('acc_old', []),
  endpoint,
  policy,
  ...more,
});
const who = (now?: typeof owner, before?: FormerOwner) =>
  answering({ numberOwner: () => now, formerOwner: () => before }, NUMBER, 0);

t.test('S5.6 who answers a number, in quarantine and out of it', async (t) => {
  const ofOwner = {
    account: owner.account,
    pool: 'pool_new',
    trunk: 'trk_new',
    defaultEndpoint: 'end_new',
    accounts: ['acc_new'],
  };
  const ofFormer = { account: { id: 'acc_old' }, pool: 'pool_old', defaultEndpoint: 'end_old' };
  t.equal(who(), undefined, "nobody's");
  t.strictSame(who(owner), { ...ofOwner, byHolder: true });
  t.strictSame(
    who(owner, former('default')),
    { ...ofOwner, byHolder: false },
    'the default of the pool that has it now, without regard to holders',
  );
  t.match(who(owner, former('lastHolder')), {
    ...ofFormer,
    accounts: ['acc_old', 'acc_new'],
    byHolder: true,
  });
  t.equal(who(owner, former('reject')), undefined);
});

t.test('S5.6 a number that left and is nobody’s yet', async (t) => {
  t.match(who(undefined, former('lastHolder')), { accounts: ['acc_old'], byHolder: true });
  t.match(who(undefined, former('default')), {
    account: { id: 'acc_old' },
    defaultEndpoint: 'end_old',
    byHolder: false,
  });
  t.equal(who(undefined, former('reject')), undefined);
  const { former: before, account, policy } = former('lastHolder');
  t.equal(who(undefined, { former: before, policy }), undefined, 'its account is gone');
  const endless = who(undefined, { former: before, policy, ...(account && { account }) });
  t.notOk('defaultEndpoint' in (endless ?? {}), 'nobody answered by default');
});
