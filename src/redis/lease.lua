-- Renews a lease, or gives it up: only while it is ours.
--
-- KEYS[1] the lease (string: its holder)
-- ARGV[1] holder   ARGV[2] ms from now; 0 gives it up
-- returns 1 | 0 somebody else's, or nobody's
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
if tonumber(ARGV[2]) > 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
else
  redis.call('DEL', KEYS[1])
end
return 1
