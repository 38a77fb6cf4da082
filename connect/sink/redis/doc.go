// Package redis stores the records of topics in Redis, under the class name of the sink connector
// that Redis publishes (Sink).
//
// # What becomes of a record
//
// redis.type, or redis.command by its older name, says what is written:
//
//   - HASH (HSET): a hash at keyspace:key with the value's fields; fields that are null are removed.
//   - STRING (SET), JSON (JSONSET): the value at keyspace:key; JSON needs Redis 8 or its module.
//   - STREAM (XADD): an entry with the value's fields in the stream keyspace.
//   - LIST (LPUSH, RPUSH), SET (SADD): the record's key as an element of keyspace.
//   - ZSET (ZADD): the record's key as a member of keyspace, with the value as its score.
//   - DEL: the key keyspace:key is deleted.
//
// A record without a value deletes the key, or takes the element away; of a stream, nothing.
//
// A batch is one exchange with the server, in the order of its records. One that comes again after
// a failure changes nothing for HASH, STRING, JSON, SET and ZSET; streams and lists have its entries
// twice. Where a record is refused, such as for a key that has another type in Redis, those behind it
// in the batch are written, too, before they come again.
//
// # Differences on purpose
//
// A key that is a struct is written as its values with redis.separator between, not as Java shows
// structs. Offsets are not stored in Redis, too: Kafka has them.
package redis
