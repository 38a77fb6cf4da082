-- KEYS[1] the positions of a table; ARGV[1] a partition, ARGV[2] the position that must be
-- there, '' for none, ARGV[3] the one that comes to be. The rest is the changes by threes: SET or
-- DEL, key, value; or, of a table that is the hash KEYS[2], HSET or HDEL, field, value.
local at = redis.call('HGET', KEYS[1], ARGV[1])
if not at then
    at = ''
end
if at ~= ARGV[2] then
    return {0, at}
end
for i = 4, #ARGV, 3 do
    local op = ARGV[i]
    if op == 'SET' then
        redis.call('SET', ARGV[i + 1], ARGV[i + 2])
    elseif op == 'DEL' then
        redis.call('DEL', ARGV[i + 1])
    elseif op == 'HSET' then
        redis.call('HSET', KEYS[2], ARGV[i + 1], ARGV[i + 2])
    else
        redis.call('HDEL', KEYS[2], ARGV[i + 1])
    end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return {1, ARGV[3]}
