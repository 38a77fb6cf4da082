// Package mongodb stores the records of topics in MongoDB, under the class names of Debezium's sink
// connector (Sink) and of MongoDB's own (OfficialSink). The first takes changes of Debezium's
// sources, relational ones and MongoDB's, and plain documents; the second does what its options say.
//
// # What Sink makes of a record
//
//   - A relational change becomes a document with the key's columns as its _id, or is deleted.
//   - A change of MongoDB's becomes the same document; an update without the document after it sets
//     and removes the fields that it names.
//   - Another value becomes a document whose _id is the key, or the value's own _id where there is
//     no key; a record without a value deletes it.
//
// A batch is written in the order of its records, each by its _id, so that records that come again
// change nothing for good. Records without any key have their place in the topic as _id.
//
// # Differences on purpose
//
// Debezium's takes relational changes only, and gives a new ObjectId to those without a key,
// which stores them twice where they come twice. MongoDB's own does so by default; here the
// ObjectId is made of the record's place.
package mongodb
