// Package mongodb captures the changes of a MongoDB replica set or sharded cluster, version 5 or
// later, as Debezium's connector for MongoDB does: the same class name, options, topics and
// records. It reads change streams; what was there before them comes from a snapshot.
//
// # Snapshots
//
// A snapshot begins with a token of the change stream, reads collection after collection in the
// order of _id, and then streams from the token, so that no concurrent write is lost. Where it is
// interrupted it goes on at the _id that it had come to: the offset says which. Several threads
// (snapshot.max.threads) read ranges of _id ahead of the records that are made; the records come
// in the same order whatever their number.
//
// # Signals
//
// Documents {_id, type, payload} of the collection that signal.data.collection names, and records of
// the topic signal.kafka.topic, have incremental snapshots taken, stopped, paused and resumed, and
// messages logged. What a signal brings about is stored with its place in the stream or topic: it
// counts exactly once, but for messages, which may be logged again. Incremental snapshots need the
// collection also where signals come by the topic, for the marks around their chunks.
//
// A blocking snapshot stops the stream: documents are read from there on, and then the stream goes
// on. A restart goes on with the next document.
//
// # Differences on purpose
//
//   - Debezium reads a snapshot in the natural order and begins anew after an interruption.
//   - A connection string needs no replicaSet= for one to be found.
//   - An invalidated stream (its collection or database was dropped or renamed, which matters to
//     capture.scope other than deployment) goes on after the invalidation.
//   - cursor.pipeline and filters of snapshots are Extended JSON; single quotes and names without
//     quotes, as the shell takes them, are refused.
package mongodb
