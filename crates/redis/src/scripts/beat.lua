-- Renews all leases of a session. KEYS: 1 the session, 2 the heartbeats. ARGV: 1 its number.
-- Answers 0 if the session is over, else the order that its worker was given, or 1.

if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
redis.call('ZADD', KEYS[2], server_time(), ARGV[1])
return redis.call('HGET', KEYS[1], 'order') or 1
