/**
 * Loaded before every test by tap (.taprc). tap gives its own hooks to every program of node that a test starts, by
 * NODE_OPTIONS: they count coverage, which is not taken here, and make each start three times as long.
 */
const options = (process.env['NODE_OPTIONS'] ?? '').split(' ');
process.env['NODE_OPTIONS'] = options.filter((option) => !option.includes('@tapjs/processinfo')).join(' ');
