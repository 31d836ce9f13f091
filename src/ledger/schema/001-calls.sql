-- The steps of calls as they were told: the truth. A step is one by call and seq.
CREATE TABLE events (
  call TEXT NOT NULL,
  seq INTEGER NOT NULL,
  account TEXT NOT NULL,
  at INTEGER NOT NULL,
  event TEXT NOT NULL,
  PRIMARY KEY (call, seq)
) STRICT, WITHOUT ROWID;

-- The records, each folded from its events whenever one comes: columns for what is asked by, the rest as JSON.
CREATE TABLE calls (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  number TEXT NOT NULL,
  site TEXT,
  endpoint TEXT,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  newest_at INTEGER NOT NULL,
  record TEXT NOT NULL
) STRICT;

CREATE INDEX calls_by_start ON calls (account, started_at, id);
CREATE INDEX calls_by_number ON calls (account, number, started_at, id);
CREATE INDEX calls_by_site ON calls (account, site, started_at, id);
CREATE INDEX calls_by_endpoint ON calls (account, endpoint, started_at, id);
CREATE INDEX calls_open ON calls (newest_at) WHERE ended_at IS NULL;
