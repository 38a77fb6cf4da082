-- KEYS[1] a document; ARGV its version, its JSON or '' to delete it, and after how many
-- milliseconds it expires, 0 for never. Versions are compared as texts of digits: Lua's
-- numbers are not exact from 2^53 on.
local stored, version = redis.call('HGET', KEYS[1], 'version'), ARGV[1]
if stored and (#stored > #version or #stored == #version and stored >= version) then
    return 0
end
redis.call('HSET', KEYS[1], 'version', version)
if ARGV[2] == '' then
    redis.call('HDEL', KEYS[1], 'json')
else
    redis.call('HSET', KEYS[1], 'json', ARGV[2])
end
if ARGV[3] == '0' then
    redis.call('PERSIST', KEYS[1])
else
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 1
