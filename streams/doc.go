// Package streams is stream processing on Kafka with the vocabulary, the semantics and
// the topic formats of Kafka Streams: streams and tables, windows, joins, exactly-once,
// and stores that can be queried.
//
// A Builder describes a topology: From, TableFrom and GlobalTableFrom read topics;
// operators make streams and tables of others; To writes topics. Operators that change a
// type are functions (MapValues, Count, JoinTable), the others methods. A Processor does
// what no operator does. Build says everything that is wrong at once; an App runs what it
// made in as many processes as have the same ApplicationID; streamstest runs it without a
// broker.
//
// A stream whose keys may have changed is sent through a topic of the application before
// it is grouped or joined. Names of generated nodes, stores and topics depend on the order
// of the operators: name them (Named, Materialized) where the topology will change while
// data lives.
//
// Use it for what is computed from topics continuously. For handling messages one by one
// with a database, there is inbox; for reading models of event-sourced entities,
// projection.
package streams
