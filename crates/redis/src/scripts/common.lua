-- What several scripts need. Times are milliseconds of the server's clock.

local function server_time()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- The list that a delayed message goes to, and the message.
local function split(stored)
  local space = string.find(stored, ' ', 1, true)
  local length = tonumber(string.sub(stored, 1, space - 1))
  return string.sub(stored, space + 1, space + length), string.sub(stored, space + length + 1)
end

-- What the delayed messages of a list's queue are counted in.
local function of_queue(list)
  local separator = string.find(list, '\6\22', 1, true)
  return 'cardoon:delayed:' .. (separator and string.sub(list, 1, separator - 1) or list)
end

-- Moves what is due to the back of its list, at most `most` messages. Answers when the next one is due, or false; the
-- time; whether anything was moved.
local function promote(delayed, messages, most)
  local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
  local now = server_time()
  if not first[2] or tonumber(first[2]) > now then
    return first[2] and tonumber(first[2]) or false, now, false
  end
  local members = redis.call('ZRANGEBYSCORE', delayed, '-inf', now, 'LIMIT', 0, most)
  local stored = redis.call('HMGET', messages, unpack(members))
  for i, member in ipairs(members) do
    if stored[i] then
      local list, message = split(stored[i])
      local pushed = redis.pcall('LPUSH', list, message)
      if type(pushed) == 'table' and pushed.err then
        -- Something else is under the list's name. The message stays, and does not block those behind it.
        redis.call('ZADD', delayed, now + 60000, member)
      else
        redis.call('ZREM', delayed, member)
        redis.call('ZREM', of_queue(list), member)
        redis.call('HDEL', messages, member)
      end
    else
      redis.call('ZREM', delayed, member)
    end
  end
  local next = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
  return next[2] and tonumber(next[2]) or false, now, true
end

-- How many connections are subscribed to a channel; nil if the user may not ask.
local function subscribers(channel)
  local counted = redis.pcall('PUBSUB', 'NUMSUB', channel)
  return not counted.err and counted[2] or nil
end
