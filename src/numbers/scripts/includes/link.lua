-- What renewing and ending a link begin with.
--- @include "log"

-- The number of a link, its newest entry and the older lines of its log; nil where the link is unknown: it never was, its
-- number was given to another since, or it is of a site that is not among `sites` (ids, blanks between; '' for any).
local function link_of(links, numbers, link, sites)
  local number = redis.call('HGET', links, link)
  local entry, older = newest(number and redis.call('HGET', numbers, number))
  if not entry or entry.link ~= link or (sites ~= '' and not string.find(sites, entry.site, 1, true)) then
    return nil
  end
  return number, entry, older
end
