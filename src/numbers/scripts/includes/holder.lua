-- The fields of the hash `holders`; the same texts as in keys.ts.

-- Who an entry of the holder log was made for: a session, or a bucket.
local function holder_of(entry)
  local who = entry.session
  if entry.level == 'bucket' then
    who = '~b:' .. entry.bucket
  end
  return entry.endpoint .. ':' .. entry.site .. ':' .. (who or '')
end

-- A person who signed in, on a site, for an endpoint.
local function person_of(entry)
  return entry.endpoint .. ':' .. entry.site .. ':~v:' .. entry.person
end

-- Whether the entry is held for this field of `holders`: its own, or of another session of the same person.
local function holds(entry, holder)
  if holder_of(entry) == holder then
    return true
  end
  for _, session in ipairs(entry.also or {}) do
    if entry.endpoint .. ':' .. entry.site .. ':' .. session == holder then
      return true
    end
  end
  return false
end

-- Takes an entry's fields out of `holders`, as far as they still lead to its number: a former holder may hold another.
local function forget(holders, entry, number)
  if not entry.also and not entry.person then
    local field = holder_of(entry)
    if redis.call('HGET', holders, field) == number then
      redis.call('HDEL', holders, field)
    end
    return
  end
  local fields = { holder_of(entry) }
  for _, session in ipairs(entry.also or {}) do
    fields[#fields + 1] = entry.endpoint .. ':' .. entry.site .. ':' .. session
  end
  if entry.person then
    fields[#fields + 1] = person_of(entry)
  end
  local held = redis.call('HMGET', holders, unpack(fields))
  for i, field in ipairs(fields) do
    if held[i] == number then
      redis.call('HDEL', holders, field)
    end
  end
end
