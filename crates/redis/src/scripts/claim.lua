-- Takes messages from the lists' right ends and leases them to a session, in one step.
--
-- KEYS: 1 the session, 2 what it holds, 3 the revoked tasks, 4 the delayed store, 5 its messages, 6.. the lists in
-- the order in which they are taken from. ARGV: 1 the session's epoch, 2 how many at most, 3 how many bytes at most,
-- 4 the first sequence number, 5.. the tag of each list, then for what is left to others: the number of a list, a text.
-- Answers: the time, when the next message is due or was promoted (-1: none is), whether any task is revoked, the tag of a list that is
-- none (-1: all are), the tags of the lists that are paused, then for each list that something was taken from its tag, the count and the messages. Only `false`
-- if the session is over or was given another epoch.

if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then
  return false
end

-- If the store is none, that shows before anything is taken.
redis.call('ZCARD', KEYS[4])
local answer = {0, -1, redis.call('EXISTS', KEYS[3]), -1, {}}
local left, bytes, first = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local sequence = first

-- By list, the texts by which messages are known that are left where they are, for others.
local others = {}
for i = #KEYS, #ARGV, 2 do
  local list = KEYS[5 + tonumber(ARGV[i])]
  others[list] = others[list] or {}
  table.insert(others[list], ARGV[i + 1])
end

local function is_for_others(item, texts)
  for _, text in ipairs(texts) do
    if string.find(item, text, 1, true) then
      return true
    end
  end
  return false
end

-- The last messages of a list but for the last `after`. None if something else is under its name, which is no reason not
-- to take from the others.
local function tail(list, tag, after, most)
  local items = redis.pcall('LRANGE', list, -after - most, -after - 1)
  if items.err then
    answer[4] = tonumber(tag)
    return {}
  end
  return items
end

local held, count = {}, 0

-- Notes that a message is taken, unless there is no room for it. The first one is taken however large it is.
local function note(item, tag)
  if left <= count or (bytes < #item and sequence > first) then
    return false
  end
  bytes = bytes - #item
  count = count + 1
  held[2 * count - 1] = string.format('%.0f', sequence) .. ':' .. tag
  held[2 * count] = item
  sequence = sequence + 1
  return true
end

-- Leases what was noted, then removes it from its list: nothing is rolled back when a command fails.
local function lease(tag, remove)
  if count > 0 then
    redis.call('HSET', KEYS[2], unpack(held, 1, 2 * count))
    remove()
    answer[#answer + 1] = tonumber(tag)
    answer[#answer + 1] = count
    for i = 1, count do
      answer[#answer + 1] = held[2 * i]
    end
  end
  left, held, count = left - count, {}, 0
end

-- Takes up to `most` from one list; answers whether there may be more to take.
local function take(list, tag, most)
  local items = tail(list, tag, 0, most)
  local is_full = false
  for i = #items, 1, -1 do
    if not note(items[i], tag) then
      is_full = true
      break
    end
  end
  local taken = count
  lease(tag, function() redis.call('LTRIM', list, 0, -taken - 1) end)
  left = is_full and 0 or left
  return left > 0 and #items == most
end

-- Takes what is not for others from the last messages of a list.
local function take_between(list, tag, texts)
  local looked_at, size, is_over = 0, 0, false
  while not is_over and looked_at < 1024 and size < tonumber(ARGV[3]) do
    local items = tail(list, tag, looked_at, 64)
    is_over = #items < 64
    looked_at = looked_at + #items
    for i = #items, 1, -1 do
      size = size + #items[i]
      if not is_for_others(items[i], texts) and not note(items[i], tag) then
        is_over = true
        break
      end
    end
  end
  local taken = held
  lease(tag, function()
    for i = 2, #taken, 2 do
      redis.call('LREM', list, -1, taken[i])
    end
  end)
end

local are_some_paused = redis.call('EXISTS', 'cardoon:paused') == 1

local function is_paused(list)
  return are_some_paused and redis.call('SISMEMBER', 'cardoon:paused', list) == 1
end

for i = 6, #KEYS do
  local list, tag = KEYS[i], ARGV[i - 1]
  if is_paused(list) then
    table.insert(answer[5], tonumber(tag))
  elseif others[list] then
    if left > 0 then
      take_between(list, tag, others[list])
    end
  else
    -- The first look at a list is a short one, because its messages may be huge.
    local most = math.min(left, 16)
    while left > 0 and take(list, tag, most) do
      most = math.min(left, 256)
    end
  end
end

-- What becomes due is for the next claim, of whomever: a Celery worker that waits for it is served as soon as this script
-- ends. Else a task that only Celery's workers know would be taken back here each time.
local due, now, promoted = promote(KEYS[4], KEYS[5], 128)
answer[1] = now
answer[2] = promoted and now or due or -1
return answer
