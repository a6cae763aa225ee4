-- Looks who is alive, promotes what is due. Several workers look, so each finds out whether another one has just done it.
--
-- KEYS: 1 the turn, 2 the heartbeats, 3 the sessions that give a sign of life, 4 the suspects, 5 the delayed store,
-- 6 its messages. ARGV: 1 the looker's session, 2 the prefix of the channels that are signs of life, 3 for how long a look
-- serves all in ms, 0 if it serves only this looker, 4 after how long a pause between looks suspicions are void, in ms,
-- 5 the channel of events.
-- Answers: the time, the listeners of events, then for each session its number, its last heartbeat and since when its
-- sign of life has been missing without a heartbeat (-1: it is not missing).

local _, now = promote(KEYS[5], KEYS[6], 256)
local answer = {now, subscribers(ARGV[5]) or 1}
if ARGV[3] ~= '0' and not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[3]) then
  return answer
end
local last = tonumber(redis.call('HGET', KEYS[4], 'last') or 0)
if now - last > tonumber(ARGV[4]) then
  redis.call('DEL', KEYS[4])
end
redis.call('HSET', KEYS[4], 'last', now)
redis.call('PEXPIRE', KEYS[4], 60000)

local beats = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
for i = 1, #beats, 2 do
  local session, beat = beats[i], beats[i + 1]
  local missing = -1
  if subscribers(ARGV[2] .. session) ~= 0 then
    redis.call('HDEL', KEYS[4], session)
  elseif redis.call('SISMEMBER', KEYS[3], session) == 1 then
    local suspicion = redis.call('HGET', KEYS[4], session)
    local since, beat_then = string.match(suspicion or '', '^(%S+) (%S+)$')
    if beat_then ~= beat then
      since = string.format('%.0f', now)
      redis.call('HSET', KEYS[4], session, since .. ' ' .. beat)
    end
    missing = tonumber(since)
  end
  answer[#answer + 1] = tonumber(session)
  answer[#answer + 1] = tonumber(beat)
  answer[#answer + 1] = missing
end
return answer
