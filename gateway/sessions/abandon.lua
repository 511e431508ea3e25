-- Give a claim back without having done the hop.
--
-- KEYS  1 the session
-- ARGV  1 the claim's token

if redis.call('HGET', KEYS[1], 'token') == ARGV[1] then
    redis.call('HDEL', KEYS[1], 'claim', 'claimed', 'token')
end
return 1
