-- Puts a directory in place of the one before it, and tells everybody, in one step.
--
-- KEYS[1] directory (hash: version, document)
-- ARGV[1] version that it follows   ARGV[2] its own version   ARGV[3] the document, JSON   ARGV[4] channel
-- returns 1 published | 0 another writer was first, nothing was changed

if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'document', ARGV[3])
redis.call('PUBLISH', ARGV[4], ARGV[2])
return 1
