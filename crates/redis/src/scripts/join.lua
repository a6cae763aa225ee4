-- Enters a session among the living.
--
-- KEYS: 1 the session, 2 the heartbeats, 3 the sessions that give a sign of life, 4 the known queues, 5.. the workers
-- of each of its queues. ARGV: 1 its number, 2 whether it gives a sign of life, 3 how many words of its facts follow,
-- then these, then the names of its queues.

local facts = tonumber(ARGV[3])
redis.call('HSET', KEYS[1], 'epoch', '1', 'since', string.format('%.0f', server_time()), unpack(ARGV, 4, 3 + facts))
redis.call('ZADD', KEYS[2], server_time(), ARGV[1])
if ARGV[2] == '1' then
  redis.call('SADD', KEYS[3], ARGV[1])
end
for i = 5, #KEYS do
  redis.call('SADD', KEYS[4], ARGV[facts + i - 1])
  redis.call('SADD', KEYS[i], ARGV[1])
end
return 1
