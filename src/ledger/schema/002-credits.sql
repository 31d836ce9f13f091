-- What a call is credited to besides a visit: the set of parameter values that held its number (canonical JSON); NULL for
-- calls of other numbers and for test calls. Records of before had none.
ALTER TABLE calls ADD COLUMN credit TEXT;
ALTER TABLE calls ADD COLUMN answered_at INTEGER;
CREATE INDEX calls_by_credit ON calls (account, started_at, credit, answered_at) WHERE credit IS NOT NULL;
