-- Takes messages from the lists' right ends and leases them to a session, in one step.
--
-- KEYS: 1 the session, 2 what it holds, 3 the revoked tasks, 4 the delayed store, 5 its messages, 6.. the lists in
-- the order in which they are taken from. ARGV: 1 the session's epoch, 2 how many at most, 3 how many bytes at most,
-- 4 the first sequence number, 5.. the tag of each list.
-- Answers: the time, when the next message is due (-1: none is), whether any task is revoked, the tag of a list that is
-- none (-1: all are), then for each list that something was taken from its tag, the count and the messages. Only `false`
-- if the session is over or was given another epoch.

if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then
  return false
end

local due, now = promote(KEYS[4], KEYS[5], 128)
local answer = {now, due or -1, redis.call('EXISTS', KEYS[3]), -1}
local left, bytes, first = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local sequence = first

-- Takes up to `most` from one list; answers whether there may be more to take.
local function take(list, tag, most)
  local items = redis.pcall('LRANGE', list, -most, -1)
  if items.err then
    -- Something else is under the list's name, which is no reason not to take from the others.
    answer[4] = tonumber(tag)
    return false
  end
  local held, count = {}, 0
  for i = #items, 1, -1 do
    -- The first one is taken however large it is.
    if bytes < #items[i] and sequence > first then
      left = 0
      break
    end
    bytes = bytes - #items[i]
    count = count + 1
    held[2 * count - 1] = string.format('%.0f', sequence) .. ':' .. tag
    held[2 * count] = items[i]
    sequence = sequence + 1
  end
  if count == 0 then
    return false
  end
  -- Nothing is rolled back when a command fails, so the list is cut last.
  redis.call('HSET', KEYS[2], unpack(held))
  redis.call('LTRIM', list, 0, -count - 1)
  answer[#answer + 1] = tonumber(tag)
  answer[#answer + 1] = count
  for i = 1, count do
    answer[#answer + 1] = held[2 * i]
  end
  left = left > 0 and left - count or 0
  return left > 0 and #items == most
end

for i = 6, #KEYS do
  -- The first look at a list is a short one, because its messages may be huge.
  local most = math.min(left, 16)
  while left > 0 and take(KEYS[i], ARGV[i - 1], most) do
    most = math.min(left, 256)
  end
end
return answer
