-- Removes a session that holds nothing any more. KEYS: 1 the session, 2 what it holds, 3 the heartbeats, 4 the sessions
-- that give a sign of life, 5 the suspects, 6 its started tasks, 7 its early ones, 8.. the workers of each of its queues.
-- ARGV: 1 its number. Answers 0 if it still holds something, 2 if somebody else has removed it.

if redis.call('EXISTS', KEYS[2]) == 1 then
  return 0
end
redis.call('SREM', KEYS[4], ARGV[1])
redis.call('HDEL', KEYS[5], ARGV[1])
for i = 8, #KEYS do
  redis.call('SREM', KEYS[i], ARGV[1])
end
redis.call('DEL', KEYS[1], KEYS[6], KEYS[7])
return redis.call('ZREM', KEYS[3], ARGV[1]) == 1 and 1 or 2
