-- Count one more hop of this second, over all processes: of all networks, and of this one.
--
-- KEYS  1 the second's counts
-- ARGV  1 this network's field  2 their time to live, s

local all = redis.call('HINCRBY', KEYS[1], 'all', 1)
if all == 1 then
    redis.call('EXPIRE', KEYS[1], ARGV[2])
end
return {all, redis.call('HINCRBY', KEYS[1], ARGV[1], 1)}
